/**
 * MovieLens-100K: its ratings and titles, and the published split.
 *
 * The split reproduces the rows of the LLaRA and iLoRA papers one by one. Each of its steps is a
 * fact about how those rows came to be, not a recommendation.
 */
import { mismatch } from '../../errors/index.js';
import { type AttributeInfo, type Attributes, NO_ATTRIBUTES } from '../attribute.js';
import { type DatasetDraft, publishedWindow } from '../draft.js';
import { RowRanges } from '../row-ranges.js';
import { SequenceStore } from '../sequence-store.js';
import { assignByFirstTime } from '../split.js';
import { cleanTitle, type TitleStyle, tidyTitle } from '../title.js';
import type { Item } from '../types.js';
import { numpyArgsort } from './numpy-argsort.js';

/** Ratings in the order of GroupLens' `u.data`; the order matters for ties. */
export interface MovielensRatings {
  users: Int32Array;
  /** Item id minus 1. */
  items: Int32Array;
  ratings: Int32Array;
  /** Unix seconds. */
  times: Float64Array;
}

/** Ratings and titles of MovieLens-100K as they stand in a source. */
export interface Movielens {
  ratings: MovielensRatings;
  /** Titles with year, by item id minus 1. */
  titles: readonly string[];
  /** Genres by item id minus 1, none for `unknown`; absent where the source has none. */
  genres?: readonly (readonly string[])[];
  /** Where they were read from, without paths of this machine. */
  origin: string;
}

/** What to know and cite. */
export const movielensTerms = {
  licence:
    'GroupLens ML-100K terms: research use, acknowledgement in publications, no redistribution and no commercial use without permission',
  citation:
    'F. M. Harper, J. A. Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015',
} as const;

/** Attributes of MovieLens-100K's items, where they are asked for. */
export const movielensAttributes: readonly AttributeInfo[] = [
  { name: 'genres', type: 'texts' },
  { name: 'year', type: 'number' },
];

/**
 * Genres and year of an item; each is absent where it is not known.
 *
 * The year is the last one in brackets of the title. Both layouts have it there, so both give the same.
 */
function attributesOf(title: string, genres: readonly string[]): Attributes {
  const year = [...title.matchAll(/\((\d{4})\)/g)].at(-1)?.[1];
  return {
    ...(genres.length > 0 && { genres }),
    ...(year !== undefined && { year: Number(year) }),
  };
}

/** Items of the catalog, with titles in the asked style. */
export function movielensItems(
  titles: readonly string[],
  style: TitleStyle,
  genres?: readonly (readonly string[])[],
): Item[] {
  return titles.map((title, id) => ({
    id,
    title: cleanTitle(title, style),
    sourceTitle: tidyTitle(title),
    sourceId: String(id + 1),
    attributes: genres === undefined ? NO_ATTRIBUTES : attributesOf(title, genres[id] ?? []),
  }));
}

/** Parameters of the published split. */
const published = { minRating: 3, fractions: [8, 1, 1], lostRatings: 1 } as const;

/**
 * The published split: 66,126 rows for training, 94 and 95 for validation and test.
 *
 * 1. The first rating of `u.data` is lost: it was taken for a header.
 * 2. Ratings below 3 are dropped.
 * 3. Each user's ratings are sorted by time, ties as numpy's unstable sort leaves them.
 * 4. Users are ordered by their first time and cut 8:1:1; within a split they stand in order of
 *    first appearance.
 * 5. Train has a row for every target with 3 earlier items, validation and test the last one only.
 *
 * @param hasAttributes  keep genres and year as attributes of the items; without them the dataset's bytes and hash
 *   are those of the versions before there were any
 * @throws IloraError `data` if the ratings are not the 100,000 of MovieLens-100K, or genres are asked for and not there
 */
export function prepareMovielens100k(
  { ratings, titles, genres, origin }: Movielens,
  titleStyle: TitleStyle = 'published',
  { hasAttributes = false }: { hasAttributes?: boolean } = {},
): DatasetDraft {
  const total = ratings.users.length;
  if (total !== 100_000 || titles.length !== 1682)
    throw mismatch('data', {
      where: 'MovieLens-100K',
      expected: '100000 ratings of 1682 items',
      got: `${total} of ${titles.length}`,
    });
  if (hasAttributes && genres?.length !== titles.length)
    throw mismatch('data', {
      where: 'MovieLens-100K: attributes',
      expected: `genres of ${titles.length} items`,
      got: genres === undefined ? undefined : genres.length,
    });
  const ratingsOfUser = new Map<number, number[]>();
  let kept = 0;
  for (let i = published.lostRatings; i < total; i++) {
    if (ratings.ratings[i]! < published.minRating) continue;
    const user = ratings.users[i]!;
    const list = ratingsOfUser.get(user);
    if (list === undefined) ratingsOfUser.set(user, [i]);
    else list.push(i);
    kept++;
  }
  const users = Array.from(ratingsOfUser, ([user, places]) => {
    const order = numpyArgsort(places.map((place) => ratings.times[place]!));
    return { user, places: Array.from(order, (i) => places[i]!) };
  });
  const firstTimes = users.map(({ places }) => ratings.times[places[0]!]!);
  const splitOf = assignByFirstTime(firstTimes, published.fractions);

  const sequences = new SequenceStore(true);
  const split = {
    train: new RowRanges(),
    validation: new RowRanges(),
    test: new RowRanges(),
  };
  for (const name of ['train', 'validation', 'test'] as const)
    for (const [i, { user, places }] of users.entries()) {
      if (splitOf[i] !== name) continue;
      const sequence = sequences.size;
      sequences.open(String(user));
      for (const place of places) sequences.push(ratings.items[place]!, ratings.times[place]!);
      const last = places.length - 1;
      const first = name === 'train' ? publishedWindow.minHistory : last;
      if (last >= publishedWindow.minHistory) split[name].add({ sequence, first, last });
    }
  return movielensDraft({
    titles,
    titleStyle,
    genres: hasAttributes ? genres : undefined,
    origin,
    sequences,
    split,
    dropped: {
      headerMistake: published.lostRatings,
      belowMinRating: total - published.lostRatings - kept,
    },
  });
}

/** Parts of a MovieLens draft that are left once sequences and rows are known. */
export function movielensDraft(parts: {
  titles: readonly string[];
  titleStyle: TitleStyle;
  /** Given where attributes are kept. */
  genres?: readonly (readonly string[])[] | undefined;
  origin: string;
  sequences: SequenceStore;
  split: Pick<DatasetDraft, 'train' | 'validation' | 'test'>;
  dropped: Record<string, number>;
}): DatasetDraft {
  return {
    name: 'movielens-100k',
    origin: parts.origin,
    ...movielensTerms,
    titles: parts.titleStyle,
    splitRule: {
      rule: 'by-user',
      orderedBy: 'first time',
      fractions: published.fractions,
      minRating: published.minRating,
      ties: 'as numpy quicksort leaves them',
    },
    window: publishedWindow,
    items: movielensItems(parts.titles, parts.titleStyle, parts.genres),
    ...(parts.genres && { attributes: movielensAttributes }),
    sequences: parts.sequences,
    ...parts.split,
    dropped: parts.dropped,
    notes: [
      'Rows equal those of the LLaRA and iLoRA papers; the rating lost to a header mistake is lost here too.',
      'In 47 % of train rows the target has the same time as the last history item: their order is arbitrary.',
      'One test row is 1.05 points of HR@1; test-wide has more rows, clustered by user.',
    ],
  };
}
