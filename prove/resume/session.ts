/**
 * Trains in this process through `trainRun`, as the command line does, and stops where it is told.
 */
import { openDataset } from '../../src/data/index.js';
import { isAbort, type RunHooks, type Settings, trainRun } from '../../src/training/index.js';
import { type Outcome, readOutcome } from './outcome.js';
import { score } from './score.js';
import type { World } from './world.js';

/** A signal that counts how often the work asks whether to stop, and says yes at one of them. */
export class StopAt {
  readonly #controller = new AbortController();
  asked = 0;

  /** @param place the question that is answered with a stop, from 1; none by default */
  constructor(place = Number.POSITIVE_INFINITY) {
    const { signal } = this.#controller;
    const throwIfAborted = signal.throwIfAborted.bind(signal);
    signal.throwIfAborted = () => {
      this.asked++;
      if (this.asked === place) this.#controller.abort();
      throwIfAborted();
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    this.#controller.abort();
  }
}

export interface SessionOptions {
  resume: boolean;
  stop: StopAt;
  onStep?: (step: number) => void;
  onNotice?: (text: string) => void;
}

/** One process's worth of training. @returns whether the run came to its end */
export async function session(
  world: World,
  settings: Settings,
  { resume, stop, onStep, onNotice }: SessionOptions,
): Promise<boolean> {
  const dataset = await openDataset(world.data);
  try {
    await trainRun(
      settings,
      { shared: { dataset }, basePath: world.base, resume },
      { ...hooks(stop, onStep), onNotice },
    );
    return true;
  } catch (error) {
    if (isAbort(error)) return false;
    throw error;
  }
}

function hooks(stop: StopAt, onStep?: (step: number) => void): RunHooks {
  return {
    signal: stop.signal,
    score,
    onStep: ({ step }) => onStep?.(step),
  };
}

/** Trains without a stop. */
export async function trainToEnd(
  world: World,
  settings: Settings,
): Promise<{ outcome: Outcome; asked: number }> {
  const stop = new StopAt();
  await session(world, settings, { resume: false, stop });
  return { outcome: readOutcome(settings.out), asked: stop.asked };
}

/** Trains, stops at each of the places (counted anew after every resume), and resumes to the end. */
export async function trainWithStops(
  world: World,
  settings: Settings,
  places: readonly number[],
): Promise<{ outcome: Outcome; stops: number }> {
  let stops = 0;
  for (const [i, place] of places.entries()) {
    const isDone = await session(world, settings, { resume: i > 0, stop: new StopAt(place) });
    if (isDone) return { outcome: readOutcome(settings.out), stops };
    stops++;
  }
  await session(world, settings, { resume: true, stop: new StopAt() });
  return { outcome: readOutcome(settings.out), stops };
}
