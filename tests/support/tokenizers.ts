/** The small tokenizers of tests/parity/tokenizer, opened. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTokenizer, type Tokenizer } from '../../src/text/index.js';

const FIXTURES = join(import.meta.dirname, '../parity/tokenizer/fixtures');

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as T;
}

/** A tokenizer of GGUF metadata, its keys without `tokenizer.ggml.`. */
export function ggufTokenizer(entries: Record<string, unknown>): Tokenizer {
  const metadata = new Map(
    Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value]),
  );
  return openTokenizer({ kind: 'gguf', path: 'fixture.gguf', metadata });
}

/** Byte-level BPE that splits as SmolLM2 does; its first three tokens are special. */
export function smallBpe(): Tokenizer {
  const { tokens, merges } = fixture<{ tokens: string[]; merges: string[] }>('bpe.json');
  const token_type = Int32Array.from(tokens, (_, id) => (id < 3 ? 3 : 1));
  return ggufTokenizer({ model: 'gpt2', pre: 'smollm', tokens, merges, token_type });
}

/** SentencePiece as in Llama 2: `<unk>`, `<s>`, `</s>`, bytes, pieces. */
export function smallSentencePiece(): Tokenizer {
  const { tokens, types, scores } = fixture<{
    tokens: string[];
    types: number[];
    scores: number[];
  }>('sentencepiece.json');
  return ggufTokenizer({
    model: 'llama',
    tokens,
    scores: Float32Array.from(scores),
    token_type: Int32Array.from(types),
    bos_token_id: 1,
    eos_token_id: 2,
  });
}
