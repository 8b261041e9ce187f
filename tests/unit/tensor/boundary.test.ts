/** The engine's boundary under wrong values: no signal, no hang, no untyped error; and that each would be seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzBoundary, type Plant } from '../../../prove/boundary.js';
import { EngineError, engineThreads, operator } from '../../../src/tensor/index.js';

engineThreads(1);

test('four thousand calls with wrong values are answered or refused with a typed error', async () => {
  const { calls, refused, failures } = await fuzzBoundary({ calls: 4000, seed: 1 });
  assert.deepEqual(failures, []);
  assert.equal(calls, 4000);
  // Both kinds of answer are frequent: the calls get past the first check, and not all are right.
  assert.ok(refused > 1000 && refused < 3000, `${refused} refused`);
});

test('planted faults of every kind are found and named, and the calls behind them are made', async () => {
  const plants: readonly Plant[] = ['signal', 'untyped', 'memory', 'leak', 'hang'];
  const findings = await fuzzBoundary({ calls: 12, seed: 1, plants, patienceMs: 4000 });
  const wanted = [
    /^ended by SIGSEGV: plant signal\(\)/,
    /^plant untyped\(\): refused with TypeError/,
    /^plant memory\(\): took \d+ MiB/,
    /^no answer for 4 s: plant hang\(\)/,
  ];
  assert.equal(findings.failures.length, wanted.length, findings.failures.join('\n'));
  for (const [i, message] of wanted.entries())
    assert.match(findings.failures[i] as string, message);
  assert.equal(findings.calls, 12);
  const leak = await fuzzBoundary({ calls: 6, seed: 1, plants: ['leak'] });
  assert.deepEqual(leak.failures, ['100 tensors are left after calls 0 to 6']);
});

test('a tensor larger than the memory that is left is refused, not promised', () => {
  const empty = operator('aten::empty.memory_format', 'size dtype device');
  for (const bytes of [2 ** 40, 2 ** 44])
    assert.throws(() => empty([bytes], 0, 'cpu'), {
      constructor: EngineError,
      message: /can't allocate memory/,
    });
});
