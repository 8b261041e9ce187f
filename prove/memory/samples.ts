/**
 * What a process holds, sampled while it works: resident memory, V8's part of it, live tensors.
 *
 * The collector runs before every sample, so that what it has merely not yet freed is not taken for
 * growth. Needs `node --expose-gc`.
 */
import { setImmediate } from 'node:timers/promises';
import { round, slope } from '../../harness/statistics.js';
import { liveTensors } from '../../src/tensor/index.js';

export interface Sample {
  /** How many times the work was done before. */
  done: number;
  /** Resident memory of the process, in MB of 10^6 bytes. */
  rssMb: number;
  /** V8's heap after collection, part of it. */
  heapMb: number;
  live: number;
}

/** What the samples say about one kind of work. */
export interface Course {
  iterations: number;
  seconds: number;
  /** The first tenth of the iterations, and at least 50. */
  warmUp: number;
  /** Resident memory after the warm-up, the most after it and at the end. */
  warmMb: number;
  mostMb: number;
  lastMb: number;
  /** mostMb over warmMb, less one. */
  growth: number;
  /** Least squares over the samples after the warm-up. */
  slopeMbPer1000: number;
  heapSlopeMbPer1000: number;
  /** Live tensors: before the work, at the warm-up, the most after it, when all is dropped. */
  liveBefore: number;
  liveWarm: number;
  liveMost: number;
  liveAfter: number;
}

/** Collects, and lets finalizers run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    collect();
    await setImmediate();
  }
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('internal: started without --expose-gc');
  globalThis.gc();
}

/** Samples now; finalizers of what is collected here run later. */
export function sample(done: number): Sample {
  collect();
  collect(); // waits for the thread that frees the buffers the first one found
  const { rss, heapUsed } = process.memoryUsage();
  return { done, rssMb: rss / 1e6, heapMb: heapUsed / 1e6, live: liveTensors() };
}

/** The iterations that count as warm-up. */
export const warmUpOf = (iterations: number): number => Math.max(50, Math.round(iterations / 10));

export function courseOf(
  samples: readonly Sample[],
  more: { iterations: number; seconds: number; liveBefore: number; liveAfter: number },
): Course {
  const warmUp = warmUpOf(more.iterations);
  const steady = samples.filter(({ done }) => done >= warmUp);
  const [warm] = steady;
  const last = steady.at(-1);
  if (warm === undefined || last === undefined || steady.length < 5)
    throw new Error(`internal: ${steady.length} samples after the warm-up are too few`);
  const mostMb = Math.max(...steady.map(({ rssMb }) => rssMb));
  const per1000 = (of: (sample: Sample) => number): number =>
    1000 * slope(steady.map((sample) => [sample.done, of(sample)]));
  return {
    iterations: more.iterations,
    seconds: round(more.seconds, 1),
    warmUp,
    warmMb: round(warm.rssMb, 2),
    mostMb: round(mostMb, 2),
    lastMb: round(last.rssMb, 2),
    growth: round(mostMb / warm.rssMb - 1, 5),
    slopeMbPer1000: round(
      per1000(({ rssMb }) => rssMb),
      3,
    ),
    heapSlopeMbPer1000: round(
      per1000(({ heapMb }) => heapMb),
      3,
    ),
    liveBefore: more.liveBefore,
    liveWarm: warm.live,
    liveMost: Math.max(...steady.map(({ live }) => live)),
    liveAfter: more.liveAfter,
  };
}
