/**
 * Who works in a folder: a file per process, and a rule for those whose process has gone.
 *
 * A process first writes its own file and then looks for others, so of two that start at once at least
 * one sees the other and withdraws. Files are never taken over, only removed when their owner is dead, so
 * nobody can remove a living owner's by mistake.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type ErrorCode, IloraError } from '../errors/index.js';
import { writeFileAtomic } from './atomic.js';
import { fileError } from './file-error.js';
import { isAlive, type ProcessIdentity, thisProcess } from './process.js';
import { readText } from './regular-file.js';

/** What a lock is for. */
export interface LockUse {
  /** What its owner does there, such as `training`. */
  doing: string;
  /** Of the error if another one does. */
  code: ErrorCode;
}

/** Two that start at once both withdraw; after random waits one of them is first. */
const TRIES = 6;
const WAIT_MS = 40;

/**
 * Takes the lock of a folder.
 *
 * @returns gives it back
 * @throws IloraError of the given code if another process or thread has it, `file` if the system refuses
 */
export async function takeLock(folder: string, use: LockUse): Promise<() => void> {
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
    if (tries === TRIES) throw refusal(folder, other, use);
    await setTimeout(WAIT_MS * Math.random());
  }
}

interface LockFile {
  owner: ProcessIdentity;
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
    throw fileError(folder, 'a folder that can be locked', error);
  }
}

function readOwner(path: string, name: string): ProcessIdentity | undefined {
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
    const owner = JSON.parse(text) as ProcessIdentity | null;
    return Number.isInteger(owner?.pid) && typeof owner?.host === 'string' ? owner : undefined;
  } catch {
    return undefined; // not by us, or torn when the power went
  }
}

function refusal(folder: string, { owner, path }: LockFile, { doing, code }: LockUse): IloraError {
  const { pid, host } = owner;
  const text = `${folder}: expected to be the only writer, but process ${pid}`;
  return new IloraError(
    code,
    host === hostname()
      ? `${text} is ${doing} there — wait for it or stop it`
      : `${text} of ${host} is ${doing} there — if it is not any more, remove ${path}`,
    { owner: pid, host },
  );
}
