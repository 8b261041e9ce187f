/**
 * What the kernel says of a process, by /proc: Linux only. Imports nothing of ours: processes that measure their own
 * memory load it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100; // of /proc, on every Linux Node runs on

/** Resident memory in bytes; undefined where there is no such process. */
export const residentBytes = (pid: number | 'self' = 'self'): number | undefined =>
  statusBytes('VmRSS', pid);

/** The most resident memory since the start, or since `forgetPeak`, in bytes; undefined as above. */
export const peakBytes = (pid: number | 'self' = 'self'): number | undefined =>
  statusBytes('VmHWM', pid);

/** The peak of this process counts from what is resident now. @throws Error where that is not permitted */
export function forgetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}

/** Time a process has had on processors, user and system; undefined where there is no such process. */
export function processorSeconds(pid: number): number | undefined {
  // User and system time are the 14th and 15th field; the name is in brackets and may hold some.
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A process and all below it that run; children belong to the thread that started them. */
export function familyOf(root: number): number[] {
  const family = [root];
  for (const pid of family)
    for (const thread of threadsOf(pid))
      for (const child of readProc(pid, `task/${thread}/children`)?.split(' ') ?? [])
        if (child.trim() !== '') family.push(Number(child));
  return family;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it ended in between
  }
}

function statusBytes(key: 'VmRSS' | 'VmHWM', pid: number | 'self'): number | undefined {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readProc(pid, 'status') ?? '')?.[1];
  return found === undefined ? undefined : 1024 * Number(found);
}

function readProc(pid: number | 'self', file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it ended in between
  }
}
