/** Random cases that shrink: sizes and seeds; everything else follows from them. */
import fc from 'fast-check';
import type { Dataset, Instance } from '../../src/data/index.js';
import type { ExpertLoraOptions } from '../../src/lora/index.js';
import { Random } from '../../src/random/index.js';

/** Items of the tiny catalog. */
const ITEMS = 12;

export const seeds = fc.integer({ min: 0, max: 1_000_000 });

/** Shapes of a layer with experts and of what goes through it. */
export const layers = fc.record({
  B: fc.integer({ min: 1, max: 4 }),
  T: fc.integer({ min: 1, max: 3 }),
  I: fc.integer({ min: 1, max: 6 }),
  O: fc.integer({ min: 1, max: 5 }),
  E: fc.integer({ min: 1, max: 4 }),
  R: fc.integer({ min: 1, max: 3 }),
  alpha: fc.integer({ min: 1, max: 32 }),
  scaleBy: fc.constantFrom<ExpertLoraOptions['scaleBy']>('total-rank', 'expert-rank'),
  seed: seeds,
});

/** An instance whose history, candidates and target depend on its numbers alone. */
export function instanceOf(row: number, seed: number, epoch = 0): Instance {
  const random = new Random(seed, 'invariants', row);
  const history = Array.from({ length: 1 + random.int(6) }, () => random.int(ITEMS));
  const target = random.int(ITEMS);
  const drawn = new Random(seed, 'invariants/candidates', row, epoch);
  const candidates = [...drawn.permutation(ITEMS)].slice(0, 2 + drawn.int(4));
  if (!candidates.includes(target)) candidates[drawn.int(candidates.length)] = target;
  return { split: 'train', row, user: `u${row}`, history, target, candidates };
}

/** One to `most` instances of different lengths. */
export const instances = (most: number): fc.Arbitrary<Instance[]> =>
  fc
    .record({ count: fc.integer({ min: 1, max: most }), seed: seeds })
    .map(({ count, seed }) => Array.from({ length: count }, (_, row) => instanceOf(row, seed)));

/** As much of a dataset as a learner asks for; candidates are drawn anew in every pass. */
export function datasetOf(
  rows: number,
  seed: number,
  onInstance: (row: number, epoch: number) => void = () => undefined,
): Dataset {
  return {
    rows: () => rows,
    instance: (_split: string, row: number, { draw: { epoch } }: { draw: { epoch: number } }) => {
      onInstance(row, epoch);
      return instanceOf(row, seed, epoch);
    },
  } as unknown as Dataset;
}

/** The numbers 0 ... count - 1 in another order. */
export const permutationOf = (count: number, seed: number): number[] => [
  ...new Random(seed, 'invariants/order').permutation(count),
];

/** Cuts a list into one to `list.length` parts. */
export function cutOf<T>(list: readonly T[], seed: number): T[][] {
  const random = new Random(seed, 'invariants/cut');
  const parts: T[][] = [];
  for (const item of list) {
    if (parts.length === 0 || random.int(2) === 0) parts.push([]);
    parts.at(-1)?.push(item);
  }
  return parts;
}

/** What an invariant is tried with: a fixed seed, so that a failure can be repeated. */
export const runs = (numRuns: number): fc.Parameters<unknown> => ({ numRuns, seed: 20_240_810 });
