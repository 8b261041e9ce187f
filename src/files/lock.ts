/**
 * Who trains in a run folder: a file per process, and a rule for those whose process has gone.
 *
 * A process first writes its own file and then looks for others, so of two that start at once at least
 * one sees the other and withdraws. Files are never taken over, only removed when their owner is dead, so
 * nobody can remove a living owner's by mistake. A process number alone does not say who lives: numbers
 * are given again, after a reboot at the latest. The start time and the boot stand beside it.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { IloraError } from '../errors/index.js';
import { writeFileAtomic } from './atomic.js';
import { fileError } from './file-error.js';
import { readText } from './regular-file.js';

/** A process, told apart from all others that have or had its number. */
export interface LockOwner {
  pid: number;
  host: string;
  /** Of the system, and of the process in its ticks; absent where the system does not say. */
  boot?: string;
  started?: string;
}

/** Two that start at once both withdraw; after random waits one of them is first. */
const TRIES = 6;
const WAIT_MS = 40;

/**
 * Takes the lock of a folder.
 *
 * @returns gives it back
 * @throws IloraError `training` if another process or thread trains there, `file` if the system refuses
 */
export async function takeLock(folder: string): Promise<() => void> {
  for (let tries = 1; ; tries++) {
    const name = `lock.${process.pid}.${randomBytes(4).toString('hex')}`;
    const own = join(folder, name);
    writeFileAtomic(own, `${JSON.stringify(thisProcess())}\n`);
    const release = (): void => rmSync(own, { force: true });
    let other: LockFile | undefined;
    try {
      other = otherOwner(folder, name);
    } catch (error) {
      release();
      throw error;
    }
    if (other === undefined) return release;
    release();
    if (tries === TRIES) throw refusal(folder, other);
    await setTimeout(WAIT_MS * Math.random());
  }
}

interface LockFile {
  owner: LockOwner;
  path: string;
}

/** The living owner of another lock file; those of dead ones are removed. */
function otherOwner(folder: string, own: string): LockFile | undefined {
  try {
    for (const name of readdirSync(folder)) {
      if (!/^\.?lock(\.|$)/.test(name) || name === own) continue;
      const path = join(folder, name);
      const owner = readOwner(path, name);
      if (owner !== undefined && isAlive(owner)) {
        // A file that is still being written is no lock yet: its writer will look for ours.
        if (!name.startsWith('.')) return { owner, path };
      } else rmSync(path, { force: true });
    }
    return undefined;
  } catch (error) {
    throw fileError(folder, 'a run folder that can be locked', error);
  }
}

function readOwner(path: string, name: string): LockOwner | undefined {
  const half = /^\.lock\.(\d+)\./.exec(name);
  if (half !== null) return { pid: Number(half[1]), host: hostname() };
  let text: string;
  try {
    text = readText(path, { maxBytes: 1 << 16 });
  } catch (error) {
    const { code, details } = error as IloraError;
    if (details.got === 'ENOENT') return undefined; // given back just now
    if (code === 'format') return undefined; // not by us
    throw error;
  }
  try {
    const owner = JSON.parse(text) as LockOwner | null;
    return Number.isInteger(owner?.pid) && typeof owner?.host === 'string' ? owner : undefined;
  } catch {
    return undefined; // not by us, or torn when the power went
  }
}

function refusal(folder: string, { owner, path }: LockFile): IloraError {
  const { pid, host } = owner;
  const text = `${folder}: expected to be the only writer, but process ${pid}`;
  return new IloraError(
    'training',
    host === hostname()
      ? `${text} is training there — wait for it or stop it`
      : `${text} of ${host} is training there — if it is not any more, remove ${path}`,
    { owner: pid, host },
  );
}

function thisProcess(): LockOwner {
  return {
    pid: process.pid,
    host: hostname(),
    boot: readLine('/proc/sys/kernel/random/boot_id'),
    started: startOf(process.pid),
  };
}

/** Whether a process still runs; one of another machine cannot be asked and counts as running. */
export function isAlive(owner: LockOwner): boolean {
  if (owner.host !== hostname()) return true;
  const now = thisProcess();
  if (owner.boot !== undefined && owner.boot !== now.boot) return false;
  if (owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (now.started === undefined) return true; // no /proc: the number has to do
  const started = startOf(owner.pid);
  return started !== undefined && (owner.started === undefined || started === owner.started);
}

/**
 * Start of a running process in ticks since the boot; undefined for one that has ended, also where its
 * parent has not asked for its end yet, and where there is no /proc.
 */
function startOf(pid: number): string | undefined {
  // The name, in brackets, may hold spaces and brackets; state is the first field after it, start the 20th.
  const fields = readLine(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  return fields === undefined || 'ZX'.includes(fields[0] as string) ? undefined : fields[19];
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // the process has gone, or the system has no such file
  }
}
