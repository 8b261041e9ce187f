/**
 * Here: tokenizers and prompts.
 * May use: files and below.
 * Used by: recommenders and above.
 */
export { cutTitle, MAX_TITLE_TOKENS, neutralTitle } from './neutral-title.js';
export {
  type Prompt,
  PromptBuilder,
  type PromptDomain,
  type PromptRequest,
  type PromptRoom,
  TEMPLATE_COUNT,
  type TextEncoder,
} from './prompt.js';
export {
  type EncodeOptions,
  openTokenizer,
  Tokenizer,
  type TokenizerOrigin,
} from './tokenizer.js';
