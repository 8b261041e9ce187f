/**
 * Who takes part, and how: makes the work, starts the contestants in one environment, and checks that they do the
 * same before anything is timed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Contestant,
  environment,
  type Launch,
  program,
  ROOT,
  relativeDifference,
  startAll,
  stopAll,
} from '../../harness/index.js';
import type { BenchDtype, BenchOptions } from '../command.js';
import type { ExportOptions } from '../ours/export.js';
import { WORK_FILE, type Work } from '../ours/work.js';
import type { Kind } from '../ours/world.js';

/** Ours and those they are compared with; each pair has the same adapter. */
export const PEER_OF = { ilora: 'authors_style', lora: 'peft_lora' } as const;

/** Agreement of losses and gradient norms that is asked for, relative. */
export const TOLERANCE: Record<BenchDtype, { loss: number; gradientNorm: number }> = {
  float32: { loss: 1e-5, gradientNorm: 1e-4 },
  // Eight bits of mantissa, rounded in other places by each program.
  bfloat16: { loss: 2e-2, gradientNorm: 0.1 },
};

export const node = (path: string, ...args: string[]): Pick<Launch, 'command' | 'args'> => ({
  command: process.execPath,
  args: program(path, ...args),
});

/** Writes the work into the benchmark's folder. */
export function exportWork(
  options: BenchOptions,
  { batchSize, batches, ranked }: { batchSize: number; batches: number; ranked: number },
): Work {
  const { data, base, work } = options;
  const world = { data, base, batchSize, seed: 1 };
  return writeWork(work, { world, batches, ranked }, environment(options));
}

/** Writes work into a folder, in a process of its own. */
export function writeWork(folder: string, input: ExportOptions, env: NodeJS.ProcessEnv): Work {
  const { command, args } = node(join(ROOT, 'bench', 'ours', 'export.ts'), folder);
  const { status, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    input: JSON.stringify(input),
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`the work could not be written:\n${stderr}`);
  return JSON.parse(readFileSync(join(folder, WORK_FILE), 'utf8')) as Work;
}

/** Peak memory of one long training instance in a process of its own, without and with recomputed activations. */
export function longInstance(options: BenchOptions, dtype: BenchDtype): Record<string, unknown> {
  const measure = (recomputes: 'on' | 'off'): unknown => {
    const program = join(ROOT, 'bench', 'ours', 'long-instance.ts');
    const { command, args } = node(program, options.work, dtype, recomputes);
    const how = { cwd: ROOT, encoding: 'utf8', env: environment(options) } as const;
    const { status, stdout, stderr } = spawnSync(command, args, how);
    if (status === 0) return JSON.parse(stdout);
    throw new Error(`the long instance ended with ${status}:\n${stderr}`);
  };
  return { plain: measure('off'), recomputed: measure('on') };
}

/** How `ilora`, `lora` and, with a Python, their peers are started. */
export function launches(
  options: BenchOptions,
  dtype: BenchDtype,
  {
    kinds = ['ilora', 'lora'],
    peftSettings = {},
  }: {
    kinds?: readonly Kind[];
    /** What the task `configure` of P2 takes. */
    peftSettings?: Record<string, unknown>;
  } = {},
): Launch[] {
  const env = environment(options);
  const { work, python } = options;
  const ours = kinds.map((kind) => ourLaunch(kind, { work, dtype, env }));
  if (python === undefined) return ours;
  const place = { work, dtype, env, python };
  return [...ours, ...kinds.map((kind) => peerLaunch(kind, { ...place, peftSettings }))];
}

interface Place {
  work: string;
  dtype: BenchDtype;
  env: NodeJS.ProcessEnv;
}

/**
 * One of ours; the device is in the work.
 * @param workers that share a step; what the product takes by default
 */
export function ourLaunch(kind: Kind, { work, dtype, env }: Place, workers?: number): Launch {
  const program = join(ROOT, 'bench', 'ours', 'contestant.ts');
  const words = [work, kind, dtype];
  if (workers === undefined) return { name: kind, ...node(program, ...words), env };
  return { name: `${kind}_${workers}_worker`, ...node(program, ...words, String(workers)), env };
}

/** The peer with the adapter of one of ours. */
export function peerLaunch(
  kind: Kind,
  {
    python,
    device = 'cpu',
    peftSettings = {},
    ...place
  }: Place & { python: string; device?: string; peftSettings?: Record<string, unknown> },
): Launch {
  const program = join(ROOT, 'bench', 'peers', `${PEER_OF[kind]}.py`);
  const settings = kind === 'lora' ? [JSON.stringify(peftSettings)] : [];
  const args = [program, place.work, place.dtype, device, ...settings];
  return { name: PEER_OF[kind], command: python, args, env: place.env };
}

/** Loss and gradient norm of one batch, by contestant. */
export type Losses = Record<string, { loss: number; gradientNorm: number }>;

export async function losses(contestants: readonly Contestant[], batch: number): Promise<Losses> {
  const found: Losses = {};
  for (const contestant of contestants)
    found[contestant.name] = (await contestant.ask('loss', { batch })) as Losses[string];
  return found;
}

/** Relative differences of each pair, ours against the peer. */
export function differences(found: Losses): Losses {
  const pairs = Object.entries(PEER_OF).flatMap(([own, peer]) => {
    const [value, reference] = [found[own], found[peer]];
    if (value === undefined || reference === undefined) return [];
    const loss = relativeDifference(value.loss, reference.loss);
    const gradientNorm = relativeDifference(value.gradientNorm, reference.gradientNorm);
    return [[own, { loss, gradientNorm }]];
  });
  return Object.fromEntries(pairs);
}

/** Lines for each pair that disagrees. */
export function disagreements(found: Losses, dtype: BenchDtype): string[] {
  return Object.entries(differences(found)).flatMap(([own, difference]) =>
    (['loss', 'gradientNorm'] as const)
      .filter((figure) => !(difference[figure] <= TOLERANCE[dtype][figure]))
      .map((figure) => {
        const peer = PEER_OF[own as Kind];
        return `${figure} in ${dtype}: expected ${own} within ${TOLERANCE[dtype][figure]} of ${peer} (${found[peer]?.[figure]}), got ${found[own]?.[figure]}`;
      }),
  );
}

/** Losses in float32, where agreement is tight; the processes end with it. */
export async function lossesInFloat32(options: BenchOptions): Promise<Losses> {
  const found: Losses = {};
  for (const launch of launches(options, 'float32')) {
    const started = await startAll([launch]);
    try {
      Object.assign(found, await losses(started, 0));
    } finally {
      await stopAll(started);
    }
  }
  return found;
}
