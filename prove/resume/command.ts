/**
 * The real command line in processes of its own, stopped by SIGINT at random times and resumed.
 */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, ROOT, runNode } from '../../harness/index.js';
import type { Random } from '../../src/random/index.js';

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  /** Sent to the whole group, as a terminal does; none by default. */
  signal?: NodeJS.Signals;
  /** When to send it, counted from the start, or from the first output that holds `after`. */
  afterMs?: number;
  after?: string;
}

/** Runs `ilora ARGS` as a user does, in a process group of its own, to its end or to a signal. */
export function ilora(
  args: readonly string[],
  { env = {}, signal, afterMs = 0, after = '' }: CommandOptions = {},
): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined;
  const arm = ({ pid }: ChildProcess): void => {
    if (signal === undefined || timer !== undefined) return;
    timer = setTimeout(() => {
      try {
        process.kill(-(pid as number), signal);
      } catch {
        // It ended by itself in the meantime.
      }
    }, afterMs);
  };
  return runNode([join(ROOT, 'bin', 'ilora.js'), ...args], {
    cwd: ROOT,
    env: { OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'PASSIVE', ...env },
    isDetached: true,
    ...(after === '' && { onStart: arm }),
    onOutput: (child, { stdout, stderr }) => {
      if (stdout.includes(after) || stderr.includes(after)) arm(child);
    },
  }).finally(() => clearTimeout(timer));
}

/**
 * Trains through the command line with a SIGINT at a random time in each of the first processes.
 *
 * @param ofMs     signals fall evenly in this many milliseconds after training began
 * @returns exit codes of the processes that were stopped; the last one always runs to its end
 */
export async function trainWithSignals(
  input: Record<string, unknown>,
  config: string,
  { signals, ofMs, random }: { signals: number; ofMs: number; random: Random },
): Promise<{ stopped: number; early: number }> {
  writeFileSync(config, JSON.stringify(input));
  const args = ['train', '--config', config];
  let stopped = 0;
  let early = 0;
  for (let i = 0; i < signals; i++) {
    // Most fall into training, some into the start of the process before anything listens.
    const isEarly = random.uniform() < 0.15;
    const ended = await ilora(i === 0 ? args : [...args, '--resume'], {
      signal: 'SIGINT',
      afterMs: Math.floor(random.uniform() * ofMs),
      ...(!isEarly && { after: 'training windows, seed' }),
    });
    if (ended.code === 0) return { stopped, early };
    if (ended.code !== 130)
      throw new Error(`ilora train ended with ${ended.code}: ${ended.stderr}`);
    if (ended.stderr.includes('the state is saved')) stopped++;
    else early++;
  }
  const last = await ilora([...args, '--resume']);
  if (last.code !== 0)
    throw new Error(`ilora train --resume ended with ${last.code}: ${last.stderr}`);
  return { stopped, early };
}
