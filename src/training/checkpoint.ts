/**
 * Checkpoints of a training run: all that a resumed run needs to go on as if never stopped.
 *
 * A checkpoint is a folder that appears in one step, with a last file `complete.json` that holds the
 * hashes of the others; a folder without it, or with other hashes, is passed over.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeFileAtomic, writeFolderAtomic } from '../checkpoint/index.js';
import { faults } from '../errors/index.js';
import type { Adam } from '../optim/index.js';
import type { Learner } from '../recommenders/index.js';
import { copy_, noGrad, scope, type Tensor } from '../tensor/index.js';
import { loadTensors, saveTensors } from './tensor-file.js';

/** What stands beside the tensors of a checkpoint. */
export interface TrainingState {
  /** Optimizer steps that were done. */
  step: number;
  /** Bytes of metrics.jsonl that belong to those steps. */
  metricsBytes: number;
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

const KEPT = 2;

/** Writes a checkpoint and removes all but the last few. */
export function saveCheckpoint(
  folder: string,
  learner: Learner,
  optimizer: Adam,
  state: Omit<TrainingState, 'adamSteps'>,
): void {
  const path = join(folder, `step-${String(state.step).padStart(8, '0')}`);
  const { tensors, steps } = optimizer.state();
  const full: TrainingState = { ...state, adamSteps: steps };
  if (isComplete(path) && isSame(readState(path), full)) return;
  rmSync(path, { recursive: true, force: true });
  writeFolderAtomic(path, (temporary) => {
    saveTensors(join(temporary, 'model.safetensors'), learner.state());
    saveTensors(join(temporary, 'optimizer.safetensors'), tensors);
    writeFileAtomic(join(temporary, 'state.json'), `${JSON.stringify(full)}\n`);
    const hashes = Object.fromEntries(FILES.map((file) => [file, hashOf(join(temporary, file))]));
    writeFileAtomic(join(temporary, 'complete.json'), `${JSON.stringify(hashes)}\n`);
  });
  for (const old of listCheckpoints(folder).slice(0, -KEPT))
    rmSync(old, { recursive: true, force: true });
}

const FILES = ['model.safetensors', 'optimizer.safetensors', 'state.json'] as const;

/** Loads the newest complete checkpoint into learner and optimizer; undefined when there is none. */
export function loadLatestCheckpoint(
  folder: string,
  learner: Learner,
  optimizer: Adam,
): TrainingState | undefined {
  for (const path of listCheckpoints(folder).reverse()) {
    if (!isComplete(path)) continue;
    const state = readState(path);
    scope(() => {
      restore(join(path, 'model.safetensors'), learner.state());
      restore(join(path, 'optimizer.safetensors'), optimizer.state().tensors);
    });
    optimizer.restoreSteps(state.adamSteps);
    return state;
  }
  return undefined;
}

/** Copies the tensors of a file over those of the same keys. @throws IloraError `format` listing every misfit */
export function restore(file: string, into: ReadonlyMap<string, Tensor>): void {
  const { tensors } = loadTensors(file);
  const lines: string[] = [];
  for (const [key, tensor] of into) {
    const saved = tensors.get(key);
    if (saved === undefined)
      lines.push(`${key}: expected a tensor [${tensor.shape.join(', ')}], got nothing`);
    else if (saved.shape.join() !== tensor.shape.join()) {
      lines.push(
        `${key}: expected shape [${tensor.shape.join(', ')}], got [${saved.shape.join(', ')}]`,
      );
    }
  }
  for (const key of tensors.keys())
    if (!into.has(key)) lines.push(`${key}: expected no such tensor`);
  if (lines.length > 0) throw faults('format', file, lines.slice(0, 20));
  noGrad(() => {
    for (const [key, tensor] of into) copy_(tensor, tensors.get(key) as Tensor);
  });
}

function listCheckpoints(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^step-\d{8}$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function readState(path: string): TrainingState {
  return JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as TrainingState;
}

/** Whether two states differ in nothing but the time they took. */
function isSame(a: TrainingState, b: TrainingState): boolean {
  return isDeepStrictEqual({ ...a, seconds: 0 }, JSON.parse(JSON.stringify({ ...b, seconds: 0 })));
}

function isComplete(path: string): boolean {
  try {
    const hashes = JSON.parse(readFileSync(join(path, 'complete.json'), 'utf8')) as Record<
      string,
      string
    >;
    return FILES.every((file) => hashes[file] === hashOf(join(path, file)));
  } catch {
    return false; // an incomplete folder is passed over
  }
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
