/** Means over seeds, and an evaluation of some of its rows: by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanOf, restrict } from '../../../src/evaluation/index.js';
import { evaluationOf, instances } from './helper.js';

test('of several seeds a metric is the mean, with the deviation between them beside it', async () => {
  const hits = [
    [true, true, true, false],
    [true, false, false, false],
    [true, true, false, false],
  ];
  const runs = await Promise.all(hits.map((own) => evaluationOf(own, 'mine')));
  const mean = meanOf(runs, { resamples: 200 });
  assert.equal(mean.runs, 3);
  // 0.75, 0.25 and 0.5: their mean, and √((0.25² + 0.25² + 0) / 2).
  assert.ok(Math.abs(mean.metrics.hr_at_1.value - 0.5) < 1e-12);
  assert.ok(Math.abs((mean.spread?.hr_at_1 ?? 0) - 0.25) < 1e-12);
  assert.equal(mean.spread?.valid_ratio, 0);
  assert.equal(meanOf(runs.slice(0, 1)), runs[0]);
  assert.throws(() => meanOf([]), /at least one evaluation/);
  const other = await evaluationOf([true, true, true], 'mine');
  assert.throws(() => meanOf([runs[0]!, other]), { code: 'data', message: /the same 4 rows/ });
});

test('an evaluation of some rows holds their outcomes in their order, and refuses rows that it lacks', async () => {
  const whole = await evaluationOf([true, false, true, false, false], 'mine');
  const rows = instances(5);
  const part = restrict(whole, [rows[3]!, rows[0]!], { resamples: 200 });
  assert.deepEqual(
    part.outcomes.map(({ row }) => row),
    [3, 0],
  );
  assert.equal(part.metrics.hr_at_1.value, 0.5);
  assert.deepEqual([part.numRows, part.numUsers], [2, 2]);
  assert.ok(Math.abs(part.seconds - (2 / 5) * whole.seconds) < 1e-9);
  assert.throws(() => restrict(whole, [{ ...rows[0]!, row: 9 }]), {
    code: 'data',
    message: /restrict\(mine\): expected an outcome of row 9, user user 0, got nothing/,
  });
  assert.throws(() => restrict(whole, [{ ...rows[0]!, user: 'another' }]), /got "user 0"/);
});
