/**
 * The folder of one training run and who may write into it.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../checkpoint/index.js';
import { IloraError, mismatch } from '../errors/index.js';

/** Paths inside a run folder. */
export class RunFolder {
  constructor(readonly path: string) {}

  /** Resolved settings, hashes of data and base, engine. */
  get run(): string {
    return join(this.path, 'run.json');
  }
  /** One JSON object per line: steps and validations. */
  get metrics(): string {
    return join(this.path, 'metrics.jsonl');
  }
  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }
  /** Weights of the epoch that was best on validation. */
  get best(): string {
    return join(this.path, 'best.safetensors');
  }
  /** Written last, when training has ended. */
  get summary(): string {
    return join(this.path, 'summary.json');
  }

  /**
   * Makes the folder, or checks that it may be continued.
   * @throws IloraError `usage` if it holds a run and `mayResume` is false
   */
  prepare(mayResume: boolean): void {
    if (existsSync(this.run) && !mayResume) {
      throw mismatch('usage', {
        where: this.path,
        expected: 'a new folder',
        got: 'one that holds a run',
        hint: 'add --resume to continue it, or choose another --out',
      });
    }
    mkdirSync(this.checkpoints, { recursive: true });
  }

  /** Runs `body` while no other process may train in this folder. @throws IloraError `training` if one does */
  async whileLocked<T>(body: () => Promise<T>): Promise<T> {
    const path = join(this.path, 'lock');
    const take = (): number => openSync(path, 'wx');
    let file: number;
    try {
      file = take();
    } catch {
      const owner = Number(readFileSync(path, 'utf8'));
      if (isAlive(owner)) {
        throw new IloraError(
          'training',
          `${this.path}: expected to be the only writer, but process ${owner} is training there`,
          { owner },
        );
      }
      rmSync(path, { force: true }); // its owner died
      file = take();
    }
    writeSync(file, String(process.pid));
    closeSync(file);
    try {
      return await body();
    } finally {
      rmSync(path, { force: true });
    }
  }

  writeJson(path: string, value: unknown): void {
    writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Appends one object to the metrics. */
  log(entry: Record<string, unknown>): void {
    appendFileSync(this.metrics, `${JSON.stringify(entry)}\n`);
  }

  get metricsBytes(): number {
    return existsSync(this.metrics) ? statSync(this.metrics).size : 0;
  }

  /** Drops lines that belong to steps a checkpoint does not hold; they will be written again. */
  truncateMetrics(bytes: number): void {
    if (existsSync(this.metrics)) truncateSync(this.metrics, bytes);
  }

  /** All logged objects. */
  readMetrics(): Record<string, unknown>[] {
    if (!existsSync(this.metrics)) return [];
    const lines = readFileSync(this.metrics, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
