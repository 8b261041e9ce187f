/**
 * How far SmolLM2's logits are from those of transformers on the same GGUF file, as a relative error, with
 * the base in float32 and in bfloat16; see generate_logits.py.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Llama } from '../../../src/llama/index.js';
import {
  cast,
  type DType,
  engineThreads,
  narrow,
  noGrad,
  scope,
  Tensor,
} from '../../../src/tensor/index.js';
import { openWeights } from '../../../src/weights/index.js';
import { openFixture } from '../support/fixture.js';
import { smollmPath } from './model-path.js';

engineThreads(1);

/** ‖ours - theirs‖ / ‖theirs‖ over the kept logits of a prompt; the largest seen was 5.9e-6. */
const FLOAT32_TOLERANCE = 2e-5;
/** The same in bfloat16, whose eight bits each side rounds in places of its own; the largest seen was 0.064. */
const BFLOAT16_TOLERANCE = 0.1;

const path = smollmPath();
const skip = existsSync(path) ? false : 'the model is not in the cache';

interface Expected {
  prompts: { ids: number[] }[];
}

function relative(got: readonly number[], wanted: readonly number[]): number {
  const difference = Math.hypot(...got.map((value, i) => value - (wanted[i] as number)));
  return difference / Math.hypot(...wanted);
}

/** Every n-th logit after the last token of each prompt, by the prompt's number. */
function logitsIn(dtype: DType, numbers: readonly number[], every: number): Map<number, number[]> {
  const { prompts } = JSON.parse(
    readFileSync(join(import.meta.dirname, 'fixtures', 'expected.json'), 'utf8'),
  ) as Expected;
  const source = openWeights(path);
  const model = new Llama(source.config, (name) => source.load(name, { dtype }));
  const found = new Map<number, number[]>();
  for (const number of numbers) {
    const ids = (prompts[number] as { ids: number[] }).ids;
    const logits = noGrad(() =>
      scope(() => {
        const ids_1T = Tensor.from(BigInt64Array.from(ids, BigInt), [1, ids.length]);
        const states = model.forward(model.embed(ids_1T));
        const last = model.logits(narrow(states, 1, ids.length - 1, 1));
        assert.equal(last.dtype, dtype);
        return cast(last, 'float32').toNumbers();
      }),
    );
    found.set(
      number,
      logits.filter((_, i) => i % every === 0),
    );
  }
  for (const [, tensor] of model.namedTensors()) tensor.dispose();
  return found;
}

test('relative error of the logits in float32 and bfloat16', { skip }, (t) => {
  const { facts, wanted } = openFixture<{ every: number }>(import.meta.dirname, 'logits');
  const stored = (dtype: string): Map<number, number[]> =>
    new Map(
      [...wanted]
        .filter(([key]) => key.startsWith(`${dtype}.`))
        .map(([key, tensor]) => [Number(key.split('.')[1]), tensor.toNumbers()]),
    );
  const theirs = { float32: stored('float32'), bfloat16: stored('bfloat16') };
  const of = (map: ReadonlyMap<number, number[]>, number: number): number[] =>
    map.get(number) as number[];
  const worst = (errors: readonly number[]): number => Math.max(...errors);
  const mean = (errors: readonly number[]): number =>
    errors.reduce((total, error) => total + error, 0) / errors.length;
  const show = (error: number): string => error.toExponential(1);
  const summary = (errors: readonly number[]): string =>
    `${show(worst(errors))} (${show(mean(errors))})`;

  const wide = logitsIn('float32', [...theirs.float32.keys()], facts.every);
  const float32 = [...wide].map(([number, got]) => relative(got, of(theirs.float32, number)));
  t.diagnostic(`float32: at most ${show(worst(float32))} over ${float32.length} prompts`);
  assert.equal(float32.length, 20);
  assert.ok(worst(float32) <= FLOAT32_TOLERANCE, 'float32');

  const short = [...theirs.bfloat16.keys()];
  const narrowed = logitsIn('bfloat16', short, facts.every);
  const apart = short.map((n) => relative(of(narrowed, n), of(theirs.bfloat16, n)));
  const ours = short.map((n) => relative(of(narrowed, n), of(theirs.float32, n)));
  const reference = short.map((n) => relative(of(theirs.bfloat16, n), of(theirs.float32, n)));
  t.diagnostic(
    `bfloat16 over ${short.length} prompts, at most (mean): from theirs ${summary(apart)}; from float32 ours ${summary(ours)}, theirs ${summary(reference)}`,
  );
  assert.ok(short.length >= 5, 'prompts in bfloat16');
  assert.ok(worst(apart) <= BFLOAT16_TOLERANCE, 'bfloat16');
  // Rounding may fall differently, but ours must not lose more than the reference does.
  assert.ok(mean(ours) <= 1.5 * mean(reference), 'what bfloat16 loses');
});
