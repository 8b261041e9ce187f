/** Node programs that run once to their end, in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';

/** How a process ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** From its start to its end. */
  seconds: number;
}

export interface ChildOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Text for its stdin. */
  input?: string;
  /** In a process group of its own. */
  isDetached?: boolean;
  /** It is killed after this time. */
  timeoutSeconds?: number;
  onStart?: (child: ChildProcess) => void;
  /** Sees each piece of output as it comes, with all that the stream said before. */
  onOutput?: (child: ChildProcess, said: { stdout: string; stderr: string }) => void;
}

/** Runs Node with arguments, to its end however that comes about. */
export function runNode(
  args: readonly string[],
  { cwd, env, input = '', isDetached, timeoutSeconds, onStart, onOutput }: ChildOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: isDetached,
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
        onOutput?.(child, said);
      });
    const limit =
      timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ code, signal, ...said, seconds: (performance.now() - started) / 1000 });
    });
    child.stdin.on('error', () => undefined); // it may end before it has read
    child.stdin.end(input);
    onStart?.(child);
  });
}

/** The last line of its stdout as JSON. @throws Error with the end of its stderr unless it ended with 0 */
export function lastLine<T>(what: string, { code, signal, stdout, stderr }: Ended): T {
  if (code !== 0) throw new Error(`${what} ended with ${signal ?? code}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T;
}
