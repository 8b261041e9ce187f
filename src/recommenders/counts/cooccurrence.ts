/**
 * Windowed co-occurrence: a candidate scores by how often training users met it near the items of
 * the history. No network, a few kilobytes, and close to published language-model figures where
 * negatives are uniform; any neural method should be read beside it.
 *
 * Item-to-item counting is as old as G. Linden et al. (IEEE Internet Computing 2003); the cosine
 * normalisation is theirs. The window follows sequential data, the shrinkage and the fading are ours.
 */
import type { Instance } from '../../data/index.js';
import { AbortError, faults, mismatch } from '../../errors/index.js';
import { Tensor } from '../../tensor/index.js';
import type { Scored } from '../capability.js';
import type { Storage } from '../fitted.js';
import { checkedItem } from '../sequence/encoder.js';
import { turn } from '../turn.js';
import { Counting, type CountOptions, savedNumbers } from './counting.js';

/** What can be chosen about counting; the defaults did best on MovieLens's validation rows. */
export interface CooccurrenceSettings {
  /** Two items meet when at most this many positions apart in one sequence; at least 1. */
  window?: number;
  /** Weight of a history item relative to the next newer one, in (0, 1]. */
  decay?: number;
  /**
   * Power of the item's own count in the denominator, in [0, 1]: 0 keeps raw counts and prefers popular
   * items, 0.5 is the cosine.
   */
  normalization?: number;
  /** Added to an item's count in the denominator, so that rare items do not win by one meeting. */
  shrinkage?: number;
}

const DEFAULTS: Required<CooccurrenceSettings> = {
  window: 10,
  decay: 0.8,
  normalization: 0.5,
  shrinkage: 10,
};

/** What `chooseCooccurrence` tries: 3 · 3 · 3 combinations. */
const GRID = {
  window: [3, 10, 20],
  decay: [0.7, 0.8, 1],
  normalization: [0, 0.25, 0.5],
};

/**
 * Scores items by their co-occurrence with the history.
 *
 * score(c) = Σₗ decay^(L−1−l) · n(hₗ, c) / ((n(hₗ) + s)^a (n(c) + s)^a)
 *
 * n(i, j) counts the meetings of two items in either order, n(i) = Σⱼ n(i, j), s is the shrinkage, a
 * the normalisation, l = 0 the oldest history item.
 */
export class Cooccurrence extends Counting {
  readonly name = 'cooccurrence';
  readonly settings: Readonly<Required<CooccurrenceSettings>>;
  readonly meetings: Meetings;
  private readonly denominators: Float64Array; // [N]

  constructor({
    catalogSize,
    sequences,
    meetings,
    ...settings
  }: CountOptions & CooccurrenceSettings & { meetings?: Meetings }) {
    super(catalogSize);
    this.settings = checkedSettings(settings);
    this.meetings = meetings ?? countMeetings(catalogSize, sequences, this.settings.window);
    const { normalization, shrinkage } = this.settings;
    this.denominators = this.meetings.totals.map((total) => (total + shrinkage) ** normalization);
  }

  protected scores(history: readonly number[], items: readonly number[]): number[] {
    return items.map((item) => this.#score(history, item));
  }

  #score(history: readonly number[], candidate: number): number {
    let score = 0;
    let weight = 1;
    for (let place = history.length - 1; place >= 0; place--) {
      const item = history[place]!;
      const count = this.meetings.rows[item]!.get(candidate);
      if (count !== undefined)
        score += (weight * count) / (this.denominators[item]! * this.denominators[candidate]!);
      weight *= this.settings.decay;
    }
    return score;
  }
}

/**
 * Chooses what is left open of window, decay and normalisation by mean reciprocal rank on validation instances:
 * less noisy than HR@1 on a hundred rows. Ties between settings go to the first tried. Never pass test rows.
 */
export async function chooseCooccurrence(
  options: CountOptions & CooccurrenceSettings,
  validation: readonly Instance[],
  signal?: AbortSignal,
): Promise<Cooccurrence> {
  const grid = {
    window: options.window === undefined ? GRID.window : [options.window],
    decay: options.decay === undefined ? GRID.decay : [options.decay],
    normalization:
      options.normalization === undefined ? GRID.normalization : [options.normalization],
  };
  const isOpen = Object.values(grid).some((values) => values.length > 1);
  if (!isOpen) return new Cooccurrence(options);
  if (validation.length === 0)
    throw mismatch('data', {
      where: 'chooseCooccurrence(validation)',
      expected: 'at least one instance',
      got: 0,
      hint: 'give window, decay and normalization, or a dataset with validation rows',
    });
  let best: Cooccurrence | undefined;
  let bestQuality = -1;
  for (const window of grid.window) {
    await turn(signal);
    const meetings = countMeetings(options.catalogSize, options.sequences, window);
    for (const decay of grid.decay)
      for (const normalization of grid.normalization) {
        if (signal?.aborted) throw new AbortError();
        const trial = new Cooccurrence({ ...options, window, decay, normalization, meetings });
        const quality = meanReciprocalRank(validation, await trial.score(validation, { signal }));
        if (quality > bestQuality) [best, bestQuality] = [trial, quality];
      }
  }
  return best!;
}

/** The meetings as three columns, with the settings that were chosen. */
export function cooccurrenceStorage(catalogSize: number): Storage<Cooccurrence> {
  return {
    state({ meetings, settings }) {
      const [rows, columns, counts]: [number[], number[], number[]] = [[], [], []];
      for (const [row, own] of meetings.rows.entries())
        for (const [column, count] of own) {
          rows.push(row);
          columns.push(column);
          counts.push(count);
        }
      const { window, decay, normalization, shrinkage } = settings;
      return new Map([
        ['rows', Tensor.from(Int32Array.from(rows))],
        ['columns', Tensor.from(Int32Array.from(columns))],
        ['counts', Tensor.from(Float64Array.from(counts))],
        ['settings', Tensor.from(Float64Array.of(window, decay, normalization, shrinkage))],
      ]);
    },
    read(saved, where) {
      const lengths = { rows: undefined, columns: undefined, counts: undefined, settings: 4 };
      const { rows, columns, counts, settings } = savedNumbers(saved, lengths, where);
      if (rows.length !== columns.length || rows.length !== counts.length)
        throw faults('format', where, ['rows, columns, counts: expected the same length']);
      if (!counts.every((count) => count > 0 && Number.isFinite(count)))
        throw faults('format', where, ['counts: expected finite numbers above 0']);
      const isItem = (item: number) => Number.isInteger(item) && item >= 0 && item < catalogSize;
      if (![...rows, ...columns].every(isItem))
        throw faults('format', where, [`rows, columns: expected items below ${catalogSize}`]);
      const meetings = emptyMeetings(catalogSize);
      for (const [i, row] of rows.entries()) {
        const own = meetings.rows[row]!;
        if (own.has(columns[i] as number))
          throw faults('format', where, [`columns: expected each pair once, got row ${row} twice`]);
        own.set(columns[i] as number, counts[i] as number);
        meetings.totals[row]! += counts[i] as number;
      }
      const [window, decay, normalization, shrinkage] = settings as [
        number,
        number,
        number,
        number,
      ];
      return new Cooccurrence({
        catalogSize,
        sequences: [],
        meetings,
        ...{ window, decay, normalization, shrinkage },
      });
    },
  };
}

/** Symmetric meeting counts, sparse by row, with the sum of each row. */
export interface Meetings {
  rows: readonly Map<number, number>[]; // [N]
  totals: Float64Array; // [N]
}

function emptyMeetings(catalogSize: number): Meetings {
  return {
    rows: Array.from({ length: catalogSize }, () => new Map<number, number>()),
    totals: new Float64Array(catalogSize),
  };
}

function countMeetings(
  catalogSize: number,
  sequences: CountOptions['sequences'],
  window: number,
): Meetings {
  const { rows, totals } = emptyMeetings(catalogSize);
  const meet = (one: number, other: number) => {
    rows[one]!.set(other, (rows[one]!.get(other) ?? 0) + 1);
    totals[one]! += 1;
  };
  for (const { items } of sequences) {
    for (const item of items) checkedItem(item, catalogSize, 'Cooccurrence');
    for (let place = 0; place < items.length; place++)
      for (let next = place + 1; next < items.length && next <= place + window; next++) {
        meet(items[place]!, items[next]!);
        meet(items[next]!, items[place]!);
      }
  }
  return { rows, totals };
}

function meanReciprocalRank(instances: readonly Instance[], scored: readonly Scored[]): number {
  let sum = 0;
  instances.forEach(({ candidates, target }, index) => {
    const { scores } = scored[index]!;
    const targetScore = scores[candidates.indexOf(target)]!;
    sum += 1 / scores.filter((score) => score >= targetScore).length;
  });
  return sum / instances.length;
}

function checkedSettings(settings: CooccurrenceSettings): Required<CooccurrenceSettings> {
  const merged = { ...DEFAULTS, ...settings };
  const { window, decay, normalization, shrinkage } = merged;
  const refuse = (name: string, expected: string, got: number) =>
    mismatch('usage', { where: `Cooccurrence.${name}`, expected, got });
  if (!Number.isInteger(window) || window < 1)
    throw refuse('window', 'a whole number of at least 1', window);
  if (!(decay > 0 && decay <= 1)) throw refuse('decay', 'a number in (0, 1]', decay);
  if (!(normalization >= 0 && normalization <= 1))
    throw refuse('normalization', 'a number in [0, 1]', normalization);
  if (!(shrinkage >= 0)) throw refuse('shrinkage', 'a number of at least 0', shrinkage);
  return merged;
}
