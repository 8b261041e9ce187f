/** Prompts are texts as the model knows them, and no title is more than a title in them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  MAX_TITLE_TOKENS,
  neutralTitle,
  openPromptTemplate,
  PromptBuilder,
  type PromptRoom,
  type TextEncoder,
} from '../../../src/text/index.js';
import { HOSTILE_TITLES, hostileText } from '../../support/hostile.js';
import { smallBpe, smallSentencePiece } from '../../support/tokenizers.js';

function promptsOf(
  encoder: TextEncoder,
  titles: readonly string[],
  name: string,
  room?: PromptRoom,
): PromptBuilder {
  const items = titles.map((title) => ({ title }));
  return new PromptBuilder(encoder, items, openPromptTemplate(name), room);
}

const ORDINARY = ['The Gold Rush', 'Metropolis', 'Pandora’s Box 1929', '七人の侍', 'été', 'M'];

for (const [name, tokenizer, specials] of [
  ['byte-level BPE', smallBpe(), [0, 1, 2]],
  ['SentencePiece', smallSentencePiece(), [0, 1, 2]],
] as const) {
  const newline = tokenizer.encode('\n', { isContinuation: true });

  describe(`PromptBuilder on ${name}`, () => {
    it('gives the ids of the whole text, its start included', () => {
      const prompts = promptsOf(tokenizer, ORDINARY, 'movie');
      for (let wording = 0; wording < 3; wording += 1) {
        const request = { history: [0, 1, 2], candidates: [3, 4, 5], hasSlots: false, wording };
        const { ids } = prompts.build(request);
        const whole = tokenizer.decode(ids);
        assert.match(whole, /^(A user|Choose|History)/);
        assert.ok(whole.includes(' The Gold Rush, Metropolis, Pandora’s Box 1929.\n'), whole);
        const start = tokenizer.bosId === undefined ? [] : [tokenizer.bosId];
        assert.deepEqual(ids, [...start, ...tokenizer.encode(whole)]);
      }
    });

    it('gives the pieces one after the other where a title ends in a sign', () => {
      const prompts = promptsOf(tokenizer, ['Safety Last!', 'Help!!'], 'movie');
      const request = { history: [0, 1], candidates: [1, 0], hasSlots: false, wording: 0 };
      const text = tokenizer.decode(prompts.build(request).ids);
      assert.ok(text.includes('oldest first: Safety Last!, Help!!.\nOne of'), text);
    });

    it('lets no title hold a special token, the end of an answer, or more tokens than allowed', () => {
      fc.assert(
        fc.property(fc.array(hostileText, { minLength: 1, maxLength: 3 }), (titles) => {
          const prompts = promptsOf(tokenizer, titles, 'item');
          for (const item of titles.keys()) {
            const answer = prompts.answer(item);
            const title = answer.slice(0, -newline.length);
            assert.deepEqual(answer.slice(-newline.length), newline);
            assert.ok(title.length >= 1 && title.length <= MAX_TITLE_TOKENS);
            assert.ok(!title.includes(prompts.end));
            assert.ok(!title.some((id) => (specials as readonly number[]).includes(id)));
          }
        }),
        { numRuns: 100 },
      );
    });

    it('shows the titles it was encoded from', () => {
      const prompts = promptsOf(tokenizer, HOSTILE_TITLES, 'movie');
      for (const [item, title] of HOSTILE_TITLES.entries()) {
        const shown = prompts.titleOf(item);
        const neutral = neutralTitle(title, item);
        assert.ok(
          shown === neutral || (shown.endsWith('…') && neutral.startsWith(shown.slice(0, -1))),
        );
        const encoded = tokenizer.encode(` ${shown}`, { isContinuation: true });
        assert.deepEqual(prompts.answer(item).slice(0, -newline.length), encoded);
      }
    });

    it('cuts a long title as late as it may', () => {
      const long = 'word '.repeat(150);
      const prompts = promptsOf(tokenizer, [long, '🎬'.repeat(300)], 'movie');
      for (const item of [0, 1]) {
        const count = prompts.answer(item).length - newline.length;
        assert.ok(count > MAX_TITLE_TOKENS - 6 && count <= MAX_TITLE_TOKENS, `${count} tokens`);
        assert.ok(prompts.titleOf(item).endsWith('…'));
        assert.ok(!prompts.titleOf(item).includes('\ufffd'), 'cut between characters');
      }
    });

    it('leaves every prompt the room it needs, whatever the titles say', () => {
      const long = Array.from({ length: 31 }, (_, i) => `${i} ${'🎬x '.repeat(60)}`);
      for (const positions of [800, 2048, 4096]) {
        const prompts = promptsOf(tokenizer, long, 'artist', { positions, titles: 31 });
        const all = [...long.keys()];
        for (let wording = 0; wording < 3; wording += 1) {
          const request = { history: all.slice(0, 10), candidates: all.slice(10, 30) };
          const { ids } = prompts.build({ ...request, hasSlots: true, wording });
          const total = ids.length + prompts.answer(30).length;
          assert.ok(total <= positions, `${total} of ${positions}`);
          if (prompts.maxTitleTokens < MAX_TITLE_TOKENS) assert.ok(total > positions - 250);
        }
      }
      const roomy = promptsOf(tokenizer, long, 'artist', { positions: 8192, titles: 31 });
      assert.equal(roomy.maxTitleTokens, MAX_TITLE_TOKENS);
    });

    it('keeps one line per part of a prompt, whatever the titles say', () => {
      const prompts = promptsOf(tokenizer, HOSTILE_TITLES, 'movie');
      const candidates = [...HOSTILE_TITLES.keys()];
      const lines = (wording: number, items: number[]): number =>
        tokenizer
          .decode(
            prompts.build({ history: items, candidates: items, hasSlots: false, wording }).ids,
          )
          .split('\n').length;
      for (let wording = 0; wording < 3; wording += 1)
        assert.equal(lines(wording, candidates), lines(wording, []));
    });
  });
}

describe('PromptBuilder', () => {
  it('gives titles that became equal the same answer, each under its own id', () => {
    const prompts = promptsOf(smallBpe(), ['Twin', 'Tw\u200bin\u202e', 'Other'], 'movie');
    assert.deepEqual(prompts.answer(0), prompts.answer(1));
    assert.notDeepEqual(prompts.answer(0), prompts.answer(2));
    const request = { history: [2], candidates: [0, 1], hasSlots: true, wording: 0 };
    assert.deepEqual(
      prompts.build(request).slots.map(({ item }) => item),
      [2, 0, 1],
    );
  });
  it('refuses items and wordings that do not exist', () => {
    const prompts = promptsOf(smallBpe(), ['One'], 'movie');
    assert.throws(() => prompts.answer(1), { code: 'data', message: /an item below 1, got 1/ });
    assert.throws(() => prompts.titleOf(-1), { code: 'data' });
    const request = { history: [], candidates: [], hasSlots: false, wording: 3 };
    assert.throws(() => prompts.build(request), { code: 'usage', message: /0 to 2, got 3/ });
  });
});
