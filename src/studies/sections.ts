/**
 * All methods of a study on the same rows: means over seeds, paired comparisons.
 */
import { type Comparison, comparePairs, type Evaluation, meanOf } from '../evaluation/index.js';
import { CONTROLS, methodNamed } from '../recommenders/index.js';
import type { Measured, RowSet, StudySection } from './types.js';

/** The runs of one row of a study. */
export interface RunsOf {
  /** Of the row. */
  name: string;
  /** Of its method. */
  method: string;
  runs: readonly { measured: readonly Measured[] }[];
}

/** What is compared: the main row with all others, and further pairs. */
export interface Compares {
  main: string;
  pairs: readonly (readonly [string, string])[];
}

/** What all methods measured, by rows; a method that was not measured there is left out. */
export function sectionsOf(methods: readonly RunsOf[], compares: Compares): StudySection[] {
  const sets = new Map<string, RowSet>();
  for (const { runs } of methods)
    for (const { measured } of runs)
      for (const { evaluation: _, ...rows } of measured) sets.set(keyOf(rows), rows);
  return [...sets.values()].sort(inOrder).map((rows) => {
    const measured = methods.flatMap(({ name, method, runs }) => {
      const evaluations = runs.flatMap((run) => run.measured.filter(isOn(rows)));
      if (evaluations.length === 0) return [];
      const own = evaluations.map(({ evaluation }) => evaluation);
      return [{ name, method, runs: own, mean: meanOf(own) }];
    });
    return {
      ...rows,
      evaluations: measured.map(({ mean }) => mean),
      comparisons: comparisonsOf(compares, measured),
    };
  });
}

/** A row of the study on some rows of the data. */
interface MeasuredRow {
  name: string;
  /** Of its method. */
  method: string;
  runs: readonly Evaluation[];
  /** Of the runs. */
  mean: Evaluation;
}

/** The main row against all others, its control first if it is there, then the best one first; then the other pairs. */
function comparisonsOf({ main, pairs }: Compares, measured: readonly MeasuredRow[]): Comparison[] {
  const rowOf = (name: string) => measured.find((one) => one.name === name);
  const own = rowOf(main);
  const control = own && CONTROLS.get(methodNamed(own.method))?.name;
  const isControl = ({ method }: MeasuredRow): number => Number(method === control);
  const quality = ({ mean }: MeasuredRow): number => mean.metrics.hr_at_1.value;
  const others = measured
    .filter((one) => one !== own)
    .sort((a, b) => isControl(b) - isControl(a) || quality(b) - quality(a));
  const further = pairs.flatMap((pair) => {
    const [first, second] = pair.map(rowOf);
    return first === undefined || second === undefined ? [] : [[first.runs, second.runs] as const];
  });
  const ofMain = own === undefined ? [] : others.map(({ runs }) => [own.runs, runs] as const);
  return comparePairs([...ofMain, ...further]);
}

const keyOf = ({ protocol, split, perUser = 0 }: RowSet): string =>
  [protocol, split, perUser].join(' ');

/** Whether something was measured on these rows. */
export const isOn =
  (rows: RowSet) =>
  (other: RowSet): boolean =>
    keyOf(rows) === keyOf(other);

/** `window` before `history`, `test` before `test-wide`, all rows before some. */
const inOrder = (a: RowSet, b: RowSet): number => {
  const place = ({ protocol, split, perUser = 0 }: RowSet): number =>
    Number(protocol === 'history') * 4 + Number(split === 'test-wide') * 2 + Number(perUser > 0);
  return place(a) - place(b);
};
