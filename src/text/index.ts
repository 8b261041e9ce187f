/**
 * Text: tokenizers and prompts.
 */
export {
  type Prompt,
  PromptBuilder,
  type PromptDomain,
  type PromptRequest,
  TEMPLATE_COUNT,
  type TextEncoder,
} from './prompt.js';
export {
  type EncodeOptions,
  openTokenizer,
  Tokenizer,
  type TokenizerOrigin,
} from './tokenizer.js';
