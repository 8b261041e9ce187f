/**
 * Runs a program and takes its time, processor time and largest resident memory, children included.
 */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { runNode } from '../../harness/index.js';

export interface Measured {
  /** Wall clock, start of the process to its end. */
  seconds: number;
  /** Time on processors, user and system. */
  cpuSeconds: number;
  /** Largest resident memory: that of each process, added up. At least what they ever held together. */
  peakMb: number;
  stdout: string;
}

const SAMPLE_MS = 20;
const TICKS_PER_SECOND = 100; // of /proc, on every Linux Node runs on

/** Runs Node with arguments; an exit code other than 0 is an error with the program's words. */
export async function measure(args: readonly string[], cwd: string): Promise<Measured> {
  // The kernel keeps each process's peak, so that only the last moments of one can be missed.
  const peaks = new Map<number, number>();
  const ticks = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  const onStart = ({ pid: root }: ChildProcess): void => {
    const sample = (): void => {
      for (const pid of familyOf(root!)) {
        const found = read(`/proc/${pid}/status`)?.match(/^VmHWM:\s+(\d+) kB$/m)?.[1];
        if (found !== undefined) peaks.set(pid, Number(found) * 1024);
        const fields = read(`/proc/${pid}/stat`)
          ?.replace(/^.*\) /s, '')
          .split(' ');
        if (fields !== undefined) ticks.set(pid, Number(fields[11]) + Number(fields[12]));
      }
    };
    timer = setInterval(sample, SAMPLE_MS);
    sample();
  };
  const { code, seconds, stdout, stderr } = await runNode(args, { cwd, onStart }).finally(() =>
    clearInterval(timer),
  );
  if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}\n${stderr}`);
  const sum = (values: Map<number, number>): number =>
    [...values.values()].reduce((all, one) => all + one, 0);
  return { seconds, cpuSeconds: sum(ticks) / TICKS_PER_SECOND, peakMb: sum(peaks) / 1e6, stdout };
}

/** A process and all below it. */
function familyOf(root: number): number[] {
  const family = [root];
  for (const pid of family)
    for (const thread of list(`/proc/${pid}/task`))
      for (const child of read(`/proc/${pid}/task/${thread}/children`)?.split(' ') ?? [])
        if (child.trim() !== '') family.push(Number(child));
  return family;
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // it ended in between
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
