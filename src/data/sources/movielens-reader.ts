/**
 * Reads MovieLens-100K from the two layouts it is found in.
 *
 * GroupLens: `u.data` and `u.item` (ISO-8859-1). RecBole: `ml-100k.inter` and `ml-100k.item`. Their ratings are those
 * of `u.data` in the same order. Their titles are cut in two, `Toy Story` and `1995`. Put together they equal
 * GroupLens', but for item 267, `unknown`, which RecBole misspells. The genre `unknown` is none.
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
    ['u.data', 'u.item', parseGrouplensItem, 'iso-8859-1', 'GroupLens ml-100k (u.data, u.item)'],
    ['ml-100k.inter', 'ml-100k.item', parseRecboleItem, 'utf-8', 'RecBole ml-100k'],
  ] as const) {
    const paths = { data: join(folder, data), item: join(folder, item) };
    if (!existsSync(paths.data) || !existsSync(paths.item)) continue;
    const ratings = new RatingsParser(paths.data);
    for await (const lines of readLines(paths.data)) ratings.take(lines);
    const items = new ItemsParser(paths.item, parse);
    for await (const lines of readLines(paths.item, { encoding })) items.take(lines);
    return { ratings: ratings.result(), ...items.result(), origin };
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
  const items = new ItemsParser('ml-100k.item', parseRecboleItem);
  items.take(linesOf(files.item));
  return { ratings: ratings.result(), ...items.result(), origin };
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

/** What a line says of an item. */
interface ItemLine {
  id: number;
  title: string;
  genres: string[];
}

/** Reads a line; undefined for a header, null for a fault. */
type ParseItem = (text: string) => ItemLine | undefined | null;

class ItemsParser {
  private readonly items: ItemLine[] = [];

  constructor(
    private readonly path: string,
    private readonly parse: ParseItem,
  ) {}

  take(lines: readonly Line[]): void {
    for (const { text, number } of lines) {
      const item = this.parse(text);
      if (item === undefined) continue;
      if (item === null || item.title === '' || item.id !== this.items.length + 1)
        throw mismatch('format', {
          where: `${this.path}:${number}`,
          expected: `id ${this.items.length + 1} and a title`,
          got: text,
        });
      this.items.push(item);
    }
  }

  result(): Pick<Movielens, 'titles' | 'genres'> & { titles: string[] } {
    return {
      titles: this.items.map(({ title }) => title),
      genres: this.items.map(({ genres }) => genres),
    };
  }
}

/** Genres in the order of the flags at the end of GroupLens' lines (`u.genre`). */
const genreNames = [
  'unknown',
  'Action',
  'Adventure',
  'Animation',
  "Children's",
  'Comedy',
  'Crime',
  'Documentary',
  'Drama',
  'Fantasy',
  'Film-Noir',
  'Horror',
  'Musical',
  'Mystery',
  'Romance',
  'Sci-Fi',
  'Thriller',
  'War',
  'Western',
] as const;

/** Fields before the flags: id, title, two dates, address. */
const fieldsBeforeFlags = 5;

const isGenre = (name: string): boolean => name !== '' && name !== 'unknown';

/** `1|Toy Story (1995)|01-Jan-1995||http://...|0|0|0|1|1|1|0|...`: a flag per genre. */
function parseGrouplensItem(text: string): ReturnType<ParseItem> {
  const fields = text.split('|');
  const [id, title] = fields;
  if (title === undefined) return null;
  const genres = genreNames.filter(
    (name, i) => isGenre(name) && fields[fieldsBeforeFlags + i]?.trim() === '1',
  );
  return { id: Number(id), title: tidyTitle(title), genres };
}

/** `1<TAB>Toy Story<TAB>1995<TAB>Animation Children's Comedy`: names without spaces, in the same order. */
function parseRecboleItem(text: string): ReturnType<ParseItem> {
  if (text.startsWith('item_id:token\tmovie_title:token_seq')) return undefined;
  const [id, title, year, names = ''] = text.split('\t');
  if (title === undefined || year === undefined) return null;
  const isUnknown = year === 'unkonwn'; // as RecBole spells it
  return {
    id: Number(id),
    title: isUnknown ? 'unknown' : tidyTitle(`${title} (${year})`),
    genres: [...new Set(names.split(' ').filter(isGenre))],
  };
}
