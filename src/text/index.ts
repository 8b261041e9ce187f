/**
 * Here: tokenizers and prompts.
 * May use: files and below.
 * Used by: recommenders and above.
 */
export {
  type AttributeValue,
  attributeText,
  MAX_ATTRIBUTE_CHARACTERS,
  type TextItem,
} from './item-pattern.js';
export { attributeLine, itemText } from './item-text.js';
export { cutTitle, MAX_TITLE_TOKENS, neutralTitle } from './neutral-title.js';
export {
  type Prompt,
  PromptBuilder,
  type PromptRequest,
  type PromptRoom,
  type TextEncoder,
} from './prompt.js';
export {
  checkAttributes,
  openPromptTemplate,
  type PromptTemplate,
  parsePromptTemplate,
  promptTemplateFile,
  promptTemplateNames,
} from './prompt-template.js';
export {
  type EncodeOptions,
  openTokenizer,
  Tokenizer,
  type TokenizerOrigin,
} from './tokenizer.js';
