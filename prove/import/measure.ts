/**
 * Runs a program and takes its time, processor time and largest resident memory, children included.
 */
import type { ChildProcess } from 'node:child_process';
import { familyOf, peakBytes, processorSeconds, runNode } from '../../harness/index.js';

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

/** Runs Node with arguments; an exit code other than 0 is an error with the program's words. */
export async function measure(args: readonly string[], cwd: string): Promise<Measured> {
  // The kernel keeps each process's peak, so that only the last moments of one can be missed.
  const peaks = new Map<number, number>();
  const times = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  const onStart = ({ pid: root }: ChildProcess): void => {
    const sample = (): void => {
      for (const pid of familyOf(root!)) {
        const [peak, time] = [peakBytes(pid), processorSeconds(pid)];
        if (peak !== undefined) peaks.set(pid, peak);
        if (time !== undefined) times.set(pid, time);
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
  return { seconds, cpuSeconds: sum(times), peakMb: sum(peaks) / 1e6, stdout };
}
