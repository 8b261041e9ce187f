/** Runs a TypeScript file of this folder in a process of its own. */
import { join } from 'node:path';
import { type Ended, runNode } from '../../harness/index.js';

/** The collector on call, and V8's young generation at one size: it would grow by tens of MB as it likes. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=2'];

/**
 * glibc's allocator gives blocks of over 64 KB back at once: by itself it keeps more and more of what was
 * freed (12 MB in a thousand steps, while what is in use stays the same), and that would pass for growth.
 */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };

export interface ChildOptions {
  /** Text for its stdin. */
  input?: string;
  args?: readonly string[];
  /** A signal to send when a line of its stdout begins with `ready`. */
  signal?: NodeJS.Signals;
  timeoutSeconds?: number;
}

/** Runs to the end, or to a kill after `timeoutSeconds`; seconds count from the line `ready` where there is one. */
export async function runChild(
  file: string,
  { input, args = [], signal, timeoutSeconds = 3600 }: ChildOptions = {},
): Promise<Ended> {
  const started = performance.now();
  let ready: number | undefined;
  const ended = await runNode(
    [...FLAGS, '--import', 'tsx', join(import.meta.dirname, file), ...args],
    {
      input,
      env: ALLOCATOR,
      timeoutSeconds,
      onOutput: (child, { stdout }) => {
        if (ready !== undefined || !/^ready .*$/m.test(stdout)) return;
        ready = performance.now();
        if (signal !== undefined) child.kill(signal);
      },
    },
  );
  const seconds = ended.seconds - ((ready ?? started) - started) / 1000;
  return { ...ended, seconds };
}
