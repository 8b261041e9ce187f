/**
 * Ends processes in the middle of their work, in every way there is, and compares how they ended.
 */
import { type Ended, round } from '../../harness/index.js';
import { runChild } from './child.js';

/** How a process is ended, what it says then, and how often. */
interface Ending {
  way: string;
  signal?: NodeJS.Signals;
  wanted: number | NodeJS.Signals;
  /** Whether the quick proof has it too. */
  isQuick?: true;
}

const ENDINGS: readonly Ending[] = [
  { way: 'ended by a signal', signal: 'SIGTERM', wanted: 'SIGTERM' },
  { way: 'ended by a signal', signal: 'SIGINT', wanted: 'SIGINT' },
  { way: 'a handler of a signal exits', signal: 'SIGTERM', wanted: 7, isQuick: true },
  { way: 'process.exit in a callback', wanted: 7, isQuick: true },
  { way: 'an exception in a callback', wanted: 1 },
  { way: 'a rejection nobody handles', wanted: 1 },
  { way: 'the end with tensors alive', wanted: 0 },
  { way: 'workers are terminated in a call', wanted: 0, isQuick: true },
  { way: 'process.exit beside busy workers', wanted: 7 },
  { way: 'a signal beside busy workers', signal: 'SIGTERM', wanted: 'SIGTERM' },
  { way: 'a signal beside busy workers', signal: 'SIGINT', wanted: 'SIGINT', isQuick: true },
  { way: 'process.exit in a worker', wanted: 0 },
  { way: 'an exception in a worker', wanted: 1 },
];

/** Of the process's own time: what the end takes, less what other work on the machine adds. */
export const MOST_SECONDS = 2;

export interface EndingReport {
  way: string;
  wanted: number | NodeJS.Signals;
  times: number;
  /** From the moment it computes to its end. */
  longestSeconds: number;
  /** The same divided by how much longer than its processor time its start took. */
  longestOwnSeconds: number;
}

/** Runs every ending `times` times; 0: those of the quick proof once. */
export async function runEndings(
  times: number,
  failures: string[],
  note: (text: string) => void,
): Promise<EndingReport[]> {
  const reports: EndingReport[] = [];
  for (const { way, signal, wanted, isQuick } of ENDINGS) {
    if (times === 0 && !isQuick) continue;
    const [all, own]: [number[], number[]] = [[], []];
    for (let i = 0; i < Math.max(1, times); i++) {
      const ended = await runChild('ending.ts', { args: [way], signal, timeoutSeconds: 120 });
      const seconds = ended.seconds / slownessOf(ended);
      all.push(ended.seconds);
      own.push(seconds);
      const fault = faultOf(ended, wanted) ?? slow(seconds);
      if (fault !== undefined) failures.push(`${nameOf(way, signal)}: ${fault}`);
    }
    const report: EndingReport = {
      way: nameOf(way, signal),
      wanted,
      times: all.length,
      longestSeconds: round(Math.max(...all), 3),
      longestOwnSeconds: round(Math.max(...own), 3),
    };
    reports.push(report);
    note(JSON.stringify(report));
  }
  return reports;
}

/** How many times longer than its processor time a child's start took; 1 on an idle machine. */
function slownessOf({ stdout }: Ended): number {
  const [, seconds, processor] = /^ready ([\d.]+) ([\d.]+)$/m.exec(stdout) ?? [];
  return Math.max(1, Number(seconds) / Number(processor) || 1);
}

const slow = (seconds: number): string | undefined =>
  seconds > MOST_SECONDS ? `ended after ${seconds.toFixed(2)} s of its own time` : undefined;

const nameOf = (way: string, signal?: NodeJS.Signals): string =>
  signal === undefined ? way : `${way} (${signal})`;

function faultOf(
  { code, signal, stdout, stderr }: Ended,
  wanted: number | NodeJS.Signals,
): string | undefined {
  const got = signal ?? code;
  if (!/^ready /m.test(stdout)) return `ended with ${got} before its work: ${stderr.slice(-500)}`;
  if (got !== wanted) return `ended with ${got}, not ${wanted}: ${stderr.slice(-500)}`;
  return undefined;
}
