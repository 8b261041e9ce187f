/**
 * The result of a study as a file: what came of every row, so that each figure can be reckoned again by others.
 *
 * Rows stand there once per protocol and split; of each run, the target's place among the candidates and its rivals
 * in the catalog. Figures stand beside only to be compared with what the rows give.
 */
import { basename, isAbsolute, relative } from 'node:path';
import { z } from 'zod';
import { type Dataset, type Protocol, protocols } from '../../data/index.js';
import { faults } from '../../errors/index.js';
import { parseStrictJson, readText, snakeKeys } from '../../files/index.js';
import { engineInfo, processorName } from '../../tensor/index.js';
import { readRecord, type Settings } from '../../training/index.js';
import type { Study, StudyResult, StudyRun } from '../types.js';

const text = z.string();
const whole = z.int().min(0);
const split = z.enum(['test', 'test-wide']);

const rows = z.strictObject({
  protocol: z.enum(protocols),
  split,
  row: z.array(whole).describe('number in its split'),
  user: z.array(text),
  target: z.array(whole).describe('item'),
  pool: z.array(whole.nullable()).describe('items that negatives are drawn from'),
  removed: z
    .array(whole)
    .optional()
    .describe('candidates that the filter took out, the target aside; in history'),
  repeats: z.array(whole).optional().describe('rows of which the filter took out the target'),
});

const evaluation = z.strictObject({
  protocol: z.enum(protocols),
  split,
  seconds: z.number().min(0),
  catalog_size: whole.optional().describe('items scored in every row, where all were'),
  places: z.array(z.int().min(1)).describe("the target's place among the candidates, from 1"),
  rivals: z
    .array(whole)
    .nullable()
    .describe("items outside the history that score at least the target's score"),
});

const run = z.strictObject({
  seed: whole,
  trainable_parameters: whole,
  train_seconds: z.number().min(0),
  settings: z.record(text, z.unknown()),
  evaluations: z.array(evaluation),
});

const interval = z.tuple([z.number(), z.number()]).describe('95 %');
const rowSet = {
  result: text.describe('name of the file'),
  protocol: z.enum(protocols),
  split,
  per_user: whole.optional().describe('only up to so many rows of a user'),
  rows: whole,
};

export const methodFigures = z.strictObject({
  ...rowSet,
  name: text,
  label: text,
  seeds: whole,
  trainable_parameters: whole,
  hr_at_1: z.number(),
  interval,
  interval_kind: z.enum(['wilson', 'bootstrap']),
  spread: z.number().optional().describe('standard deviation of HR@1 between seeds'),
  expected_hr_at_1: z.number().nullable(),
  expected_interval: interval.nullable(),
  expected_spread: z.number().optional(),
  ndcg_at_10: z.number(),
  catalog_hr_at_10: z.number().nullable(),
  catalog_ndcg_at_10: z.number().nullable(),
  recall_at_50: z.number().nullable(),
});

const paired = z.strictObject({
  value: z.number().describe('first minus second'),
  interval,
  p_value: z.number(),
  adjusted_p_value: z.number().describe("after Holm's correction over the section"),
});

export const comparisonFigures = z.strictObject({
  ...rowSet,
  first: text,
  second: text,
  test: z.enum(['mcnemar', 'sign-flip']),
  hr_at_1: paired,
  expected_hr_at_1: paired.nullable().describe('by sign flips over users'),
});

export const figuresSchema = z.strictObject({
  methods: z.array(methodFigures),
  comparisons: z.array(comparisonFigures),
});

export const resultsSchema = z.strictObject({
  format: z.literal('ilora-results-1'),
  title: text,
  created_at: text,
  commit: text,
  command: text,
  settings: z.record(text, z.unknown()).describe('of the study, as they were given'),
  dataset: z.strictObject({ name: text, hash: text, items: whole }),
  candidates: z.int().min(2).describe('per row, the target among them'),
  base: z.strictObject({ name: text, parameters: whole, sha256: text }).optional(),
  machine: z.strictObject({ name: text, device: text, threads: whole, libtorch: text }),
  wide_rows_per_user: whole.describe('what per_user is; 0: test-wide was not measured'),
  main: text.describe('the method that the others are compared with'),
  pairs: z
    .array(z.tuple([text, text]))
    .default([])
    .describe('further methods that are compared'),
  rows: z.array(rows),
  methods: z.array(z.strictObject({ name: text, label: text, method: text, runs: z.array(run) })),
  figures: figuresSchema.optional().describe('what the rows give; made by the program'),
});

export type Results = z.output<typeof resultsSchema>;
export type ResultRows = z.output<typeof rows>;
export type ResultFigures = z.output<typeof figuresSchema>;

/** What a study's rows gave, without the figures. */
export function resultsOf(
  study: Study,
  { dataset, base, methods }: StudyResult,
  place: { commit: string; machine?: string },
): Results {
  const { libtorch, threads } = engineInfo();
  const { common, document, main } = study.settings;
  const { data: _, out: __, ...settings } = document;
  const runs = methods.flatMap((method) => method.runs);
  const records = runs.flatMap(({ folder }) => readRecord(folder.path).base ?? []);
  return {
    format: 'ilora-results-1',
    title: study.title,
    created_at: new Date().toISOString(),
    ...{ commit: place.commit, command: study.command },
    settings: withoutPlaces(settings) as Results['settings'],
    dataset: { name: dataset.manifest.name, hash: dataset.hash, items: dataset.catalog.size },
    candidates: dataset.manifest.candidates.count,
    ...(base &&
      records[0] && {
        base: { ...base, name: nameOf(base.name), sha256: records[0].sha256 },
      }),
    machine: {
      name: place.machine ?? processorName(),
      device: common.device,
      threads,
      libtorch: libtorch.version,
    },
    wide_rows_per_user: study.wideRowsPerUser ?? 0,
    main: main.name,
    pairs: study.settings.pairs.map(([first, second]) => [first, second]),
    rows: rowsIn(dataset, runs),
    methods: methods.map(({ variant, runs }) => ({
      name: variant.name,
      label: variant.label,
      method: variant.method.name,
      runs: runs.map((run, i) => runOf(run, variant.runs[i]!.settings, common.out)),
    })),
  };
}

function runOf(
  { seed, trainSeconds, measured }: StudyRun,
  settings: Settings,
  out: string,
): Results['methods'][number]['runs'][number] {
  const whole = measured.filter(({ perUser }) => perUser === undefined);
  const { data: _, out: __, seed: ___, ...own } = settings;
  const { encoder } = own;
  const isInside = typeof encoder === 'string' && !relative(out, encoder).startsWith('..');
  if (isInside) own.encoder = relative(out, encoder);
  return {
    seed,
    trainable_parameters: whole[0]!.evaluation.trainableParameters,
    train_seconds: trainSeconds,
    settings: withoutPlaces(snakeKeys(own)) as Record<string, unknown>,
    evaluations: whole.map(({ protocol, split, evaluation }) => {
      const { seconds, catalogSize, outcomes } = evaluation;
      const rivals = outcomes.flatMap(({ rivals }) => rivals ?? []);
      return {
        ...{ protocol, split, seconds },
        ...(catalogSize !== undefined && { catalog_size: catalogSize }),
        places: outcomes.map(({ place }) => place!),
        rivals: rivals.length === outcomes.length ? rivals : null,
      };
    }),
  };
}

/** The rows that were measured, once per protocol and split. */
function rowsIn(dataset: Dataset, runs: readonly StudyRun[]): ResultRows[] {
  const found = new Map<string, ResultRows>();
  for (const { measured } of runs)
    for (const { protocol, split, perUser, evaluation } of measured) {
      const key = `${protocol} ${split}`;
      if (perUser !== undefined || found.has(key)) continue;
      const numbers = evaluation.outcomes.map(({ row }) => row);
      found.set(key, rowsOn(dataset, { protocol, split }, numbers));
    }
  return [...found.values()];
}

function rowsOn(
  dataset: Dataset,
  { protocol, split }: { protocol: Protocol; split: 'test' | 'test-wide' },
  numbers: readonly number[],
): ResultRows {
  const instances = numbers.map((row) => dataset.instance(split, row, { protocol }));
  const had = instances.map(({ history, candidates, target }) => {
    const seen = new Set(history);
    const removed = candidates.filter((item) => seen.has(item) && item !== target).length;
    return { removed, isRepeat: seen.has(target) };
  });
  return {
    ...{ protocol, split },
    row: [...numbers],
    user: instances.map(({ user }) => user),
    target: instances.map(({ target }) => target),
    pool: instances.map(({ pool = null }) => pool),
    ...(protocol === 'history' && {
      removed: had.map(({ removed }) => removed),
      repeats: numbers.filter((_, i) => had[i]!.isRepeat),
    }),
  };
}

/** A value in which absolute paths are names: where a file lay says nothing to others. */
function withoutPlaces(value: unknown): unknown {
  if (typeof value === 'string') return nameOf(value);
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutPlaces(inner)]),
  );
}

const nameOf = (path: string): string => (isAbsolute(path) ? basename(path) : path);

/** The file of a result: lists of numbers and names on one line each. */
export const resultsText = (results: Results): string => `${compactJson(results)}\n`;

function compactJson(value: unknown, indent = ''): string {
  const isPlain = (entry: unknown): boolean => typeof entry !== 'object' || entry === null;
  if (isPlain(value) || (Array.isArray(value) && value.every(isPlain)))
    return JSON.stringify(value);
  const inner = `${indent}  `;
  const list = (lines: readonly string[], [open, close]: readonly [string, string]): string =>
    lines.length === 0
      ? `${open}${close}`
      : `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}`;
  if (Array.isArray(value)) {
    const lines = value.map((entry) => compactJson(entry, inner));
    return list(lines, ['[', ']']);
  }
  const entries = Object.entries(value as object).filter(([, entry]) => entry !== undefined);
  return list(
    entries.map(([key, entry]) => `${JSON.stringify(key)}: ${compactJson(entry, inner)}`),
    ['{', '}'],
  );
}

/** @throws IloraError `file`, or `format` listing what is not as it should be */
export function readResults(path: string): Results {
  const parsed = resultsSchema.safeParse(parseStrictJson(readText(path), path));
  const lines = parsed.success
    ? faultsOf(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (lines.length > 0 || !parsed.success) throw faults('format', path, lines);
  return parsed.data;
}

/** Lists whose lengths disagree, and numbers that cannot be. */
function faultsOf({ rows, methods, candidates, main, pairs }: Results): string[] {
  const lines: string[] = [];
  const expect = (isRight: boolean, at: string, expected: string): void => {
    if (!isRight) lines.push(`${at}: expected ${expected}`);
  };
  for (const [i, { row, user, target, pool, removed = row }] of rows.entries())
    expect(
      [user, target, pool, removed].every(({ length }) => length === row.length),
      `rows.${i}`,
      `lists of ${row.length} rows`,
    );
  expect(
    methods.some(({ name }) => name === main),
    'main',
    'the name of a method',
  );
  for (const [i, pair] of pairs.entries())
    expect(
      pair.every((name) => methods.some((method) => method.name === name)),
      `pairs.${i}`,
      'names of methods',
    );
  for (const { name, runs } of methods)
    for (const { seed, evaluations } of runs)
      for (const { protocol, split, places, rivals } of evaluations) {
        const at = `${name}, seed ${seed}, ${protocol}, ${split}`;
        const own = rows.find((each) => each.protocol === protocol && each.split === split);
        const numRows = own?.row.length;
        expect(numRows === places.length, `${at}: places`, `${numRows} rows`);
        expect(rivals === null || numRows === rivals.length, `${at}: rivals`, `${numRows} rows`);
        expect(
          places.every((place) => place <= candidates),
          `${at}: places`,
          `numbers up to ${candidates}`,
        );
        expect(
          rivals === null || rivals.every((count, i) => count <= (own?.pool[i] ?? count)),
          `${at}: rivals`,
          "no more than the row's pool",
        );
      }
  return lines;
}
