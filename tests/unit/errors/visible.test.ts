/** What is shown to people cannot steer their terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { visible, visibleLines } from '../../../src/errors/index.js';
import { hostileText } from '../../support/hostile.js';

describe('visible', () => {
  it('shows control and direction characters instead of sending them', () => {
    assert.equal(visible('\x1b[2Ja\nb\u202ec\x9b'), '\\u001b[2Ja\\u000ab\\u202ec\\u009b');
    assert.equal(visibleLines('a\nb\x07'), 'a\nb\\u0007');
  });
  it('leaves ordinary text of all scripts alone', () => {
    for (const text of ['Amélie', '東京 🎬', 'שלום', 'می‌خواهم', '👨‍👩‍👧'])
      assert.equal(visible(text), text);
  });
  it('lets nothing through that a terminal obeys', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assert.doesNotMatch(visible(text), /[\p{Control}\p{Bidi_Control}\u2028\u2029]/u);
        assert.doesNotMatch(visibleLines(text), /[^\P{Control}\n]|\p{Bidi_Control}/u);
      }),
    );
  });
  it('keeps the value of a JSON document', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assert.equal(JSON.parse(visibleLines(JSON.stringify({ text }, null, 2))).text, text);
      }),
    );
  });
});
