/** The conditional logit: its derivatives, its minimum by hand, weights that it finds again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/random/index.js';
import {
  type Choice,
  fitLogit,
  logitLoss,
  scoresOf,
} from '../../../src/recommenders/blend/logit.js';
import { close } from '../../support/numeric.js';

const WEIGHTS = Float64Array.of(0.7, -0.4, 1.1);

/** Rows whose choice is drawn by the logit of some weights. */
function planted(rows: number, weights = WEIGHTS, alternatives = 12): Choice[] {
  const random = new Random(3, 'planted');
  const F = weights.length;
  return Array.from({ length: rows }, () => {
    const features_KF = Float32Array.from({ length: alternatives * F }, () => random.gaussian());
    const odds = scoresOf(features_KF, weights).map(Math.exp);
    let left = random.uniform() * odds.reduce((sum, value) => sum + value, 0);
    const chosen = odds.findIndex((value) => {
      left -= value;
      return left < 0;
    });
    const own = features_KF.slice(chosen * F, (chosen + 1) * F);
    features_KF.copyWithin(chosen * F, 0, F);
    features_KF.set(own);
    return { features_KF };
  });
}

test('loss by hand: two alternatives, and the ridge on top', async () => {
  const choices = [{ features_KF: Float32Array.of(1, 0) }, { features_KF: Float32Array.of(0, 2) }];
  const { value } = await logitLoss(choices, Float64Array.of(0.5), { features: 1, ridge: 3 });
  const wanted = (Math.log(1 + Math.exp(-0.5)) + Math.log(1 + Math.exp(1)) + (3 / 2) * 0.25) / 2;
  close([value], [wanted], 1e-12);
});

test('gradient and second derivatives are those of finite differences', async () => {
  const choices = planted(7);
  const options = { features: 3, ridge: 0.8 };
  const at = Float64Array.of(0.3, 0.2, -0.5);
  const { gradient, hessian } = await logitLoss(choices, at, options);
  const step = 1e-5;
  for (let f = 0; f < 3; f++) {
    const [above, below] = await Promise.all(
      [step, -step].map((move) =>
        logitLoss(
          choices,
          at.map((weight, g) => weight + (f === g ? move : 0)),
          options,
        ),
      ),
    );
    close([gradient[f]!], [(above!.value - below!.value) / (2 * step)], 1e-8);
    const bend = above!.gradient.map((value, g) => (value - below!.gradient[g]!) / (2 * step));
    close([...hessian.slice(3 * f, 3 * f + 3)], [...bend], 1e-8);
  }
});

test('with one feature of 1 or 0 the weight is the log-odds of the choice', async () => {
  const yes = { features_KF: Float32Array.of(1, 0) };
  const no = { features_KF: Float32Array.of(0, 1) };
  const [weight] = await fitLogit([yes, yes, yes, no], { features: 1, ridge: 1e-9 });
  close([weight!], [Math.log(3)], 1e-6);
});

test('planted weights are found again, and a large ridge holds them back', async () => {
  const choices = planted(4000);
  close([...(await fitLogit(choices, { features: 3, ridge: 1 }))], [...WEIGHTS], 0.06);
  const held = await fitLogit(choices, { features: 3, ridge: 1e7 });
  assert.ok(held.every((weight) => Math.abs(weight) < 1e-2));
});

test('the same rows give the same bits; an extreme choice and features alike for all still end', async () => {
  const choices = planted(50);
  const options = { features: 3, ridge: 1 };
  assert.deepEqual(await fitLogit(choices, options), await fitLogit(choices, options));
  const sure = [{ features_KF: Float32Array.of(1e3, 0) }];
  const [weight] = await fitLogit(sure, { features: 1, ridge: 1 });
  assert.ok(weight! > 0 && Number.isFinite(weight!));
  assert.deepEqual(
    [...(await fitLogit([{ features_KF: Float32Array.of(2, 2, 2) }], { features: 1, ridge: 1 }))],
    [0],
  );
});

test('no rows and a stop are said', async () => {
  const options = { features: 1, ridge: 1 };
  await assert.rejects(fitLogit([], options), { code: 'data', message: /at least one row, got 0/ });
  const choices = planted(1, Float64Array.of(1));
  await assert.rejects(fitLogit(choices, { ...options, signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
});
