/** Tokenizers out of GGUF metadata. */
import { join } from 'node:path';
import { openTokenizer } from '../../src/text/index.js';
import { openGguf } from '../../src/weights/index.js';
import { type Case, caseOf } from './case.js';
import { GGUF, ggufBytes, type Value } from './gguf-file.js';
import type { Target } from './target.js';
import { bpeMetadata, sentencePieceMetadata, useTokenizer } from './tokens.js';

const FILE = 'model.gguf';

const target: Target = {
  name: 'gguf-tokenizer',
  sources: {
    'text/gguf-tokenizer.ts': [],
    'text/tokenizer.ts': [
      'readTokenizerFiles',
      'startOf',
      'withoutKeys',
      'readJson',
      'specialId',
      'hasSpecial',
    ],
  },
  async seeds() {
    return [
      seed(bpeMetadata()),
      seed(bpeMetadata('llama-bpe')),
      seed(bpeMetadata('default')),
      seed(sentencePieceMetadata()),
    ];
  },
  read(folder) {
    const path = join(folder, FILE);
    const { metadata } = openGguf(path);
    useTokenizer(openTokenizer({ kind: 'gguf', path, metadata }));
  },
  async heavy() {
    const change = (entries: [string, Value][], key: string, value: Value): Case =>
      seed(entries.map(([name, old]) => [name, name === `tokenizer.ggml.${key}` ? value : old]));
    const long = 'ab'.repeat(500_000);
    const [tokens, scores, types] = [
      ['<unk>', 'a', 'b', long],
      [0, 0, 0, 0],
      [2, 1, 1, 1],
    ];
    const entries = sentencePieceMetadata();
    return {
      'a token of one million letters': seed([
        ...entries.filter(([key]) => !/tokens|scores|token_type|bos/.test(key)),
        ['tokenizer.ggml.tokens', [GGUF.list, tokens, GGUF.text]],
        ['tokenizer.ggml.scores', [GGUF.list, scores, GGUF.f32]],
        ['tokenizer.ggml.token_type', [GGUF.list, types, GGUF.i32]],
      ]),
      '100,000 merges of nothing': change(bpeMetadata(), 'merges', [
        GGUF.list,
        Array(100_000).fill(''),
        GGUF.text,
      ]),
    };
  },
};
export default target;

function seed(metadata: readonly [string, Value][]): Case {
  return caseOf({ [FILE]: ggufBytes(metadata, []) });
}
