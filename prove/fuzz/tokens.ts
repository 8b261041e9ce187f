/** Vocabularies of the least size, and what a tokenizer is asked for. */
import { IloraError } from '../../src/errors/index.js';
import type { Tokenizer } from '../../src/text/index.js';
import { GGUF, type Value } from './gguf-file.js';

/** Byte-level tokens: three special ones, letters, a space, and words merged from them. */
export const BPE_TOKENS: readonly string[] = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  'a',
  'b',
  'c',
  'd',
  'e',
  'Ġ',
  'Ċ',
  '1',
  '2',
  'ab',
  'Ġa',
  'abc',
  'Ġab',
];
export const BPE_MERGES: readonly string[] = ['a b', 'Ġ a', 'ab c', 'Ġa b'];

/** SentencePiece tokens: special ones, some bytes, letters and words, each with a score. */
export const SP_TOKENS: readonly string[] = [
  '<unk>',
  '<s>',
  '</s>',
  '<0x00>',
  '<0x0A>',
  '<0xC3>',
  '<0xA9>',
  '▁',
  'a',
  'b',
  'c',
  '1',
  '▁a',
  'ab',
  '▁ab',
  'abc',
];

/** Entries of a byte-level tokenizer. */
export function bpeMetadata(pre = 'smollm'): [string, Value][] {
  return [
    ['tokenizer.ggml.model', [GGUF.text, 'gpt2']],
    ['tokenizer.ggml.pre', [GGUF.text, pre]],
    ['tokenizer.ggml.tokens', [GGUF.list, BPE_TOKENS, GGUF.text]],
    [
      'tokenizer.ggml.token_type',
      [GGUF.list, BPE_TOKENS.map((_, id) => (id < 3 ? 3 : 1)), GGUF.i32],
    ],
    ['tokenizer.ggml.merges', [GGUF.list, BPE_MERGES, GGUF.text]],
    ['tokenizer.ggml.bos_token_id', [GGUF.u32, 1]],
    ['tokenizer.ggml.add_bos_token', [GGUF.bool, true]],
  ];
}

/** Entries of a SentencePiece tokenizer. */
export function sentencePieceMetadata(): [string, Value][] {
  const types = SP_TOKENS.map((token, id) =>
    id === 0 ? 2 : id < 3 ? 3 : token.startsWith('<0x') ? 6 : 1,
  );
  return [
    ['tokenizer.ggml.model', [GGUF.text, 'llama']],
    ['tokenizer.ggml.tokens', [GGUF.list, SP_TOKENS, GGUF.text]],
    ['tokenizer.ggml.scores', [GGUF.list, SP_TOKENS.map((_, id) => -id), GGUF.f32]],
    ['tokenizer.ggml.token_type', [GGUF.list, types, GGUF.i32]],
    ['tokenizer.ggml.bos_token_id', [GGUF.u32, 1]],
    ['tokenizer.ggml.add_space_prefix', [GGUF.bool, true]],
  ];
}

const TEXTS = [
  'abc ab\n12',
  '',
  ' a  b',
  'é😀 <|im_end|></s>',
  `${'ab '.repeat(200)}\u0000`,
] as const;

/** Encodes and decodes; a text the vocabulary cannot spell may be refused. */
export function useTokenizer(tokenizer: Tokenizer): void {
  for (const text of TEXTS) {
    let ids: number[];
    try {
      ids = tokenizer.encode(text, { addSpecial: true });
    } catch (error) {
      if (error instanceof IloraError && error.code === 'data') continue;
      throw error;
    }
    for (const id of ids)
      if (!Number.isInteger(id) || id < 0 || id >= tokenizer.vocabSize)
        throw new Error(`encode gave the id ${id} of ${tokenizer.vocabSize}`);
    if (typeof tokenizer.decode(ids, { keepSpecial: true }) !== 'string')
      throw new Error('decode gave no text');
  }
}
