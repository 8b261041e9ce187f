/**
 * The sequences of all users, out of rows in any order.
 *
 * Users are numbers without gaps, and the length of each sequence is known. So no comparison is needed to bring the
 * rows of a user together. Each row goes to a group of users first. Then, group by group, rows go to their user's own
 * stretch, which is sorted by time. Writing to few places at a time stays in the processor's cache; 200,000 stretches
 * at once take several times as long. An interaction needs 20 bytes, of which 12 are the result. A sort in DuckDB takes
 * more of both time and memory.
 */
import { setImmediate } from 'node:timers/promises';
import { AbortError, internal } from '../../errors/index.js';
import { SequenceStore } from '../sequence-store.js';
import type { DataProgress } from '../types.js';
import type { Database } from './duckdb.js';
import { type Columns, TimeSorter } from './sort-by-time.js';

/** Options of {@link gatherSequences}. */
export interface GatherOptions {
  /** Rows have times; else the order in the file is all there is. */
  isTimed: boolean;
  /** Rows of the file, good or bad. */
  rows: number;
  begin: (text: string) => void;
  onProgress: ((progress: DataProgress) => void) | undefined;
  signal: AbortSignal | undefined;
}

/** Groups of users; as many places are written to at a time. */
const groups = 128;

/** How often it says how far it is, in rows. */
const progressEvery = 1 << 20;

/** Rows, those of a group of users together. */
interface Grouped extends Columns {
  owners: Int32Array;
}

/** Reads `good`, `user_numbers` and `item_numbers` (see `import-interactions.ts`). */
export async function gatherSequences(
  database: Database,
  options: GatherOptions,
): Promise<SequenceStore> {
  const { users, starts } = await readUsers(database);
  // Users that share all but the last `bits` bits of their numbers form a group.
  const bits = Math.max(0, Math.ceil(Math.log2(users.length / groups)));
  options.begin('gathering interactions');
  const rows = await readGrouped(database, starts, bits, options);
  options.begin('sorting interactions');
  const sorter = new TimeSorter();
  for (let first = 0; first < users.length; first += 2 ** bits) {
    sortGroup(rows, starts, first, Math.min(users.length, first + 2 ** bits), sorter);
    await setImmediate(); // lets a Ctrl-C in
    if (options.signal?.aborted) throw new AbortError();
  }
  const { items, times } = rows;
  return SequenceStore.of({ users, starts, items, times: options.isTimed ? times : undefined });
}

/** All rows, group by group. */
async function readGrouped(
  database: Database,
  starts: readonly number[],
  bits: number,
  options: GatherOptions,
): Promise<Grouped> {
  const count = starts.at(-1)!;
  const owners = new Int32Array(count);
  const items = new Int32Array(count);
  const times = new Float64Array(count);
  const places = new (options.rows < 2 ** 32 ? Uint32Array : Float64Array)(count);
  const free = Float64Array.from(starts.filter((_, user) => user % 2 ** bits === 0));
  let done = 0;
  for await (const chunk of database.numberColumns(`
    SELECT u.number, i.number, seconds, CAST(place AS DOUBLE)
    FROM good JOIN user_numbers u USING (user_id) JOIN item_numbers i USING (item_id)`)) {
    const [ownOwners, ownItems, ownTimes, ownPlaces] = chunk;
    for (let row = 0; row < ownOwners!.length; row++) {
      const owner = ownOwners![row]!;
      const to = free[owner >>> bits]!;
      free[owner >>> bits] = to + 1;
      owners[to] = owner;
      items[to] = ownItems![row]!;
      times[to] = ownTimes![row]!;
      places[to] = ownPlaces![row]!;
    }
    done += ownOwners!.length;
    if (done % progressEvery < ownOwners!.length)
      options.onProgress?.({ text: 'gathering interactions', done, total: count, unit: 'rows' });
  }
  if (done !== count) throw internal(`expected ${count} interactions, got ${done}`);
  return { owners, items, times, places };
}

/** Puts the rows of users `first` to before `end` in order, by user and time. */
function sortGroup(
  { owners, items, times, places }: Grouped,
  starts: readonly number[],
  first: number,
  end: number,
  sorter: TimeSorter,
): void {
  const from = starts[first]!;
  const count = starts[end]! - from;
  const sorted = sorter.room(count);
  const free = Float64Array.from({ length: end - first }, (_, i) => starts[first + i]! - from);
  for (let row = from; row < from + count; row++) {
    const owner = owners[row]! - first;
    const to = free[owner]!;
    free[owner] = to + 1;
    sorted.items[to] = items[row]!;
    sorted.times[to] = times[row]!;
    sorted.places[to] = places[row]!;
  }
  for (let user = first; user < end; user++)
    sorter.sort(starts[user]! - from, starts[user + 1]! - from);
  items.set(sorted.items.subarray(0, count), from);
  times.set(sorted.times.subarray(0, count), from);
}

/** Ids of users, and where the stretch of each one begins. */
async function readUsers(database: Database): Promise<{ users: string[]; starts: number[] }> {
  const users: string[] = [];
  const starts = [0];
  for await (const [ids, counts] of database.columns(
    'SELECT CAST(user_id AS VARCHAR), CAST(interactions AS INTEGER) FROM user_numbers ORDER BY number',
  ))
    for (let i = 0; i < ids!.length; i++) {
      users.push(String(ids![i]));
      starts.push(starts.at(-1)! + (counts![i] as number));
    }
  return { users, starts };
}
