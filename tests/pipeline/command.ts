/**
 * Runs the command line as a user does: through the launcher, in a process of its own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCHER = join(ROOT, 'bin', 'ilora.js');

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs to the end. */
export function ilora(
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

/** Starts it and sends SIGINT as soon as `isDue(stderr so far)`, asked all the time; gives the seconds from signal to exit. */
export function interrupted(
  args: readonly string[],
  isDue: (stderr: string) => boolean,
): Promise<Finished & { seconds: number }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    let sent = 0;
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const asking = setInterval(() => {
      if (!isDue(stderr)) return;
      clearInterval(asking);
      sent = performance.now();
      process.kill(-(child.pid as number), 'SIGINT'); // the whole group, as a terminal does
    }, 10);
    child.on('close', (status) => {
      clearInterval(asking);
      resolve({ status, stdout, stderr, seconds: (performance.now() - sent) / 1000 });
    });
  });
}
