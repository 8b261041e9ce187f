/**
 * Runs mutants of one target through a child, and starts another one where a mutant has ended or stopped it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Report, Work } from './child.js';
import type { Mutant } from './mutate.js';

export interface Verdict {
  mutant: Mutant;
  /** Test and message; undefined where it survives. */
  killedBy: string | undefined;
}

export interface Trial {
  verdicts: Verdict[];
  /** What makes the verdicts worthless: tests that fail without a change. */
  failures: string[];
}

/** Time beyond a mutant's own, after which its process is ended from outside. */
const GRACE_MS = 3000;

/** Tries all mutants in their order; those that cannot be parsed have no verdict. */
export async function tryMutants(
  work: Omit<Work, 'mutants'>,
  mutants: readonly Mutant[],
  onVerdict: (verdict: Verdict) => void,
): Promise<Trial> {
  const trial: Trial = { verdicts: [], failures: [] };
  const settle = (mutant: Mutant, killedBy: string | undefined): void => {
    const verdict = { mutant, killedBy };
    trial.verdicts.push(verdict);
    onVerdict(verdict);
  };
  let rest = mutants;
  do {
    const end = await inChild({ ...work, mutants: [...rest] }, (index, killedBy) =>
      settle(rest[index] as Mutant, killedBy),
    );
    if (end.failure !== undefined) trial.failures.push(end.failure);
    if (end.stoppedAt === undefined) break;
    settle(rest[end.stoppedAt] as Mutant, end.reason);
    rest = rest.slice(end.stoppedAt + 1);
  } while (rest.length > 0);
  return trial;
}

interface ChildEnd {
  failure?: string;
  /** The mutant at which the process ended, if it did not end by itself after the last one. */
  stoppedAt?: number;
  reason?: string;
}

function inChild(
  work: Work,
  onEnd: (mutant: number, killedBy: string | undefined) => void,
): Promise<ChildEnd> {
  const child = fork(join(import.meta.dirname, 'child.ts'), {
    execArgv: ['--import', 'tsx', '--experimental-vm-modules', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stderr = tailOf(child);
  return new Promise((resolve) => {
    let current: number | undefined;
    let end: ChildEnd | undefined;
    let timer: NodeJS.Timeout | undefined;
    child.on('message', (report: Report) => {
      clearTimeout(timer);
      if (report.kind === 'ready' && report.failure !== undefined)
        end = { failure: `without any mutant: ${report.failure}` };
      else if (report.kind === 'start') {
        current = report.mutant;
        timer = setTimeout(() => child.kill('SIGKILL'), report.limitMs + GRACE_MS);
      } else if (report.kind === 'end') {
        current = undefined;
        if (!report.isInvalid) onEnd(report.mutant, report.killedBy);
      } else if (report.kind === 'done')
        end =
          report.failure === undefined ? {} : { failure: `after the mutants: ${report.failure}` };
      if (end !== undefined) child.disconnect();
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const how = signal ?? `exit ${code}`;
      if (end !== undefined) resolve(end);
      else if (current === undefined)
        resolve({ failure: `the process of the tests: ${how}\n${stderr()}` });
      else
        resolve({
          stoppedAt: current,
          reason: `(process): ${signal === 'SIGKILL' ? 'time is up' : how}`,
        });
    });
    child.send(work);
  });
}

/** The end of what a child writes to stderr. */
function tailOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000);
  });
  return () => text;
}
