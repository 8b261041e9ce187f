/**
 * Checkpoints of a training run: all that a resumed run needs to go on as if never stopped.
 *
 * A checkpoint is a folder that appears in one step. Its last file, `complete.json`, holds the hashes of the others.
 * A checkpoint with other bytes is damaged and passed over. A whole one is removed only after a newer one stands.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { faults } from '../errors/index.js';
import {
  fileError,
  hashFile,
  readText,
  writeFileAtomic,
  writeFolderAtomic,
} from '../files/index.js';
import { overwrite } from '../nn/index.js';
import type { Adam } from '../optim/index.js';
import type { Learner } from '../recommenders/index.js';
import { scope } from '../tensor/index.js';
import { loadTensors, saveTensors } from '../weights/index.js';
import { parseObject } from './run-folder.js';

/** What stands beside the tensors of a checkpoint. */
export interface TrainingState {
  /** Optimizer steps that were done. */
  step: number;
  /** Bytes of metrics.jsonl that belong to those steps, and their hash. */
  metricsBytes: number;
  metricsSha256?: string;
  /** Best validation score so far and the step it was reached at. */
  best?: { score: number; step: number };
  /** Validations since the best one. */
  badValidations: number;
  /** The last step that was validated; a run stopped while validating does it again. */
  validatedStep?: number;
  /** Loss of the last step. */
  loss?: number;
  /** Seconds spent in training, earlier runs included. */
  seconds: number;
  adamSteps: Record<string, number>;
}

/** So many steps are kept, so that one damaged checkpoint does not cost the run. */
const KEPT = 2;

const FILES = ['model.safetensors', 'optimizer.safetensors', 'state.json'] as const;

/** Writes a checkpoint and removes all but the last few. @throws IloraError `file` */
export function saveCheckpoint(
  folder: string,
  learner: Learner,
  optimizer: Adam,
  state: Omit<TrainingState, 'adamSteps'>,
): void {
  const { tensors, steps } = optimizer.state();
  const full: TrainingState = { ...state, adamSteps: steps };
  const before = listCheckpoints(folder);
  const last = before.at(-1);
  const isSaved =
    last?.step === state.step &&
    fault(last.path) === undefined &&
    isSame(readState(last.path), full);
  if (!isSaved) {
    const same = before.filter(({ step }) => step === state.step);
    for (const { path } of same) if (fault(path) !== undefined) remove(path);
    const whole = same.filter(({ path }) => existsSync(path));
    const revision = 1 + Math.max(0, ...whole.map((checkpoint) => checkpoint.revision));
    const name = `step-${String(state.step).padStart(8, '0')}`;
    writeFolderAtomic(join(folder, revision === 1 ? name : `${name}-${revision}`), (temporary) => {
      saveTensors(join(temporary, 'model.safetensors'), learner.state());
      saveTensors(join(temporary, 'optimizer.safetensors'), tensors);
      writeFileAtomic(join(temporary, 'state.json'), `${JSON.stringify(full)}\n`);
      writeFileAtomic(join(temporary, 'complete.json'), marker(temporary));
    });
  }
  prune(folder, state.step);
}

/**
 * Removes what the checkpoint just written makes superfluous: earlier states of its step, steps before the last few,
 * and later steps. Later steps are damaged, since training went on from before them.
 */
function prune(folder: string, step: number): void {
  const all = listCheckpoints(folder);
  const own = all.filter((checkpoint) => checkpoint.step === step);
  const earlier = all.filter((checkpoint) => checkpoint.step < step);
  const kept = new Set([...earlier.slice(-(KEPT - 1)), ...own.slice(-1)]);
  for (const checkpoint of all) if (!kept.has(checkpoint)) remove(checkpoint.path);
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileError(path, 'a folder that can be removed', error);
  }
}

/** A checkpoint that was read, and what had to be passed over to find it. */
export interface LoadedCheckpoint {
  state: TrainingState;
  path: string;
  /** One line for each newer checkpoint that is damaged. */
  damaged: string[];
}

/**
 * Loads the newest undamaged checkpoint into learner and optimizer; undefined when there are none at all.
 * @throws IloraError `format` if there are only damaged ones, or if its tensors misfit
 */
export function loadLatestCheckpoint(
  folder: string,
  learner: Learner,
  optimizer: Adam,
): LoadedCheckpoint | undefined {
  const damaged: string[] = [];
  for (const { path } of listCheckpoints(folder).reverse()) {
    const wrong = fault(path);
    if (wrong !== undefined) {
      damaged.push(wrong);
      continue;
    }
    const state = readState(path);
    scope(() => {
      const model = join(path, 'model.safetensors');
      const moments = join(path, 'optimizer.safetensors');
      overwrite(learner.state(), loadTensors(model).tensors, model);
      overwrite(optimizer.state().tensors, loadTensors(moments).tensors, moments);
    });
    checkSteps(path, state, optimizer);
    optimizer.restoreSteps(state.adamSteps);
    return { state, path, damaged };
  }
  if (damaged.length > 0)
    throw faults('format', folder, [
      ...damaged,
      'no undamaged checkpoint is left: put one back from a copy, or begin anew in another folder',
    ]);
  return undefined;
}

interface Checkpoint {
  path: string;
  step: number;
  /** A step is written anew if its state changed: when a validation it was stopped in has been done. */
  revision: number;
}

/** Oldest first. */
function listCheckpoints(folder: string): Checkpoint[] {
  return namesIn(folder)
    .map((name) => ({ name, match: /^step-(\d{8,})(?:-(\d+))?$/.exec(name) }))
    .filter(({ match }) => match !== null)
    .map(({ name, match }) => ({
      path: join(folder, name),
      step: Number(match?.[1]),
      revision: Number(match?.[2] ?? 1),
    }))
    .sort((a, b) => a.step - b.step || a.revision - b.revision);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(folder, 'a folder of checkpoints', error);
  }
}

const count = z.int().min(0);
const stateSchema = z.looseObject({
  step: count,
  metricsBytes: count,
  metricsSha256: z.string().optional(),
  best: z.looseObject({ score: z.number(), step: count }).optional(),
  badValidations: count,
  validatedStep: count.optional(),
  loss: z.number().optional(),
  seconds: z.number().min(0),
  adamSteps: z.record(z.string(), count),
});

/** @throws IloraError `format` listing what training could not go on from */
function readState(path: string): TrainingState {
  const file = join(path, 'state.json');
  const parsed = stateSchema.safeParse(parseObject(readText(file), file));
  if (!parsed.success)
    throw faults(
      'format',
      file,
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  return parsed.data;
}

/** The optimizer takes a parameter without a number for one that was never updated. */
function checkSteps(path: string, { adamSteps }: TrainingState, optimizer: Adam): void {
  const missing = Object.keys(optimizer.state().steps).filter(
    (key) => !Object.hasOwn(adamSteps, key),
  );
  if (missing.length > 0)
    throw faults(
      'format',
      join(path, 'state.json'),
      missing.map((key) => `adamSteps: expected the steps of ${key}, got nothing`),
    );
}

/** Whether two states differ in nothing but the time they took. */
function isSame(a: TrainingState, b: TrainingState): boolean {
  return isDeepStrictEqual({ ...a, seconds: 0 }, JSON.parse(JSON.stringify({ ...b, seconds: 0 })));
}

/** What is wrong with a checkpoint, in a line; undefined for a whole one. */
function fault(path: string): string | undefined {
  try {
    const complete = join(path, 'complete.json');
    const got = readText(complete);
    if (got === marker(path)) return undefined;
    const saved = parseObject(got, complete);
    const file = FILES.find((name) => saved[name] !== hashFile(join(path, name)));
    return file === undefined
      ? `${complete}: damaged`
      : `${join(path, file)}: expected sha256 ${String(saved[file]).slice(0, 12)}, got ${hashFile(join(path, file)).slice(0, 12)}: damaged`;
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}

/** The text of `complete.json`. */
function marker(path: string): string {
  const hashes = FILES.map((file) => [file, hashFile(join(path, file))]);
  return `${JSON.stringify(Object.fromEntries(hashes))}\n`;
}
