/**
 * Our tokenizers give the ids of the Rust library `tokenizers` and of sentencepiece; fixtures by
 * generate.py. The test on SmolLM2's own vocabulary needs the model: `ilora model pull smollm2-135m`.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openTokenizer, type Tokenizer } from '../../../src/text/index.js';
import { openGguf } from '../../../src/weights/index.js';
import { smollmPath } from '../smollm2/model-path.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-tokenizer-'));
after(() => rmSync(folder, { recursive: true }));

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8'));
}

function fromMetadata(entries: Record<string, unknown>): Tokenizer {
  const metadata = new Map(
    Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value]),
  );
  return openTokenizer({ kind: 'gguf', path: 'fixture.gguf', metadata });
}

function fromJson(json: unknown, name: string): Tokenizer {
  const tokenizerJson = join(folder, name);
  writeFileSync(tokenizerJson, JSON.stringify(json));
  return openTokenizer({ kind: 'json', tokenizerJson });
}

/** Compares all strings before failing, so that one run shows every difference. */
function assertIds(
  tokenizer: Tokenizer,
  strings: readonly string[],
  expected: readonly (readonly number[])[],
): void {
  const wrong = strings.flatMap((text, i) => {
    const got = tokenizer.encode(text);
    return got.join() === expected[i]?.join() ? [] : [{ text, got, expected: expected[i] }];
  });
  assert.deepEqual(wrong, []);
}

describe('byte-level BPE', () => {
  const bpe = fixture('bpe.json') as {
    strings: string[];
    tokens: string[];
    merges: string[];
    ids: Record<string, number[][]>;
    tokenizerJson: unknown;
    publishedIds: number[][];
  };
  const types = Int32Array.from(bpe.tokens, (_, id) => (id < 3 ? 3 : 1));
  for (const [pre, ids] of Object.entries(bpe.ids)) {
    it(`splits as llama.cpp's "${pre}" does`, () => {
      const { tokens, merges } = bpe;
      const tokenizer = fromMetadata({ model: 'gpt2', pre, tokens, merges, token_type: types });
      assertIds(tokenizer, bpe.strings, ids);
    });
  }
  it('gives the ids of the Rust library from tokenizer.json', () => {
    assertIds(fromJson(bpe.tokenizerJson, 'bpe.json'), bpe.strings, bpe.publishedIds);
  });
  it('gives back every text it encoded', () => {
    const tokenizer = fromJson(bpe.tokenizerJson, 'bpe.json');
    for (const text of bpe.strings) assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  });
  it('adds the tokens of the template only on request', () => {
    const tokenizer = fromJson(bpe.tokenizerJson, 'bpe.json');
    const start = tokenizer.specialId('<|im_start|>');
    const plain = tokenizer.encode('the');
    assert.deepEqual(tokenizer.encode('the', { addSpecial: true }), [start, ...plain]);
  });
});

describe('SentencePiece', () => {
  const piece = fixture('sentencepiece.json') as {
    strings: string[];
    tokens: string[];
    types: number[];
    scores: number[];
    ids: number[][];
    tokenizerJson: unknown;
    fastIds: number[][];
  };
  const open = (): Tokenizer =>
    fromMetadata({
      model: 'llama',
      tokens: piece.tokens,
      scores: Float32Array.from(piece.scores),
      token_type: Int32Array.from(piece.types),
      bos_token_id: 1,
      eos_token_id: 2,
    });
  it('gives the ids of sentencepiece from GGUF metadata', () => {
    assertIds(open(), piece.strings, piece.ids);
  });
  it('gives the ids of the Rust library from tokenizer.json', () => {
    assertIds(fromJson(piece.tokenizerJson, 'piece.json'), piece.strings, piece.fastIds);
  });
  it('gives back every text it encoded', () => {
    const tokenizer = open();
    // Its own sign for a space becomes one.
    for (const text of piece.strings.filter((each) => !each.includes('▁')))
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  });
  it('puts no space before a continuation', () => {
    const tokenizer = open();
    const whole = tokenizer.encode('We the People');
    const parts = [
      ...tokenizer.encode('We'),
      ...tokenizer.encode(' the People', { isContinuation: true }),
    ];
    assert.deepEqual(parts, whole);
  });
});

describe('SmolLM2', () => {
  const path = smollmPath();
  const skip = existsSync(path) ? false : 'the model is not in the cache';
  it('gives the ids of the Rust library', { skip }, () => {
    const pairs = fixture('smollm2.json') as [string, number[]][];
    const { metadata } = openGguf(path);
    const tokenizer = openTokenizer({ kind: 'gguf', path, metadata });
    assertIds(
      tokenizer,
      pairs.map(([text]) => text),
      pairs.map(([, ids]) => ids),
    );
    assert.deepEqual(tokenizer.eosIds, [2, 0]);
    assert.equal(tokenizer.vocabSize, 49_152);
  });
});
