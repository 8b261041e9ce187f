/**
 * Tries the mutants of one target, in a process that has everything loaded.
 *
 * A mutant is tried on the test files that import it, those first that have killed most per second; the first failing
 * test ends it. Before the first and after the last one all tests must pass without any change, so that no verdict rests on
 * what an earlier mutant left behind in the process.
 */
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { ModuleGraph } from './graph.js';
import { firstFailure, IMPORT, NODE_TEST } from './tests.js';

/** What the parent sends, once. */
export interface Work {
  root: string;
  tests: string[];
  mutants: { file: string; code: string }[];
  /** The file's own text, by file. */
  sources: Record<string, string>;
}

/** What the child sends, after each step. */
export type Report =
  | { kind: 'ready'; failure?: string }
  | { kind: 'start'; mutant: number; limitMs: number }
  | { kind: 'end'; mutant: number; killedBy: string | undefined; isInvalid: boolean }
  | { kind: 'done'; failure?: string };

/** Properties end at their first failure and draw the same cases for every mutant. */
fc.configureGlobal({ seed: 20_240_810, endOnFailure: true });

/** A mutant has this much time, and three times what all tests take. */
const LEAST_LIMIT_MS = 10_000;
/** Tests without any change only have to end. */
const UNCHANGED_LIMIT_MS = 120_000;

/** A mutant that is no program is no mutant. */
const NOT_PARSED = '(not parsed)';

const send = (report: Report): void => {
  process.send?.(report);
};
process.on('disconnect', () => process.exit());
let stray: unknown;
process.on('unhandledRejection', (error) => {
  stray = error;
});
process.once('message', (work: Work) => void run(work));

async function run({ root, tests, mutants, sources }: Work): Promise<void> {
  const targets = new Set(Object.keys(sources).map((file) => join(root, file)));
  const graph = new ModuleGraph(targets, { 'node:test': NODE_TEST });
  const files = tests.map((test) => ({ path: join(root, test), kills: 0, ms: 1 }));
  /** What failed in a test file, or undefined. */
  const attempt = async (file: { path: string }, limitMs: number): Promise<string | undefined> => {
    stray = undefined;
    const failure = await firstFailure(() => graph.load(file.path), limitMs);
    await setImmediate(); // the end of the parent and rejections that nobody handles are heard here
    if (failure === undefined && stray === undefined) return undefined;
    const { name, error } = failure ?? { name: 'a rejection that nobody handles', error: stray };
    const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
    const isParsed = !(name === IMPORT && error instanceof SyntaxError);
    return `${basename(file.path)}: ${isParsed ? name : NOT_PARSED}: ${message}`;
  };

  const started = performance.now();
  for (const file of files) {
    const start = performance.now();
    const failure = await attempt(file, UNCHANGED_LIMIT_MS);
    if (failure !== undefined) return send({ kind: 'ready', failure });
    file.ms = performance.now() - start;
  }
  const limitMs = LEAST_LIMIT_MS + 3 * (performance.now() - started);
  send({ kind: 'ready' });

  for (const [mutant, { file, code }] of mutants.entries()) {
    send({ kind: 'start', mutant, limitMs });
    const name = `${basename(file, '.ts')}.test.ts`;
    const promise = (test: (typeof files)[number]): number =>
      (test.kills + (basename(test.path) === name ? 20 : 1)) / test.ms;
    let killer: string | undefined;
    graph.mutate(join(root, file), code);
    for (const test of files.toSorted((a, b) => promise(b) - promise(a))) {
      if (!graph.isAffected(test.path)) continue;
      killer = await attempt(test, limitMs);
      if (killer === undefined) continue;
      test.kills++;
      break;
    }
    send({
      kind: 'end',
      mutant,
      killedBy: killer,
      isInvalid: killer?.includes(NOT_PARSED) ?? false,
    });
  }

  // The last mutant's file as it is: it and all that imports it are made anew once more.
  const last = mutants.at(-1)?.file;
  if (last !== undefined) graph.mutate(join(root, last), sources[last] as string);
  for (const file of files) {
    const failure = await attempt(file, UNCHANGED_LIMIT_MS);
    if (failure !== undefined) return send({ kind: 'done', failure });
  }
  send({ kind: 'done' });
}
