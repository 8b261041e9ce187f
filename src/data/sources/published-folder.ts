/**
 * Reads datasets that come as rows of the papers rather than as interactions.
 *
 * The folder has `items.tsv` (`item_id`, `title`), `val.jsonl` and `test.jsonl`
 * (`{"history":[...],"next":id}`), and for training one of
 * - `interactions.tsv` and `users.tsv`: whole sequences of all users (MovieLens);
 * - `train_sequences.jsonl`: whole train sequences, `{"user":k,"items":[...]}` (Last.fm);
 * - `train.jsonl` or `train_sample<n>.jsonl`: rows only (Steam). Each row becomes a sequence.
 */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { mismatch } from '../../errors/index.js';
import { NO_ATTRIBUTES } from '../attribute.js';
import { type DatasetDraft, publishedWindow } from '../draft.js';
import { RowRanges } from '../row-ranges.js';
import { SequenceStore } from '../sequence-store.js';
import { readLines } from '../store/index.js';
import { cleanTitle, type TitleStyle } from '../title.js';
import type { Item } from '../types.js';
import { movielensDraft } from './movielens.js';

/** What is known about datasets of this layout, by name. */
const terms: Record<string, { licence: string; citation: string; notes: string[] }> = {
  lastfm: {
    licence: 'HetRec 2011 Last.fm: as far as known for non-commercial use',
    citation:
      'I. Cantador, P. Brusilovsky, T. Kuflik, "2nd Workshop on Information Heterogeneity and Fusion in Recommender Systems", RecSys 2011',
    notes: [
      'Sequences are not chronological: all users share one fixed order, so a good score does not show sequence modelling.',
    ],
  },
  steam: {
    licence: 'Steam reviews published by UCSD (J. McAuley): as far as known for research use',
    citation: 'W.-C. Kang, J. McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018',
    notes: [
      'Popularity is a strong cue: targets are popular games while negatives are uniform over all.',
    ],
  },
};

/** Options of {@link readPublishedFolder}. */
export interface PublishedFolderOptions {
  /** Default: the folder's name. */
  name?: string;
  /** Used for MovieLens only; other titles have no year. */
  titleStyle?: TitleStyle;
}

/**
 * A draft with the rows of such a folder, in their order.
 *
 * @throws IloraError `file` if the folder has another layout, `format` naming file and line
 */
export async function readPublishedFolder(
  folder: string,
  { name = basename(resolve(folder)), titleStyle = 'published' }: PublishedFolderOptions = {},
): Promise<DatasetDraft> {
  const titles = await readTitles(join(folder, 'items.tsv'));
  if (existsSync(join(folder, 'users.tsv'))) return readMovielensFolder(folder, titles, titleStyle);
  const sequences = new SequenceStore(false);
  const reader = new RowReader(folder, titles.length, sequences);
  const trainFile = await findTrainFile(folder);
  const isWhole = trainFile === 'train_sequences.jsonl';
  const train = isWhole ? await reader.whole(trainFile) : await reader.rows(trainFile, 'train');
  const validation = await reader.rows('val.jsonl', 'validation');
  const test = await reader.rows('test.jsonl', 'test');
  const known = terms[name] ?? { licence: 'not known', citation: '', notes: [] };
  const sample = /^train_sample(\d+)\.jsonl$/.exec(trainFile);
  return {
    name,
    origin: `rows as published (items.tsv, ${trainFile}, val.jsonl, test.jsonl)`,
    licence: known.licence,
    citation: known.citation,
    titles: 'raw',
    splitRule: { rule: 'as-published', train: isWhole ? 'whole sequences' : 'rows' },
    window: publishedWindow,
    items: titles.map(
      (title, id): Item => ({
        id,
        title: cleanTitle(title, 'raw'),
        sourceTitle: title,
        sourceId: String(id),
        attributes: NO_ATTRIBUTES,
      }),
    ),
    sequences,
    train,
    validation,
    test,
    dropped: {},
    notes: [
      ...known.notes,
      ...(sample === null
        ? []
        : [
            `Train is a sample of ${sample[1]} rows: results are not comparable with published ones.`,
          ]),
      ...(isWhole ? [] : ['Train has rows only: each counts as a sequence of its own.']),
    ],
  };
}

async function findTrainFile(folder: string): Promise<string> {
  const files = await readdir(folder);
  const found =
    ['train_sequences.jsonl', 'train.jsonl'].find((file) => files.includes(file)) ??
    files.sort().find((file) => /^train_sample\d+\.jsonl$/.test(file));
  if (found !== undefined) return found;
  throw mismatch('file', {
    where: folder,
    expected: 'train_sequences.jsonl, train.jsonl or train_sample<n>.jsonl',
    got: files.slice(0, 8),
  });
}

async function readTitles(path: string): Promise<string[]> {
  const titles: string[] = [];
  for await (const lines of readLines(path))
    for (const { text, number } of lines) {
      if (number === 1 && text === 'item_id\ttitle') continue;
      const [id, title, ...more] = text.split('\t');
      if (id !== String(titles.length) || title === undefined || title === '' || more.length > 0)
        throw mismatch('format', {
          where: `${path}:${number}`,
          expected: `${titles.length}<TAB>title`,
          got: text,
        });
      titles.push(title);
    }
  return titles;
}

/** Reads JSON lines into sequences and rows. */
class RowReader {
  constructor(
    private readonly folder: string,
    private readonly size: number,
    private readonly sequences: SequenceStore,
  ) {}

  /** Every line a whole sequence; every target with enough history a row. */
  async whole(file: string): Promise<RowRanges> {
    const rows = new RowRanges();
    await this.each(file, ({ user, items }, where) => {
      const sequence = this.sequences.size;
      this.sequences.add(String(user), this.items(items, where));
      const last = this.sequences.length(sequence) - 1;
      rows.add({ sequence, first: publishedWindow.minHistory, last });
    });
    return rows;
  }

  /** Every line a row and a sequence of its own. */
  async rows(file: string, split: string): Promise<RowRanges> {
    const rows = new RowRanges();
    await this.each(file, ({ history, next }, where) => {
      const items = this.items(Array.isArray(history) ? [...history, next] : history, where);
      const last = items.length - 1;
      if (last < publishedWindow.minHistory)
        throw mismatch('format', {
          where,
          expected: `at least ${publishedWindow.minHistory} items in "history"`,
          got: last,
        });
      const sequence = this.sequences.size;
      this.sequences.add(`${split}-${sequence}`, items);
      rows.add({ sequence, first: last, last });
    });
    return rows;
  }

  private items(value: unknown, where: string): number[] {
    if (!Array.isArray(value))
      throw mismatch('format', { where, expected: 'a list of item ids', got: value });
    for (const item of value as unknown[])
      if (!Number.isInteger(item) || (item as number) < 0 || (item as number) >= this.size)
        throw mismatch('format', { where, expected: `item ids in [0, ${this.size})`, got: item });
    return value as number[];
  }

  private async each(
    file: string,
    take: (line: Record<string, unknown>, where: string) => void,
  ): Promise<void> {
    const path = join(this.folder, file);
    for await (const lines of readLines(path))
      for (const { text, number } of lines) {
        const where = `${path}:${number}`;
        let line: unknown;
        try {
          line = JSON.parse(text);
        } catch (error) {
          throw mismatch('format', { where, expected: 'a JSON object', got: text }, error);
        }
        take((line ?? {}) as Record<string, unknown>, where);
      }
  }
}

/** MovieLens with sequences already sorted: the same rows as from the ratings themselves. */
async function readMovielensFolder(
  folder: string,
  titles: readonly string[],
  titleStyle: TitleStyle,
): Promise<DatasetDraft> {
  const { bySequence, left } = await readSequencePlaces(folder, titles.length);
  const sequences = new SequenceStore(true);
  const split = { train: new RowRanges(), validation: new RowRanges(), test: new RowRanges() };
  const usersPath = join(folder, 'users.tsv');
  for await (const lines of readLines(usersPath))
    for (const { text, number } of lines) {
      if (number === 1) continue;
      const [user = '', name = ''] = text.split('\t');
      const places = bySequence.get(user);
      const key = name === 'val' ? 'validation' : name;
      if (places === undefined || (key !== 'train' && key !== 'validation' && key !== 'test'))
        throw mismatch('format', {
          where: `${usersPath}:${number}`,
          expected: 'a user of interactions.tsv and train, val or test',
          got: text,
        });
      const sequence = sequences.size;
      const last = places.length - 1;
      sequences.open(user);
      for (const [item, time] of places) sequences.push(item, time);
      split[key].add({
        sequence,
        first: key === 'train' ? publishedWindow.minHistory : last,
        last,
      });
    }
  const origin = 'MovieLens-100K as published rows (items.tsv, interactions.tsv, users.tsv)';
  const dropped = { headerMistake: 1, belowMinRating: left - 1 };
  return movielensDraft({ titles, titleStyle, origin, sequences, split, dropped });
}

/** Items and times of every user by `seq_pos`; `left` counts the ratings outside sequences. */
async function readSequencePlaces(
  folder: string,
  size: number,
): Promise<{ bySequence: Map<string, [number, number][]>; left: number }> {
  const bySequence = new Map<string, [number, number][]>();
  let left = 0;
  const path = join(folder, 'interactions.tsv');
  for await (const lines of readLines(path))
    for (const { text, number } of lines) {
      if (number === 1) continue;
      const [user, item, time, , place] = text.split('\t');
      if (place === '') {
        left++;
        continue;
      }
      const [itemId, timeS, position] = [Number(item), Number(time), Number(place)];
      const isItem = Number.isInteger(itemId) && itemId >= 0 && itemId < size;
      if (!isItem || !Number.isFinite(timeS) || !Number.isInteger(position) || position < 0)
        throw mismatch('format', {
          where: `${path}:${number}`,
          expected: 'user, item, time, rating and place in the sequence, separated by tabs',
          got: text,
        });
      const places = bySequence.get(user!) ?? [];
      places[position] = [itemId, timeS];
      bySequence.set(user!, places);
    }
  for (const [user, places] of bySequence)
    if (places.includes(undefined as never) || Object.keys(places).length !== places.length)
      throw mismatch('format', { where: path, expected: `user ${user} without gaps`, got: 'gaps' });
  return { bySequence, left };
}
