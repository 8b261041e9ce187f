/**
 * Faults planted into clean datasets at a rate: what the audit has to find, and from which rate on.
 */
import type { Dataset, FrozenSplitName } from '../../../src/data/index.js';
import { Random } from '../../../src/random/index.js';
import { cleanUsers, datasetOf, draftOf, type Made, made, type User } from './helper.js';

/** A planted fault. */
export interface Fault {
  /** Finding that must name it. */
  id: string;
  /** Part of the users, rows or items that gets the fault. */
  plant: (seed: number, rate: number) => Dataset;
  /** Smallest rate of `rates` found in each of ten seeds; the table of docs/audit.md. */
  foundFrom: number;
}

const chosen = (random: Random, rate: number): boolean => random.uniform() < rate;

/** Puts a user's items into the order of `key`, times as they are. */
function sortBy(user: User, key: (item: number) => number): void {
  user.items.sort((a, b) => key(a) - key(b));
}

function eachUser(
  seed: number,
  rate: number,
  change: (user: User, random: Random, made: Made) => void,
): Dataset {
  return made(seed, (clean) => {
    const random = new Random(seed, 'test/fault');
    for (const user of clean.users) if (chosen(random, rate)) change(user, random, clean);
  });
}

/** Moves the target to a place of its list in part of the rows. */
function placed(
  seed: number,
  rate: number,
  place: (row: number, count: number) => number,
): Dataset {
  const random = new Random(seed, 'test/fault');
  return datasetOf(draftOf(cleanUsers(seed)), {
    candidates: (list, row, _split, target) => {
      if (!chosen(random, rate)) return list;
      const others = list.filter((item) => item !== target);
      others.splice(place(row, list.length), 0, target);
      return others;
    },
  });
}

/** Changes lists in part of the test rows, at least in one. */
function lists(
  seed: number,
  rate: number,
  change: (list: number[], target: number, row: number) => number[],
): Dataset {
  const random = new Random(seed, 'test/fault');
  return datasetOf(draftOf(cleanUsers(seed)), {
    candidates: (list, row, split: FrozenSplitName, target) =>
      split === 'test' && (row === 0 || chosen(random, rate)) ? change(list, target, row) : list,
  });
}

/** Faults by name. */
export const faults: Record<string, Fault> = {
  'one order for all users': {
    id: 'one-order',
    foundFrom: 0.75,
    plant: (seed, rate) => {
      const order = new Random(seed, 'test/order').permutation(1000);
      return eachUser(seed, rate, (user) => sortBy(user, (item) => order[item]!));
    },
  },
  'sequences sorted by id': {
    id: 'one-order',
    foundFrom: 0.1,
    plant: (seed, rate) => eachUser(seed, rate, (user) => sortBy(user, (item) => item)),
  },
  'equal times': {
    id: 'timestamp-ties',
    foundFrom: 0.1,
    plant: (seed, rate) =>
      eachUser(seed, 1, (user, random) => {
        for (let i = 1; i < user.times.length; i++)
          if (chosen(random, rate)) user.times[i] = user.times[i - 1]!;
      }),
  },
  'target in the history': {
    id: 'target-in-history',
    foundFrom: 0.02,
    plant: (seed, rate) =>
      eachUser(seed, rate, (user) => {
        user.items[user.items.length - 1] = user.items[user.items.length - 2]!;
      }),
  },
  'users copied under another name': {
    id: 'window-overlap',
    foundFrom: 0.05,
    plant: (seed, rate) =>
      made(seed, (clean) => {
        // Everything but the time is copied; the copy is so early that it is all train.
        const random = new Random(seed, 'test/fault');
        const copies = clean.users
          .filter(() => chosen(random, rate))
          .map(({ name, items, times }) => ({
            name: `${name} again`,
            items: [...items],
            times: times.map((time) => time - 2e6),
          }));
        clean.users.push(...copies);
      }),
  },
  'items that train never shows as targets': {
    id: 'cold-items',
    foundFrom: 0.1,
    plant: (seed, rate) =>
      made(seed, (clean) => {
        const random = new Random(seed, 'test/fault');
        for (const user of clean.users)
          for (const [i, time] of user.times.entries())
            if (time > 9e5 && chosen(random, rate)) {
              user.items[i] = clean.titles.length;
              clean.titles.push(`New ${clean.titles.length}`);
            }
      }),
  },
  'ids in the order of time': {
    id: 'id-leak',
    foundFrom: 0.05,
    plant: (seed, rate) =>
      eachUser(seed, rate, (user) => {
        // Each item is the one after the item before, as where ids are given by first appearance.
        const first = user.items[0]! % 100;
        user.items = user.items.map((_, i) => first + i);
      }),
  },
  'target at the first place': {
    id: 'candidate-position',
    foundFrom: 0.1,
    plant: (seed, rate) => placed(seed, rate, () => 0),
  },
  'target at a place that follows the row': {
    id: 'candidate-position',
    foundFrom: 0.3,
    plant: (seed, rate) => placed(seed, rate, (row, count) => row % count),
  },
  'list without the target': {
    id: 'candidate-lists',
    foundFrom: 0,
    plant: (seed, rate) =>
      lists(seed, rate, (list, target) =>
        list.map((item) => (item === target ? (item + 1) % 100 : item)),
      ),
  },
  'list with a repeat': {
    id: 'candidate-lists',
    foundFrom: 0,
    plant: (seed, rate) =>
      lists(seed, rate, (list, target) => {
        const negatives = list.filter((item) => item !== target);
        return [target, ...negatives.slice(0, -1), negatives[0]!];
      }),
  },
  'equal titles': {
    id: 'duplicate-titles',
    foundFrom: 0.05,
    plant: (seed, rate) =>
      made(seed, (clean) => {
        const random = new Random(seed, 'test/fault');
        for (let i = 1; i < clean.size; i += 2)
          if (chosen(random, rate)) clean.titles[i] = clean.titles[i - 1]!.toUpperCase();
      }),
  },
  'titles without anything visible': {
    id: 'empty-titles',
    foundFrom: 0.02,
    plant: (seed, rate) =>
      made(seed, (clean) => {
        const random = new Random(seed, 'test/fault');
        for (let i = 1; i < clean.size; i++)
          if (chosen(random, rate)) clean.titles[i] = '\u200b'.repeat(i);
      }),
  },
  'titles with model tokens': {
    id: 'odd-titles',
    foundFrom: 0.02,
    plant: (seed, rate) =>
      made(seed, (clean) => {
        const random = new Random(seed, 'test/fault');
        for (let i = 1; i < clean.size; i++)
          if (chosen(random, rate)) clean.titles[i] += ' <|im_end|>';
      }),
  },
  'a few users with most interactions': {
    id: 'heavy-users',
    foundFrom: 0.1,
    plant: (seed, rate) =>
      made(seed, ({ users, size }) => {
        const random = new Random(seed, 'test/fault');
        for (const user of users) {
          const start = user.times[0]!;
          const length = chosen(random, rate) ? 110 : 6;
          user.items = [...random.permutation(size)].slice(0, length);
          user.times = user.items.map((_, i) => start + i * 100);
        }
      }),
  },
};

/** Rates that are tried, from small to all. */
export const rates = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1];
