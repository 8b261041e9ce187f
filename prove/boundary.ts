/**
 * Throws wrong values of every kind at the engine, in processes of its own, and says what went wrong.
 *
 * `boundary/body.ts` makes the calls; before each it writes down which one. From outside this file sees what the
 * body cannot say itself: a process that a signal ended, and a call that does not come back.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inFolder } from '../harness/index.js';

export interface BoundaryOptions {
  /** Calls in all. */
  calls: number;
  /** Equal seeds make equal calls, whatever came before. */
  seed: number;
  /** Calls of one process; a new one starts after them. */
  callsPerProcess?: number;
  /** Longest time a single call may take. */
  patienceMs?: number;
  /** Faults that take the place of calls 5, 6, ..., to see that they are found. */
  plants?: readonly Plant[];
  note?: (text: string) => void;
}

/** The kinds of failure that are looked for. */
export type Plant = 'signal' | 'hang' | 'untyped' | 'memory' | 'leak';

export interface BoundaryFindings {
  calls: number;
  /** How many calls were refused, with an error of the right kind. */
  refused: number;
  processes: number;
  /** Largest resident memory of a process, MiB. */
  peakMb: number;
  /** One line each: what happened, and the call. */
  failures: string[];
}

/** What a body says: each failure as a line of JSON when it happens, and this as the last one. */
interface Report {
  calls: number;
  refused: number;
  peakMb: number;
}

/** Writable memory of a body: more is refused by the system, so that the machine stays usable. */
const MOST_DATA_KB = 6 * 2 ** 20;
const BODY = join(import.meta.dirname, 'boundary', 'body.ts');

/** Makes the calls and gathers the failures; the figures are those of all processes together. */
export const fuzzBoundary = (options: BoundaryOptions): Promise<BoundaryFindings> =>
  inFolder('boundary', (folder) => allBodies(options, folder));

async function allBodies(options: BoundaryOptions, folder: string): Promise<BoundaryFindings> {
  const { calls, callsPerProcess = 20_000, note = () => {} } = options;
  const findings: BoundaryFindings = {
    calls: 0,
    refused: 0,
    processes: 0,
    peakMb: 0,
    failures: [],
  };
  let first = 0;
  while (first < calls && findings.failures.length < 50) {
    const end = Math.min(calls, first + callsPerProcess);
    const { report, failures, died } = await runBody(join(folder, 'call'), first, end, options);
    findings.processes++;
    findings.calls += report.calls;
    findings.refused += report.refused;
    findings.peakMb = Math.max(findings.peakMb, report.peakMb);
    findings.failures.push(...failures);
    if (died !== undefined) {
      findings.failures.push(`${died.how}: ${died.call}`);
      findings.calls += died.index + 1 - first;
      first = died.index + 1;
    } else first = end;
    note(`boundary: ${findings.calls} calls, ${findings.failures.length} failures`);
  }
  return findings;
}

interface Death {
  how: string;
  index: number;
  call: string;
}

async function runBody(
  path: string,
  first: number,
  end: number,
  { seed, plants = [], patienceMs = 10_000 }: BoundaryOptions,
): Promise<{ report: Report; failures: string[]; died?: Death }> {
  writeFileSync(path, '');
  const script = `ulimit -d ${MOST_DATA_KB} 2>/dev/null; exec "$0" "$@"`;
  const node = ['--import', import.meta.resolve('tsx'), '--expose-gc', BODY];
  const child = spawn(
    'sh',
    ['-c', script, process.execPath, ...node, path, `${seed}`, `${first}`, `${end}`, plants.join()],
    // In a folder of its own: what is thrown at the engine is also taken for names of files to write.
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: dirname(path) },
  );
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2000);
  });
  let isStuck = false;
  let last = '';
  let since = performance.now();
  const watch = setInterval(() => {
    const now = readFileSync(path, 'utf8');
    if (now !== last) {
      last = now;
      since = performance.now();
    }
    // Starting up is slower than any call: no record stands there yet.
    if (performance.now() - since > (last === '' ? 6 * patienceMs : patienceMs)) {
      isStuck = true;
      child.kill('SIGKILL');
    }
  }, 100);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  clearInterval(watch);
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  const said = lines.map((line) => JSON.parse(line) as Partial<Report> & { failure?: string });
  const failures = said.flatMap(({ failure }) => failure ?? []);
  const report = said.find((line): line is Report => line.calls !== undefined);
  if (code === 0 && report !== undefined) return { report, failures };
  const record = readFileSync(path, 'utf8').trim();
  const how = isStuck
    ? `no answer for ${patienceMs / 1000} s`
    : `ended by ${signal ?? `exit code ${code}`}`;
  if (record === '') throw new Error(`boundary: the process did not start: ${how} ${complaints}`);
  const reason = complaints.trim().split('\n').at(-1) ?? '';
  const [index = '', ...words] = record.split(' ');
  const call = `${words.join(' ')}${isStuck || reason === '' ? '' : ` — ${reason}`}`;
  return {
    report: { calls: 0, refused: 0, peakMb: 0 },
    failures,
    died: { how, index: Number(index), call },
  };
}
