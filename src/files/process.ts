/**
 * Whether another process still runs. Its number alone does not say: numbers are given again, after a
 * reboot at the latest. Where the system says when a process and the system started, that is compared too.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from all others that have or had its number. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Of the system, and of the process in its ticks; absent where the system does not say. */
  boot?: string;
  started?: string;
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    boot: readLine('/proc/sys/kernel/random/boot_id'),
    started: statOf(process.pid)?.started,
  };
}

/** Whether that very process runs; one of another machine cannot be asked and counts as running. */
export function isAlive({ pid, host, boot, started }: ProcessIdentity): boolean {
  if (host !== hostname()) return true;
  if (boot !== undefined && boot !== thisProcess().boot) return false;
  if (!isRunning(pid)) return false;
  const now = statOf(pid)?.started;
  return now === undefined || started === undefined || now === started;
}

/** Whether a process of this number runs, as whichever user. */
export function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false; // those mean groups of processes
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: another user's
  }
  // One that has ended stays listed until its parent asks for its end.
  return !'ZX'.includes(statOf(pid)?.state ?? 'R');
}

/** What /proc says of a process; undefined where there is none. */
function statOf(pid: number): { state: string; started: string | undefined } | undefined {
  // The name, in brackets, may hold spaces and brackets; state is the first field after it, start the 20th.
  const fields = readLine(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  return fields && { state: fields[0] as string, started: fields[19] };
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // the process has gone, or the system has no such file
  }
}
