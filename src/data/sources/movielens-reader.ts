/**
 * Reads MovieLens-100K from the two layouts it is found in.
 *
 * GroupLens: `u.data` and `u.item` (ISO-8859-1). RecBole: `ml-100k.inter` and `ml-100k.item`. Their ratings are those
 * of `u.data` in the same order. Their titles are cut in two, `Toy Story` and `1995`. Put together they equal
 * GroupLens', but for item 267, `unknown`, which RecBole misspells.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mismatch } from '../../errors/index.js';
import { type Line, readLines } from '../store/index.js';
import { tidyTitle } from '../title.js';
import type { Movielens, MovielensRatings } from './movielens.js';

/** Reads a folder of either layout; undefined if it is neither. */
export async function readMovielens(folder: string): Promise<Movielens | undefined> {
  for (const [data, item, parse, encoding, origin] of [
    ['u.data', 'u.item', parseGrouplensTitle, 'iso-8859-1', 'GroupLens ml-100k (u.data, u.item)'],
    ['ml-100k.inter', 'ml-100k.item', parseRecboleTitle, 'utf-8', 'RecBole ml-100k'],
  ] as const) {
    const paths = { data: join(folder, data), item: join(folder, item) };
    if (!existsSync(paths.data) || !existsSync(paths.item)) continue;
    const ratings = new RatingsParser(paths.data);
    for await (const lines of readLines(paths.data)) ratings.take(lines);
    const titles = new TitlesParser(paths.item, parse);
    for await (const lines of readLines(paths.item, { encoding })) titles.take(lines);
    return { ratings: ratings.result(), titles: titles.result(), origin };
  }
  return undefined;
}

/** Takes RecBole's two files from memory. */
export function parseRecboleMovielens(
  files: { inter: string; item: string },
  origin: string,
): Movielens {
  const ratings = new RatingsParser('ml-100k.inter');
  ratings.take(linesOf(files.inter));
  const titles = new TitlesParser('ml-100k.item', parseRecboleTitle);
  titles.take(linesOf(files.item));
  return { ratings: ratings.result(), titles: titles.result(), origin };
}

function linesOf(text: string): Line[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, i) => ({ text: line.replace(/\r$/, ''), number: i + 1 }));
}

/** Lines `user<TAB>item<TAB>rating<TAB>time`, with or without RecBole's header. */
class RatingsParser {
  private readonly rows: [number, number, number, number][] = [];

  constructor(private readonly path: string) {}

  take(lines: readonly Line[]): void {
    for (const { text, number } of lines) {
      if (number === 1 && text.startsWith('user_id:token\titem_id:token\trating')) continue;
      const fields = text.split('\t').map(Number);
      const [user, item, rating, time] = fields;
      if (
        fields.length !== 4 ||
        !fields.every(Number.isInteger) ||
        user! < 1 ||
        item! < 1 ||
        item! > 1682 ||
        rating! < 1 ||
        rating! > 5
      )
        throw mismatch('format', {
          where: `${this.path}:${number}`,
          expected: 'user, item (1-1682), rating (1-5) and time, separated by tabs',
          got: text,
        });
      this.rows.push([user!, item!, rating!, time!]);
    }
  }

  result(): MovielensRatings {
    return {
      users: Int32Array.from(this.rows, (row) => row[0]),
      items: Int32Array.from(this.rows, (row) => row[1] - 1),
      ratings: Int32Array.from(this.rows, (row) => row[2]),
      times: Float64Array.from(this.rows, (row) => row[3]),
    };
  }
}

/** Source id and title of a line; undefined for a header, null for a fault. */
type ParseTitle = (text: string) => { id: number; title: string } | undefined | null;

class TitlesParser {
  private readonly titles: string[] = [];

  constructor(
    private readonly path: string,
    private readonly parse: ParseTitle,
  ) {}

  take(lines: readonly Line[]): void {
    for (const { text, number } of lines) {
      const item = this.parse(text);
      if (item === undefined) continue;
      if (item === null || item.title === '' || item.id !== this.titles.length + 1)
        throw mismatch('format', {
          where: `${this.path}:${number}`,
          expected: `id ${this.titles.length + 1} and a title`,
          got: text,
        });
      this.titles.push(item.title);
    }
  }

  result(): string[] {
    return this.titles;
  }
}

function parseGrouplensTitle(text: string): ReturnType<ParseTitle> {
  const [id, title] = text.split('|');
  return title === undefined ? null : { id: Number(id), title: tidyTitle(title) };
}

function parseRecboleTitle(text: string): ReturnType<ParseTitle> {
  if (text.startsWith('item_id:token\tmovie_title:token_seq')) return undefined;
  const [id, title, year] = text.split('\t');
  if (title === undefined || year === undefined) return null;
  const isUnknown = year === 'unkonwn'; // as RecBole spells it
  return { id: Number(id), title: isUnknown ? 'unknown' : tidyTitle(`${title} (${year})`) };
}
