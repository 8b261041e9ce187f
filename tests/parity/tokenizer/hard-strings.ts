/** Two thousand strings that are hard for tokenizers; hard_strings.py makes the same ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Range = readonly [number, number];

const PARTS = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'hard-parts.json'), 'utf8'),
) as {
  seed: number;
  fixed: string[];
  scripts: Range[];
  marks: Range[];
  emoji: string[];
  spaces: number[];
  runs: string[];
  special: string[];
  controls: Range[];
  words: string[];
  digits: Range[];
};

const COUNT = 2000;

/** mulberry32 */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % count;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  inRange(ranges: readonly Range[]): number {
    const [low, high] = this.pick(ranges);
    return low + this.below(high - low + 1);
  }
}

function times(count: number, make: () => number[]): number[] {
  return Array.from({ length: count }, make).flat();
}

function points(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

function part(dice: Dice): number[] {
  const kind = dice.below(12);
  if (kind === 0)
    // any code point of any plane, lone surrogates among them
    return times(1 + dice.below(8), () => [dice.below(17) * 0x10000 + dice.below(0x10000)]);
  if (kind === 1) {
    const script = [dice.pick(PARTS.scripts)];
    return times(1 + dice.below(12), () => [dice.inRange(script)]);
  }
  if (kind === 2) {
    const base = dice.inRange(PARTS.scripts);
    return [base, ...times(1 + dice.below(20), () => [dice.inRange(PARTS.marks)])];
  }
  if (kind === 3) return times(1 + dice.below(3), () => points(dice.pick(PARTS.emoji)));
  if (kind === 4) {
    const space = dice.pick(PARTS.spaces);
    return times(1 + dice.below(40), () => [space]);
  }
  if (kind === 5) {
    const text = dice.pick(PARTS.runs);
    return times(1 + dice.below(80), () => points(text));
  }
  if (kind === 6) return points(dice.pick(PARTS.special));
  if (kind === 7) return times(1 + dice.below(3), () => [0xd800 + dice.below(0x800)]);
  if (kind === 8) return times(1 + dice.below(4), () => [dice.inRange(PARTS.controls)]);
  if (kind === 9)
    return times(1 + dice.below(5), () =>
      points(dice.pick(PARTS.words) + dice.pick([' ', '', ', ', '\n'])),
    );
  if (kind === 10) {
    const digits = [dice.pick(PARTS.digits)];
    return times(1 + dice.below(9), () => [dice.inRange(digits)]);
  }
  return times(1 + dice.below(10), () => [33 + dice.below(94)]);
}

/** All strings, halves of surrogate pairs among them. */
export function hardStrings(): string[] {
  const dice = new Dice(PARTS.seed);
  const texts = [...PARTS.fixed];
  while (texts.length < COUNT)
    texts.push(
      times(1 + dice.below(6), () => part(dice))
        .map((point) => String.fromCodePoint(point))
        .join(''),
    );
  return texts;
}

/** Lists of ids at random, without the special tokens at the beginning of a vocabulary. */
export function hardIds(vocabSize: number): number[][] {
  const dice = new Dice(PARTS.seed + 1);
  return Array.from({ length: 500 }, () =>
    times(1 + dice.below(12), () => [32 + dice.below(vocabSize - 32)]),
  );
}
