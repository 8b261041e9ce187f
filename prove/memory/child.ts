/** Runs a TypeScript file of this folder in a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The collector on call, and V8's young generation at one size: it would grow by tens of MB as it likes. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=2'];

/**
 * glibc's allocator gives blocks of over 64 KB back at once: by itself it keeps more and more of what was
 * freed (12 MB in a thousand steps, while what is in use stays the same), and that would pass for growth.
 */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** From the line `ready`, or from the start where there is none, to the end. */
  seconds: number;
}

export interface ChildOptions {
  /** Text for its stdin. */
  input?: string;
  args?: readonly string[];
  /** A signal to send when a line of its stdout begins with `ready`. */
  signal?: NodeJS.Signals;
  timeoutSeconds?: number;
}

/** Runs to the end, or to a kill after `timeoutSeconds`; seconds count from the line `ready` where there is one. */
export function runChild(
  file: string,
  { input = '', args = [], signal, timeoutSeconds = 3600 }: ChildOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...FLAGS, '--import', 'tsx', join(import.meta.dirname, file), ...args],
      { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...ALLOCATOR } },
    );
    let [stdout, stderr] = ['', ''];
    let started = performance.now();
    let isReady = false;
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
    child.stdout.on('data', (data) => {
      stdout += data;
      if (isReady || !/^ready .*$/m.test(stdout)) return;
      isReady = true;
      started = performance.now();
      if (signal !== undefined) child.kill(signal);
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code, endedBy) => {
      clearTimeout(timer);
      const seconds = (performance.now() - started) / 1000;
      resolve({ code, signal: endedBy, stdout, stderr, seconds });
    });
    child.stdin.on('error', () => undefined); // it may end before it has read
    child.stdin.end(input);
  });
}

/** The last line of its stdout as JSON. */
export function answerOf<T>(file: string, { code, signal, stdout, stderr }: Ended): T {
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? code}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T;
}
