/**
 * Controls: a checkpoint with one thing changed must be noticed by the comparison.
 *
 * A proof of equality that could not see a difference would prove nothing. Each change is sealed with
 * right hashes, so that only the outcome of the resumed run can give it away.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../src/training/index.js';
import { openSafetensors } from '../../src/weights/index.js';

type State = Record<string, unknown> & { step: number; badValidations: number };

/** Names of the changes and what each does to a checkpoint folder. */
export const CONTROLS: Record<string, (checkpoint: string) => void> = {
  'a parameter': (path) => flipBit(join(path, 'model.safetensors'), /./),
  'a first moment': (path) => flipBit(join(path, 'optimizer.safetensors'), /\.first$/),
  'a second moment': (path) => flipBit(join(path, 'optimizer.safetensors'), /\.second$/),
  'steps of a moment': (path) =>
    changeState(path, (state) => {
      const steps = state.adamSteps as Record<string, number>;
      for (const key of Object.keys(steps)) steps[key] = (steps[key] ?? 0) + 1;
    }),
  'the step': (path) =>
    changeState(path, (state) => {
      state.step -= 1;
    }),
  'validations without a best': (path) =>
    changeState(path, (state) => {
      state.badValidations += 1;
    }),
  'the best score': (path) =>
    changeState(path, (state) => {
      state.best = { score: 2, step: 1 };
    }),
  'the length of the metrics': (path) =>
    changeState(path, (state) => {
      state.metricsBytes = 0;
    }),
};

/** Applies a change to the newest checkpoint of a run. */
export function applyControl(run: string, change: (checkpoint: string) => void): void {
  const { checkpoints } = new RunFolder(run);
  const path = join(checkpoints, readdirSync(checkpoints).sort().at(-1) as string);
  change(path);
  const hashes = Object.fromEntries(
    ['model.safetensors', 'optimizer.safetensors', 'state.json'].map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(path, file)))
        .digest('hex'),
    ]),
  );
  writeFileSync(join(path, 'complete.json'), `${JSON.stringify(hashes)}\n`);
}

/** Turns the highest bit of the fraction of the middle value of one tensor. */
function flipBit(file: string, wanted: RegExp): void {
  const tensors = [...openSafetensors(file).tensors.values()].filter(
    ({ name, byteLength }) => wanted.test(name) && byteLength > 0,
  );
  const tensor = tensors[Math.floor(tensors.length / 2)];
  if (tensor === undefined) throw new Error(`${file}: expected a tensor like ${wanted}`);
  const bytes = readFileSync(file);
  const value = tensor.offset + 4 * Math.floor(tensor.byteLength / 8);
  bytes[value + 2] = (bytes[value + 2] as number) ^ 0x40;
  writeFileSync(file, bytes);
}

function changeState(path: string, change: (state: State) => void): void {
  const file = join(path, 'state.json');
  const state = JSON.parse(readFileSync(file, 'utf8')) as State;
  change(state);
  writeFileSync(file, `${JSON.stringify(state)}\n`);
}
