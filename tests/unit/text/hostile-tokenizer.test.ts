/** Tokenizer files that promise one thing and hold another. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openTokenizer, type Tokenizer } from '../../../src/text/index.js';
import { temporaryFolder } from '../../support/folder.js';

const tokenizerJson = join(temporaryFolder(), 'tokenizer.json');

const valid = {
  added_tokens: [],
  normalizer: null as unknown,
  pre_tokenizer: null as unknown,
  post_processor: null as unknown,
  decoder: null as unknown,
  model: { type: 'BPE', vocab: { a: 0, b: 1, $: 2, '&': 3, ab: 4 }, merges: ['a b'] } as unknown,
};

function open(change: Partial<typeof valid>): Tokenizer {
  writeFileSync(tokenizerJson, JSON.stringify({ ...valid, ...change }));
  return openTokenizer({ kind: 'json', tokenizerJson });
}

function refuses(change: Partial<typeof valid>, message: RegExp): void {
  assert.throws(() => open(change), { code: 'format', message });
}

const model = (change: object): unknown => ({ ...(valid.model as object), ...change });
const wrapped = (depth: number): unknown =>
  depth === 0 ? null : { type: 'Sequence', pretokenizers: [wrapped(depth - 1)] };

describe('a part of a tokenizer.json', () => {
  it('is not ignored where it is no part', () => {
    refuses({ normalizer: 5 }, /json: normalizer: expected a part with a type, or null, got 5/);
    refuses({ decoder: {} }, /decoder\.type: expected one of .*ByteFallback, got nothing/);
    refuses({ pre_tokenizer: { type: 'toString' } }, /pre_tokenizer\.type: expected one of /);
  });
  it('is named by its place in a sequence', () =>
    refuses(
      { decoder: { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Strip', start: -1 }] } },
      /decoder\.decoders\[1\]\.start: expected a whole number from 0 or nothing, got -1/,
    ));
  it('has a list in a sequence, and no endless sequences', () => {
    refuses({ decoder: { type: 'Sequence' } }, /decoder\.decoders: expected a list, got nothing/);
    refuses({ pre_tokenizer: wrapped(40) }, /expected at most 16 sequences in a row/);
    assert.deepEqual(open({ pre_tokenizer: wrapped(10) }).encode('ab'), [4]);
  });
  it('cuts pieces of a length that gets on', () =>
    refuses(
      { pre_tokenizer: { type: 'FixedLength', length: 0 } },
      /pre_tokenizer\.length: expected a whole number from 1, got 0/,
    ));
  it('has a pattern that compiles', () => {
    refuses({ pre_tokenizer: { type: 'Split', pattern: {} } }, /pre_tokenizer\.pattern: expected/);
    refuses(
      {
        pre_tokenizer: {
          type: 'Split',
          behavior: 'Isolated',
          pattern: { Regex: '(' },
          invert: false,
        },
      },
      /json: expected a tokenizer that works, got Invalid regular expression/,
    );
  });
  it('does not unfold a text to gigabytes', () => {
    const double = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
    const times = (count: number): unknown => ({
      type: 'Sequence',
      normalizers: Array(count).fill(double),
    });
    assert.equal(open({ normalizer: times(5) }).encode('a').length, 32);
    refuses({ normalizer: times(40) }, /expected replacements that lengthen a text at most/);
  });
  it('replaces by the text that stands there, also by "$&"', () =>
    assert.deepEqual(
      open({ normalizer: { type: 'Replace', pattern: { String: 'b' }, content: '$&' } }).encode(
        'b',
      ),
      [2, 3],
    ));
  it('has a template of objects', () =>
    refuses(
      { post_processor: { type: 'TemplateProcessing', single: [null] } },
      /post_processor\.single: expected a list of /,
    ));
});

describe('the model of a tokenizer.json', () => {
  it('is BPE also where it does not say so', () =>
    assert.deepEqual(open({ model: model({ type: undefined }) }).encode('ab'), [4]));
  it('names the merge that is none', () => {
    refuses({ model: model({ merges: ['a b', 5] }) }, /model\.merges\[1\]: expected two tokens/);
    refuses({ model: model({ merges: [['a'], 'a b'] }) }, /model\.merges\[0\]: expected a list of/);
    refuses({ model: model({ merges: ['ab'] }) }, /model\.merges\[0\]: expected two tokens/);
  });
  it('names the token whose id is none', () => {
    for (const id of [-1, 0.5, 2 ** 40, null])
      refuses(
        { model: model({ vocab: { a: id } }) },
        /model\.vocab\["a"\]: expected a whole number/,
      );
  });
  it('has settings of the right type', () =>
    refuses(
      { model: model({ unk_token: 1 }) },
      /model\.unk_token: expected a text or nothing, got 1/,
    ));
});

it('a SentencePiece token of a million characters in a GGUF file is refused at once', () => {
  const tokens = ['<unk>', 'a', 'b', 'ab'.repeat(500_000)];
  const entries: [string, unknown][] = [
    ['model', 'llama'],
    ['tokens', tokens],
    ['scores', new Float32Array(4)],
  ];
  const metadata = new Map(entries.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
  assert.throws(() => openTokenizer({ kind: 'gguf', path: 'toy.gguf', metadata }), {
    code: 'format',
    message:
      /toy\.gguf: tokenizer\.ggml\.tokens\[3\]: expected at most 256 characters, got 1000000/,
  });
});

describe('an id without a text of its own', () => {
  it('is refused by name where the vocabulary has a gap', () => {
    const tokenizer = open({ model: model({ vocab: { a: 0, b: 9 }, merges: [] }) });
    assert.equal(tokenizer.decode([0, 9]), 'a b');
    assert.throws(() => tokenizer.decode([4]), {
      code: 'data',
      message: /expected ids from 0 to 9 that have a text, got 4/,
    });
  });
  it('of a GGUF file is shown as special tokens are', () => {
    const entries: [string, unknown][] = [
      ['model', 'gpt2'],
      ['pre', 'smollm'],
      ['tokens', ['a', 'a', 'unused']],
      ['token_type', Int32Array.of(1, 1, 5)],
      ['merges', []],
    ];
    const metadata = new Map(entries.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
    const tokenizer = openTokenizer({ kind: 'gguf', path: 'toy.gguf', metadata });
    assert.equal(tokenizer.decode([0, 1, 2]), 'a');
    assert.equal(tokenizer.decode([0, 1, 2], { keepSpecial: true }), 'aaunused');
  });
});
