/**
 * How long a base takes from the start of a process to its first token, by phase (target: 1.5 s).
 *
 *   npm run --silent bench:load [-- --quick] [--json] [--rounds N] [--result FILE]
 *
 * Each round starts processes in turn: without converted copies, with an empty folder for them (the first start
 * after a pull), and with the copy there (every later start); all of the package as it is built for npm. The last
 * kind runs the sources, as a checkout does. The disk cache is warm.
 * All must give the same first token and the same logits bit for bit.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { environment, program, ROOT, type Spread, spread } from '../harness/index.js';
import { type BenchOptions, command, type Findings } from './command.js';
import type { LoadReport } from './load/child.js';

const KINDS = ['unconverted', 'first', 'converted', 'sources'] as const;
type Kind = (typeof KINDS)[number];
const CHILD = join(ROOT, 'bench', 'load', 'child.ts');
const TARGET_SECONDS = 1.5;

await command(
  'load',
  { rounds: 11, quickRounds: 3, needs: ['base'] },
  async (options): Promise<Findings> => {
    const { base: path } = options;
    const folder = join(options.work, 'converted');
    const built = build(options.work);
    const sources = program(CHILD, join(ROOT, 'src'));
    const reports: Record<Kind, LoadReport[]> = {
      unconverted: [],
      first: [],
      converted: [],
      sources: [],
    };
    await start(sources, path, 'none'); // warms the disk cache
    for (let round = 0; round < options.rounds; round++)
      for (const kind of KINDS) {
        if (kind === 'first') rmSync(folder, { recursive: true, force: true });
        const copies = kind === 'unconverted' ? 'none' : folder;
        const report = await start(kind === 'sources' ? sources : built, path, copies);
        reports[kind].push(report);
        options.note(`round ${round + 1} ${kind}: ${report.total.toFixed(2)} s`);
      }
    const all = KINDS.flatMap((kind) => reports[kind]);
    const answers = new Set(all.map(({ logits, token }) => `${token} ${logits}`));
    const seconds = Object.fromEntries(KINDS.map((kind) => [kind, summary(reports[kind])]));
    return {
      promptTokens: all[0]?.promptTokens,
      target: TARGET_SECONDS,
      ready: spread(reports.converted.map(({ total }) => total)),
      isMet: spread(reports.converted.map(({ total }) => total)).median <= TARGET_SECONDS,
      seconds,
      launcher: await launcherSeconds(options),
      failures:
        answers.size === 1
          ? []
          : [`expected one first token and one set of logits, got ${[...answers].join(', ')}`],
    };
  },
);

function summary(reports: readonly LoadReport[]): Record<string, unknown> {
  const phases = Object.keys(reports[0]?.phases ?? {}) as (keyof LoadReport['phases'])[];
  return {
    total: spread(reports.map(({ total }) => total)),
    phases: Object.fromEntries(
      phases.map((phase) => [phase, spread(reports.map((report) => report.phases[phase]))]),
    ),
    secondForward: spread(reports.map(({ secondForward }) => secondForward)),
    /** Memory of its own, and pages of files, which processes share and the system may drop. */
    anonymousMB: spread(reports.map(({ anonymousMB }) => anonymousMB)),
    fileMB: spread(reports.map(({ fileMB }) => fileMB)),
  };
}

/** Builds the package in its usual place. @returns arguments of Node that run the child on it */
function build(work: string): string[] {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  });
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
  const child = join(work, 'child.mjs');
  const { outputText } = transpileModule(readFileSync(CHILD, 'utf8'), { compilerOptions });
  writeFileSync(child, outputText);
  return [child, join(ROOT, 'dist')];
}

/** One process; its seconds count from before it was started. */
async function start(
  command: readonly string[],
  path: string,
  folder: string,
): Promise<LoadReport> {
  const args = [...command, path, folder, String(Date.now())];
  const child = spawn(process.execPath, args, {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) last = line;
  if (last === '') throw new Error('bench/load/child.ts ended without a report');
  return JSON.parse(last) as LoadReport;
}

/** What the command line's own launcher adds before a program starts. */
async function launcherSeconds({ rounds }: BenchOptions): Promise<Spread> {
  const time = async (args: readonly string[]): Promise<number> => {
    const started = performance.now();
    const child = spawn(process.execPath, args, { env: environment(), stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    return (performance.now() - started) / 1000;
  };
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await time([join(ROOT, 'dist', 'cli', 'main.js'), '--version']);
    differences.push((await time([join(ROOT, 'bin', 'ilora.js'), '--version'])) - without);
  }
  return spread(differences);
}
