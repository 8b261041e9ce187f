/** What a tokenizer promises; its ids against the references stand in tests/parity/tokenizer. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openTokenizer, type Tokenizer } from '../../../src/text/index.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-text-'));
after(() => rmSync(folder, { recursive: true }));

const bpe = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../parity/tokenizer/fixtures/bpe.json'), 'utf8'),
) as { tokens: string[]; merges: string[]; tokenizerJson: Record<string, unknown> };

function fromJson(json: unknown, config?: unknown): Tokenizer {
  const tokenizerJson = join(folder, 'tokenizer.json');
  writeFileSync(tokenizerJson, JSON.stringify(json));
  if (config === undefined) return openTokenizer({ kind: 'json', tokenizerJson });
  const configJson = join(folder, 'tokenizer_config.json');
  writeFileSync(configJson, JSON.stringify(config));
  return openTokenizer({ kind: 'json', tokenizerJson, configJson });
}

function fromGguf(change: Record<string, unknown> = {}): Tokenizer {
  const entries = {
    model: 'gpt2',
    pre: 'smollm',
    tokens: bpe.tokens,
    merges: bpe.merges,
    token_type: Int32Array.from(bpe.tokens, (_, id) => (id < 3 ? 3 : 1)),
    bos_token_id: 1,
    eos_token_id: 2,
    ...change,
  };
  const metadata = new Map(
    Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value]),
  );
  return openTokenizer({ kind: 'gguf', path: 'toy.gguf', metadata });
}

for (const [name, open] of [
  ['tokenizer.json', () => fromJson(bpe.tokenizerJson, { eos_token: '<|im_end|>' })],
  ['GGUF metadata', () => fromGguf()],
] as const) {
  describe(`Tokenizer of ${name}`, () => {
    it('treats a special token in a text as ordinary text', () => {
      const tokenizer = open();
      const end = tokenizer.specialId('<|im_end|>');
      const ids = tokenizer.encode('a<|im_end|><|endoftext|> b');
      assert.ok(!ids.includes(end) && ids.length > 6);
      assert.equal(tokenizer.decode(ids), 'a<|im_end|><|endoftext|> b');
    });
    it('leaves special tokens out of decoded text unless they are wanted', () => {
      const tokenizer = open();
      const end = tokenizer.specialId('<|im_end|>');
      const ids = [...tokenizer.encode('We'), end, ...tokenizer.encode(' the')];
      assert.equal(tokenizer.decode(ids), 'We the');
      assert.equal(tokenizer.decode(ids, { keepSpecial: true }), 'We<|im_end|> the');
    });
    it('knows all ends of text and the size of its vocabulary', () => {
      const tokenizer = open();
      assert.deepEqual(tokenizer.eosIds, [2, 0]);
      assert.equal(tokenizer.vocabSize, bpe.tokens.length);
      assert.equal(tokenizer.hasSpecial('<|im_start|>'), true);
      assert.equal(tokenizer.hasSpecial('the'), false);
    });
    it('encodes nothing to nothing and back', () => {
      const tokenizer = open();
      assert.deepEqual(tokenizer.encode(''), []);
      assert.equal(tokenizer.decode([]), '');
    });
    it('refuses ids beyond the vocabulary and unknown special tokens', () => {
      const tokenizer = open();
      for (const id of [-1, 1.5, tokenizer.vocabSize])
        assert.throws(() => tokenizer.decode([id]), { code: 'data', message: /ids from 0 to/ });
      assert.throws(() => tokenizer.specialId('<|none|>'), { code: 'data' });
    });
  });
}

describe('Tokenizer.bosId', () => {
  it('is the id a text starts with, if it does', () => {
    assert.equal(fromGguf().bosId, undefined);
    assert.equal(fromGguf({ add_bos_token: true }).bosId, 1);
    assert.equal(fromGguf({ pre: 'llama-bpe' }).bosId, 1);
    assert.equal(fromJson(bpe.tokenizerJson).bosId, 1);
    const config = { bos_token: '<|im_start|>', add_bos_token: false };
    assert.equal(fromJson(bpe.tokenizerJson, config).bosId, undefined);
    const plain = { ...bpe.tokenizerJson, post_processor: null };
    assert.equal(fromJson(plain, config).bosId, undefined);
    assert.equal(fromJson(plain, { ...config, add_bos_token: true }).bosId, 1);
  });
});

describe('openTokenizer', () => {
  it('names broken metadata', () => {
    const cases: [Record<string, unknown>, RegExp][] = [
      [
        { model: 'bert' },
        /toy\.gguf: tokenizer\.ggml\.model: expected "gpt2" or "llama", got "bert"/,
      ],
      [{ pre: 'toString' }, /tokenizer\.ggml\.pre: expected one of gpt-2, smollm/],
      [{ tokens: [] }, /tokenizer\.ggml\.tokens: expected a list of texts/],
      [{ token_type: Int32Array.of(1) }, /token_type: expected \d+ numbers, got 1/],
      [{ eos_token_id: 1e6 }, /eos_token_id: expected a token id below/],
      [{ model: 'llama' }, /scores: expected \d+ numbers/],
    ];
    for (const [change, message] of cases)
      assert.throws(() => fromGguf(change), { code: 'format', message });
  });
  it('names a broken tokenizer.json and a missing one', () => {
    assert.throws(() => fromJson([]), { code: 'format', message: /expected an object/ });
    assert.throws(() => fromJson({ model: { type: 'Unigram' } }), /expected a model of type BPE/);
    const broken = { ...bpe.tokenizerJson, added_tokens: [{ id: -1, content: 'x' }] };
    assert.throws(() => fromJson(broken), /added tokens with id and content/);
    assert.throws(() => openTokenizer({ kind: 'none', path: 'here' }), { code: 'file' });
    const tokenizerJson = join(folder, 'absent.json');
    assert.throws(() => openTokenizer({ kind: 'json', tokenizerJson }), { code: 'file' });
  });
  it('refuses a split that the library would apply wrongly', () => {
    const pre_tokenizer = {
      type: 'Split',
      behavior: 'MergedWithPrevious',
      pattern: { String: ' ' },
    };
    assert.throws(() => fromJson({ ...bpe.tokenizerJson, pre_tokenizer }), /MergedWithPrevious/);
  });
});
