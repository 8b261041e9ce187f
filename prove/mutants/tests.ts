/**
 * A small stand-in for `node:test`: files register their tests, and a run goes through them until one fails.
 *
 * It knows what the paired tests use, no more; anything else is an error, not a test that is passed over.
 */
import type { Exports } from './graph.js';

type Body = (context: { diagnostic: (text: string) => void }) => unknown;

/** Hooks of a `describe` or of a file, run once, before its first test. */
interface Suite {
  name: string;
  before: (() => unknown)[];
}

interface Registered {
  name: string;
  body: Body;
  suites: readonly Suite[];
}

let registered: Registered[] = [];
/** The suites that are being described, the file itself first. */
let open: readonly [Suite, ...Suite[]] = [{ name: '', before: [] }];

function test(name: string, given: Body | { skip?: boolean | string }, body?: Body): void {
  const isSkipped = typeof given === 'object' && given.skip !== undefined && given.skip !== false;
  const run = typeof given === 'object' ? body : given;
  if (typeof name !== 'string' || typeof run !== 'function')
    throw new Error('mutants: expected test(name, [options,] body), got other arguments');
  const path = [...open.slice(1).map((suite) => suite.name), name].join(': ');
  if (!isSkipped) registered.push({ name: path, body: run, suites: open });
}

function describe(name: string, body: () => void): void {
  const outer = open;
  open = [...outer, { name, before: [] }];
  try {
    body();
  } finally {
    open = outer;
  }
}

function before(hook: () => unknown): void {
  (open.at(-1) as Suite).before.push(hook);
}

export const NODE_TEST: Exports = { test, it: test, describe, before };

/** Most turns that loops of the mutated file take while one test file runs; unchanged ones take far fewer. */
const MAX_TURNS = 16_000_000;

let turns = 0;

/** The clock; a test may put another one in its place. */
const now = performance.now.bind(performance);

/** Stands for a test's name where the file itself fails. */
export const IMPORT = '(import)';

/** Called by the mutated file in every turn of a loop (graph.ts). */
Object.assign(globalThis, {
  mutantTick: (): void => {
    if (++turns > MAX_TURNS) throw new Error('a loop does not end');
  },
});

/**
 * Name of the first test of a file that fails, `IMPORT` where the file cannot be evaluated; undefined if all pass.
 * @param limitMs a test that is not done by then has failed
 */
export async function firstFailure(
  load: () => Promise<void>,
  limitMs: number,
): Promise<{ name: string; error: unknown } | undefined> {
  registered = [];
  open = [{ name: '', before: [] }];
  turns = 0;
  const until = now() + limitMs;
  try {
    await load();
  } catch (error) {
    return { name: IMPORT, error };
  }
  for (const { name, body, suites } of registered) {
    try {
      for (const suite of suites)
        for (const hook of suite.before.splice(0)) await ending(until, hook());
      await ending(until, body({ diagnostic: () => undefined }));
    } catch (error) {
      return { name, error };
    }
  }
  return undefined;
}

/** Waits for a test, but not for ever: what it waits for may never come. */
async function ending(until: number, ended: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('the test does not end')),
      Math.max(0, until - now()),
    );
  });
  try {
    await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
