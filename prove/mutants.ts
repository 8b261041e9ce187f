/**
 * Shows that the tests can fail: small faults are put into the code, one at a time, and the tests of the same
 * part have to notice.
 *
 *   npm run --silent prove:mutants [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * All mutants of the files in mutants/targets.ts; `--quick` takes a seeded sample of each target. Those that live must stand in
 * mutants/explained.ts with a reason; equivalent ones do not count. No file is changed: mutants live in memory.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Random } from '../src/random/index.js';
import { EXPLAINED, type Explained } from './mutants/explained.js';
import { type Mutant, mutantsOf } from './mutants/mutate.js';
import { filesOf, TARGETS, type Target } from './mutants/targets.js';
import { tryMutants } from './mutants/try.js';
import { type Findings, type ProofOptions, prove } from './proof.js';

/** Share of a target's mutants that must be killed. */
const LEAST_SHARE = 0.95;
/** Mutants of each target that the quick form tries. */
const QUICK_SAMPLE = 24;

const ROOT = resolve(import.meta.dirname, '..');

/** What became of a target's mutants. */
export interface TargetReport {
  mutants: number;
  tried: number;
  killed: number;
  survived: number;
  /** Killed of those tried that are not equivalent. */
  share: number;
  equivalent: number;
  seconds: number;
}

/** A mutant that lived. */
export interface Survivor {
  file: string;
  line: number;
  text: string;
  mutation: string;
  /** Why it may; absent where nobody has said. */
  why?: string;
}

await prove('mutants', async (options: ProofOptions): Promise<Findings> => {
  const failures: string[] = [];
  const byTarget: Record<string, TargetReport> = {};
  const survivors: Survivor[] = [];
  const equivalent: Survivor[] = [];
  const named = new Set<string>();
  for (const target of TARGETS) {
    const report = await runTarget(target);
    byTarget[target.name] = report;
    const share = `${target.name}: ${percent(report.share)} of ${report.tried - report.equivalent} killed`;
    options.note(`${share} in ${report.seconds} s`);
    // A share of a sample says little; there, every survivor has to be explained.
    if (!options.isQuick && report.share < LEAST_SHARE)
      failures.push(`${share}, expected ${percent(LEAST_SHARE)}`);
  }
  for (const { file, text, mutations } of EXPLAINED)
    for (const mutation of mutations)
      if (!named.has(keyOf({ file, text, mutation })))
        failures.push(`explained.ts: ${file} has no mutant "${mutation}" in "${text}"`);
  const sum = (of: (report: TargetReport) => number): number =>
    Object.values(byTarget).reduce((total, report) => total + of(report), 0);
  const [killed, survived] = [sum((report) => report.killed), sum((report) => report.survived)];
  return {
    ok: failures.length === 0,
    failures,
    killed,
    survived,
    share: round(killed / Math.max(1, killed + survived)),
    by_target: byTarget,
    survivors,
    equivalent,
  };

  async function runTarget({ name, sources, tests }: Target): Promise<TargetReport> {
    const started = performance.now();
    const texts = Object.fromEntries(
      filesOf(ROOT, sources, '.ts').map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
    );
    const mutants = Object.entries(texts).flatMap(([file, text]) => mutantsOf(file, text));
    for (const mutant of mutants) named.add(keyOf(mutant));
    const tried = options.isQuick ? sample(mutants, options.seed, name) : mutants;
    const counts = { killed: 0, survived: 0, equivalent: 0 };
    let done = 0;
    const work = { root: ROOT, tests: filesOf(ROOT, tests, '.test.ts'), sources: texts };
    const trial = await tryMutants(work, tried, ({ mutant, killedBy }) => {
      const explained = explanationOf(mutant);
      const { file, line, text, mutation } = mutant;
      const where = `${file}:${line}: ${mutation}`;
      if (killedBy !== undefined) {
        counts.killed++;
        if (explained !== undefined) failures.push(`explained.ts: killed: ${where} by ${killedBy}`);
      } else {
        const isEquivalent = explained?.kind === 'equivalent';
        counts[isEquivalent ? 'equivalent' : 'survived']++;
        const survivor = { file, line, text, mutation, why: explained?.why };
        (isEquivalent ? equivalent : survivors).push(survivor);
        if (explained === undefined) failures.push(`not killed: ${where}`);
      }
      const sign = killedBy !== undefined ? 'killed' : (explained?.kind ?? 'LIVES');
      const by = killedBy === undefined ? '' : ` by ${killedBy}`;
      options.note(`${name} ${++done}/${tried.length} ${sign} ${where}${by}`);
    });
    failures.push(...trial.failures.map((failure) => `${name}: ${failure}`));
    return {
      mutants: mutants.length,
      tried: trial.verdicts.length,
      ...counts,
      share: round(counts.killed / Math.max(1, counts.killed + counts.survived)),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
  }
});

/** Some mutants, in the order of their places. */
function sample(mutants: readonly Mutant[], seed: number, target: string): Mutant[] {
  const order = new Random(seed, `mutants/${target}`).permutation(mutants.length);
  const taken = new Set([...order].slice(0, QUICK_SAMPLE));
  return mutants.filter((_, index) => taken.has(index));
}

type Key = Pick<Mutant, 'file' | 'text' | 'mutation'>;

function keyOf({ file, text, mutation }: Key): string {
  return JSON.stringify([file, text, mutation]);
}

function explanationOf({ file, text, mutation }: Mutant): Explained | undefined {
  return EXPLAINED.find(
    (row) => row.file === file && row.text === text && row.mutations.includes(mutation),
  );
}

function round(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
