/**
 * What streaming iLoRA takes, with six layers of the base and with two, each in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environment, quantile, ROOT } from '../../harness/index.js';
import type { BenchDtype, BenchOptions } from '../command.js';
import { node } from './field.js';

/** K: as by default, and where speed counts more than the last points. */
const LAYERS = { streaming: 6, streaming_shallow: 2 } as const;

/** What bench/ours/streaming.ts prints. */
interface StreamingTimes {
  /** Layers of the base that are used. */
  layers: number;
  /** Of each step, and predictions in all of them. */
  training: { seconds: number[]; targets: number; batchSize: number };
  /** Of each request. */
  one: number[];
  returning: number[];
}

/** @returns milliseconds of a request and of a returning user, and predictions per second that are learned from */
export function streamingFigures(
  options: BenchOptions,
  dtype: BenchDtype,
  much: { requests: number; steps: number },
) {
  const figures = (layers: number) => {
    const { training, one, returning } = times(options, dtype, { ...much, layers });
    const seconds = training.seconds.reduce((sum, each) => sum + each, 0);
    const found = {
      layers,
      median_ms: 1000 * quantile(one, 0.5),
      p99_ms: 1000 * quantile(one, 0.99),
      returning_median_ms: 1000 * quantile(returning, 0.5),
      returning_p99_ms: 1000 * quantile(returning, 0.99),
      targets_per_second: training.targets / seconds,
    };
    options.note(`streaming, ${layers} layers: ${found.median_ms.toFixed(0)} ms a request`);
    return found;
  };
  return {
    streaming: figures(LAYERS.streaming),
    streaming_shallow: figures(LAYERS.streaming_shallow),
  };
}

function times(
  options: BenchOptions,
  dtype: BenchDtype,
  { requests, steps, layers }: { requests: number; steps: number; layers: number },
): StreamingTimes {
  const program = join(ROOT, 'bench', 'ours', 'streaming.ts');
  const numbers = [requests, steps, layers].map(String);
  const { command, args } = node(program, options.work, dtype, ...numbers);
  const how = { cwd: ROOT, encoding: 'utf8', env: environment(options) } as const;
  const { status, stdout, stderr } = spawnSync(command, args, how);
  if (status === 0) return JSON.parse(stdout) as StreamingTimes;
  throw new Error(`streaming ended with ${status}:\n${stderr}`);
}
