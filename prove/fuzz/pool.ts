/** Child processes that try inputs, and the clock that ends those that hang. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processorSeconds } from '../../harness/index.js';
import type { Failure, Job, JobResult } from './child.js';

/** An input may keep the processor busy this long; where it waits, the clock counts, as others work here too. */
const HANG_SECONDS = 10;
const WAIT_SECONDS = 30;
/** A job that keeps dying is given up after this many deaths. */
const MAX_DEATHS = 20;

/** How a child ended that should not have. */
export interface Death extends Failure {
  kind: 'signal' | 'hang' | 'exit';
}

/** Runs all jobs on a few processes at a time. */
export async function runJobs(
  jobs: readonly Omit<Job, 'folder' | 'keep'>[],
  {
    size,
    work,
    keep,
    onDone,
  }: { size: number; work: string; keep: string; onDone: (result: JobResult) => void },
): Promise<Death[]> {
  const waiting = [...jobs];
  const deaths: Death[] = [];
  let serial = 0;
  const worker = async (): Promise<void> => {
    let child: ChildProcess | undefined;
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      let count = job.count;
      for (let deathsHere = 0; deathsHere < MAX_DEATHS; deathsHere++) {
        child ??= await start();
        const folder = join(work, `job-${serial++}`);
        const ended = await runOne(child, {
          ...job,
          count,
          shard: job.shard + 1000 * deathsHere,
          folder,
          keep,
        });
        if (!('kind' in ended)) {
          onDone(ended);
          rmSync(folder, { recursive: true, force: true });
          break;
        }
        child = undefined;
        deaths.push({ ...ended, reproducer: saved(folder, keep, job.target, serial) });
        const tried = triedIn(folder);
        count -= tried;
        if (count <= 0) break;
      }
      // Figures of large inputs are taken in a process of their own.
      if (job.isHeavy === true) {
        child?.kill();
        child = undefined;
      }
    }
    child?.kill();
  };
  await Promise.all(Array.from({ length: size }, worker));
  return deaths;
}

function start(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'child.ts'), {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    serialization: 'advanced',
    // Code of the program under test may print; stdout is for the document.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'PASSIVE' },
  });
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code, signal) =>
      reject(new Error(`the child ended at its start: ${code ?? signal}`)),
    );
  });
}

function runOne(child: ChildProcess, job: Job): Promise<JobResult | Omit<Death, 'reproducer'>> {
  mkdirSync(job.folder, { recursive: true });
  return new Promise((resolve) => {
    let isHung = false;
    let beat = { number: '', since: Date.now(), worked: 0 };
    const clock = setInterval(() => {
      const number = readTrying(job.folder);
      const worked = processorSeconds(child.pid as number);
      if (number !== beat.number) beat = { number, since: Date.now(), worked: worked ?? 0 };
      const waited = (Date.now() - beat.since) / 1000;
      const busy = worked === undefined ? waited : worked - beat.worked;
      if (number === '' || (busy < HANG_SECONDS && waited < WAIT_SECONDS)) return;
      isHung = true;
      child.kill('SIGKILL');
    }, 250);
    const end = (value: JobResult | Omit<Death, 'reproducer'>): void => {
      clearInterval(clock);
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      resolve(value);
    };
    child.once('message', (result) => end(result as JobResult));
    child.once('exit', (code, signal) => {
      const kind = isHung ? 'hang' : signal !== null ? 'signal' : 'exit';
      const text = isHung
        ? `over ${HANG_SECONDS} s of work, or ${WAIT_SECONDS} s of waiting`
        : signal !== null
          ? `died of ${signal}`
          : `ended with ${code}`;
      end({ kind, target: job.target, text, stack: '', times: 1 });
    });
    child.send(job);
  });
}

function readTrying(folder: string): string {
  try {
    return readFileSync(join(folder, 'trying'), 'utf8');
  } catch {
    return '';
  }
}

function triedIn(folder: string): number {
  return Number(readTrying(folder)) + 1;
}

/** Copies what killed a child; `cp -a` takes pipes and links as they are. */
function saved(folder: string, keep: string, target: string, serial: number): string {
  const to = join(keep, `${target}-death-${serial}`);
  const from = join(folder, 'case');
  if (existsSync(from) && statSync(from).isDirectory()) spawnSync('cp', ['-a', from, to]);
  return to;
}
