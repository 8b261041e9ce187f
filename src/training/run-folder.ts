/**
 * The folder of one training run and who may write into it.
 */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { mismatch } from '../errors/index.js';
import {
  appendAtomic,
  fileError,
  parseStrictJson,
  readBytes,
  readText,
  removeTemporaries,
  snakeKeys,
  syncFile,
  takeLock,
  writeFileAtomic,
} from '../files/index.js';

/** Paths inside a run folder. */
export class RunFolder {
  constructor(readonly path: string) {}

  /** Resolved settings, hashes of data and base, engine. */
  get run(): string {
    return join(this.path, 'run.json');
  }
  /** Copy of the prompt template, of methods that read titles. */
  get prompt(): string {
    return join(this.path, 'prompt.yaml');
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
    try {
      mkdirSync(this.checkpoints, { recursive: true });
    } catch (error) {
      throw fileError(this.checkpoints, 'a folder that can be made', error);
    }
  }

  /**
   * Runs `body` while no other process may train in this folder; first removes what writers left that
   * were killed half way.
   * @throws IloraError `training` if another one trains there, `file` if the lock cannot be written
   */
  async whileLocked<T>(body: () => Promise<T>): Promise<T> {
    const release = await takeLock(this.path, { doing: 'training', code: 'training' });
    try {
      for (const folder of [this.path, this.checkpoints]) removeTemporaries(folder);
      return await body();
    } finally {
      release();
    }
  }

  writeJson(path: string, value: unknown): void {
    writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Appends one object to the metrics, the whole line or nothing of it. @throws IloraError `file` */
  log(entry: Record<string, unknown>): void {
    const line = `${JSON.stringify(snakeKeys(entry))}\n`;
    appendAtomic(this.metrics, line);
    this.#hash?.update(line);
  }

  /** Hash of the lines so far; kept only while the log is written. */
  #hash?: Hash;

  /** Makes the lines so far durable. @returns their bytes and hash, for a checkpoint */
  sealMetrics(): { metricsBytes: number; metricsSha256: string } {
    if (existsSync(this.metrics)) syncFile(this.metrics);
    this.#hash ??= createHash('sha256').update(this.#readMetrics());
    return { metricsBytes: this.metricsBytes, metricsSha256: this.#hash.copy().digest('hex') };
  }

  get metricsBytes(): number {
    return existsSync(this.metrics) ? statSync(this.metrics).size : 0;
  }

  /**
   * Drops lines that belong to steps a checkpoint does not hold; they will be written again.
   * @throws IloraError `format` if the lines before them are not those the checkpoint was written with
   */
  rewindMetrics({
    metricsBytes,
    metricsSha256,
  }: {
    metricsBytes: number;
    metricsSha256?: string;
  }): void {
    const content = this.#readMetrics();
    const kept = content.subarray(0, metricsBytes);
    this.#hash = createHash('sha256').update(kept);
    const digest = this.#hash.copy().digest('hex');
    const isChanged = metricsSha256 !== undefined && digest !== metricsSha256;
    if (kept.length < metricsBytes || isChanged)
      throw mismatch('format', {
        where: this.metrics,
        expected: `to begin with the ${metricsBytes} bytes that belong to the last checkpoint`,
        got: kept.length < metricsBytes ? `${content.length} bytes` : 'others',
        hint: 'put the file back from a copy, or begin anew in another folder',
      });
    if (content.length === metricsBytes) return;
    try {
      truncateSync(this.metrics, metricsBytes);
    } catch (error) {
      throw fileError(this.metrics, 'a file that can be cut', error);
    }
  }

  #readMetrics(): Buffer {
    return existsSync(this.metrics) ? readBytes(this.metrics) : Buffer.alloc(0);
  }

  /** All logged objects. @throws IloraError `file`, or `format` naming the line */
  readMetrics(): Record<string, unknown>[] {
    if (!existsSync(this.metrics)) return [];
    const entries: Record<string, unknown>[] = [];
    for (const [i, line] of readText(this.metrics).split('\n').entries())
      if (line !== '') entries.push(parseObject(line, `${this.metrics}:${i + 1}`));
    return entries;
  }
}

/** A JSON object, without keys that stand there twice. @throws IloraError `format` */
export function parseObject(text: string, where: string): Record<string, unknown> {
  const value = parseStrictJson(text, where);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw mismatch('format', { where, expected: 'a JSON object', got: value });
}
