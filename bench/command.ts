/**
 * What the benchmarks share: their flags, what they need, and the figures they all end with.
 *
 *   npm run --silent bench:NAME [-- --quick] [--json] [--result FILE]
 *
 * `--quick` does the same with less. The document also says machine, commit and versions. `ok` is whether all
 * checks held: figures mean nothing otherwise.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import {
  checkNeeds,
  inFolder,
  noteOnStderr,
  place,
  rounded,
  runCommand,
  table,
  UsageError,
  wholeNumber,
} from '../harness/index.js';
import { resolveModel } from '../src/cli/model.js';
import { preferredDtype } from '../src/tensor/index.js';
import {
  baseNeed,
  DEFAULT_PLACES,
  dataNeed,
  type Peers,
  PYTORCH,
  peersNeed,
  peersPython,
  remedy,
} from './needs.js';

/** Type the base computes in. */
export type BenchDtype = 'float32' | 'bfloat16';

/** What a benchmark is asked for. */
export interface BenchOptions {
  isQuick: boolean;
  rounds: number;
  threads: number;
  /** Windows per training step, or rows to be ranked, where the benchmark's own number is not wanted. */
  windows?: number;
  dtype: BenchDtype;
  /** Dataset folder. */
  data: string;
  /** Path of the base's files; its name where the benchmark needs none. */
  base: string;
  /** Longest history, where a SASRec is trained. */
  length: number;
  /** Folder for figures, where they are wanted. */
  figures?: string;
  /** Python that has the peers' packages; absent with `--no-peers` and where there are no peers. */
  python?: string;
  /** A folder that is removed at the end. */
  work: string;
  /** One line of progress on stderr. */
  note: (text: string) => void;
}

/** What a benchmark found. */
export interface Findings {
  /** Checks that did not hold, one line each; figures mean nothing then. */
  failures: string[];
  [figure: string]: unknown;
}

/** What a benchmark is beside its work. */
export interface BenchPlan {
  /** Rounds where `--rounds` says nothing, and with `--quick`. */
  rounds?: number;
  quickRounds?: number;
  needs: readonly ('data' | 'base')[];
  /** Those it is compared with, or none. */
  peers?: Peers;
}

type Run = (options: BenchOptions) => Promise<Findings>;

/** Runs a benchmark beside P1 and P2 as a command: reads the flags, prints the findings, sets the exit code. */
export const bench = (name: string, run: Run): Promise<void> =>
  command(name, { needs: ['data', 'base'], peers: PYTORCH }, run);

const FLAGS = {
  rounds: { type: 'string' },
  threads: { type: 'string', default: String(availableParallelism()) },
  windows: { type: 'string' },
  dtype: { type: 'string', default: 'auto' },
  length: { type: 'string', default: '50' },
  figures: { type: 'string' },
  data: { type: 'string', default: DEFAULT_PLACES.data },
  base: { type: 'string', default: DEFAULT_PLACES.base },
  peers: { type: 'string' },
  'no-peers': { type: 'boolean', default: false },
} as const;

interface Flags {
  quick: boolean;
  rounds?: string;
  threads: string;
  windows?: string;
  dtype: string;
  length: string;
  figures?: string;
  data: string;
  base: string;
  peers?: string;
  'no-peers': boolean;
}

/** `bench` with other needs or peers, or other numbers of rounds. */
export function command(name: string, plan: BenchPlan, run: Run): Promise<void> {
  const usage = (flags: readonly string[]): string => `flags: --${flags.join(' --')}`;
  return runCommand({ name: `bench:${name}`, flags: FLAGS, usage }, (flags) =>
    inFolder('bench', async (work) => {
      const started = performance.now();
      const options = resolveFlags(flags, plan, work);
      const { failures, ...figures } = await run(options);
      const { dtype, threads, rounds, isQuick } = options;
      const document = {
        bench: name,
        ok: failures.length === 0,
        quick: isQuick,
        ...(rounded(figures) as Record<string, unknown>),
        failures,
        base: flags.base,
        dtype,
        threads,
        rounds,
        seconds: Math.round((performance.now() - started) / 1000),
        ...place(),
      };
      return { document, text: table };
    }),
  );
}

function resolveFlags(flags: Flags, plan: BenchPlan, work: string): BenchOptions {
  const { rounds = 5, quickRounds = rounds } = plan;
  const { dtype, data, windows, figures } = flags;
  if (dtype !== 'auto' && dtype !== 'float32' && dtype !== 'bfloat16')
    throw new UsageError(`--dtype: expected auto, float32 or bfloat16, got ${dtype}`);
  const usual = String(flags.quick ? quickRounds : rounds);
  const options = {
    isQuick: flags.quick,
    rounds: wholeNumber('rounds', flags.rounds ?? usual, 1),
    threads: wholeNumber('threads', flags.threads, 1),
    ...(windows !== undefined && { windows: wholeNumber('windows', windows, 1) }),
    length: wholeNumber('length', flags.length, 1),
  };
  const peers = flags['no-peers'] ? undefined : plan.peers;
  const places = {
    data,
    base: flags.base,
    python: flags.peers ?? (process.env.ILORA_BENCH_PYTHON || undefined),
  };
  checkNeeds(
    [
      ...(plan.needs.includes('data') ? [dataNeed(places)] : []),
      ...(plan.needs.includes('base') ? [baseNeed(places)] : []),
      ...(peers === undefined ? [] : [peersNeed(places, peers)]),
    ],
    {
      remedy: remedy(places, peers),
      ...(peers !== undefined && {
        others:
          'or name another Python with --peers PATH or ILORA_BENCH_PYTHON, or time ilora alone with --no-peers',
      }),
    },
  );
  return {
    ...options,
    dtype: dtype === 'auto' ? preferredDtype('cpu') : dtype,
    data: resolve(data),
    base: plan.needs.includes('base') ? resolve(resolveModel(flags.base)) : flags.base,
    ...(figures !== undefined && { figures: resolve(figures) }),
    ...(peers !== undefined && { python: peersPython(places, peers) }),
    work,
    note: noteOnStderr,
  };
}
