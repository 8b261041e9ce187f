/** Where the JavaScript library would differ from the Rust one; tests/parity/tokenizer holds the references' ids. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ggufTokenizer, smallSentencePiece } from '../../support/tokenizers.js';

describe('byte-level BPE whose vocabulary lacks bytes', () => {
  const tokenizer = ggufTokenizer({
    model: 'gpt2',
    pre: 'smollm',
    tokens: ['a', 'b', 'ab', '!'],
    merges: ['a b'],
  });
  it('merges across a byte that has no token', () => {
    assert.deepEqual(tokenizer.encode('!\x04!'), [3, 3]);
    assert.deepEqual(tokenizer.encode('a\u0301b'), [0, 1], 'a mark ends a word');
    assert.deepEqual(tokenizer.encode('aéb'), [2], 'é has no token, and belongs to the word');
    assert.deepEqual(tokenizer.encode('ab^-]\\['), [2]);
  });
  it('gives no id for a text of such bytes only', () =>
    assert.deepEqual(tokenizer.encode('é'), []));
});

describe('bytes of SentencePiece', () => {
  const tokenizer = smallSentencePiece();
  const byte = (value: number) => value + 3; // after <unk>, <s>, </s>
  it('give back a byte order mark', () => {
    const text = '\ufeffa\ufeff';
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  });
  it('become U+FFFD one by one where they are no UTF-8', () => {
    assert.equal(tokenizer.decode([0xc3, 0xa9].map(byte)), 'é');
    assert.equal(tokenizer.decode([0xf0, 0x9f, 0x8e].map(byte)), '\ufffd\ufffd\ufffd');
    assert.equal(tokenizer.decode([0xc3, 0xa9, 0xff].map(byte)), '\ufffd\ufffd\ufffd');
  });
});
