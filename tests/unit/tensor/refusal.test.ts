/** What once crashed, hung, passed silently or gave an error of JavaScript, one test each. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { show } from '../../../src/errors/index.js';
import {
  arange,
  attention,
  crossEntropy,
  dims,
  div,
  EngineError,
  engineThreads,
  Generator,
  keep,
  liveTensors,
  noGrad,
  operator,
  randn,
  scope,
  Tensor,
  widen,
  zeros,
} from '../../../src/tensor/index.js';
import { native } from '../../../src/tensor/native.js';
import { leaksNothing } from '../../support/leak.js';

engineThreads(1);

const engine = { code: 'engine' };
const x = (): Tensor => Tensor.from([1, 2, 3]);

test('an external of another addon is no handle, for any entry that takes one', () => {
  const own = createRequire(import.meta.url);
  const bindings = createRequire(own.resolve('@duckdb/node-api'))('@duckdb/node-bindings');
  const foreign = bindings.create_config();
  const { describe, toBytes, dispose, hint, gradient, backward, setGradient } = native();
  for (const entry of [describe, toBytes, dispose, hint, gradient, backward, setGradient])
    assert.throws(() => entry(foreign), { ...engine, message: /expected a (tensor )?handle/ });
  assert.throws(() => backward(x().handle, foreign), engine);
});

test('a code that libtorch would look up outside its tables is refused', () => {
  const clone = operator('aten::clone', 'self memory_format');
  assert.throws(() => clone(x(), 4), /memory_format: expected a supported code, got 4/);
  const make = operator('aten::zeros', 'size dtype layout');
  assert.throws(() => make([1], 6, 7), /layout: expected a supported code, got 7/);
  for (const code of [-1, 1, 12, 26, 255, 262, 2 ** 40])
    assert.throws(() => native().fromBytes(new Float32Array(1), [1], code), /element type/);
});

test('a generator that was disposed is refused by name', () => {
  const generator = new Generator(1);
  native().dispose(generator.handle);
  assert.throws(() => randn([2], generator), /the generator was disposed/);
});

test('an operator resolved while another one reads its arguments does not move it', () => {
  const { resolve, call } = native();
  const add = resolve('aten::add.Tensor'.split('.')[0] as string, 'Tensor');
  const handle = x().handle;
  const values = [handle, handle, 1];
  Object.defineProperty(values, 1, {
    get: () => {
      for (let i = 0; i < 5000; i++) resolve('aten::neg', '');
      return handle;
    },
  });
  const sum = new Tensor(call(add?.id as number, values) as never);
  assert.deepEqual(sum.toNumbers(), [2, 4, 6]);
});

test('more threads than a process can have are refused by the addon too', () => {
  for (const count of [0, -1, 2 ** 31 - 1, 2 ** 32 + 1, 1.5])
    assert.throws(() => native().threads(count), engine);
});

test('shared memory is read, memory that was given away is refused', () => {
  const shared = new Float32Array(new SharedArrayBuffer(12), 4, 2);
  shared.set([5, 6]);
  assert.deepEqual(Tensor.from(shared).toNumbers(), [5, 6]);
  const given = new Float32Array(2);
  structuredClone(given.buffer, { transfer: [given.buffer] });
  assert.throws(() => Tensor.from(given, [2]), /needs 8 bytes, got 0/);
});

test('lengths that are no numbers are refused by dims, not shown as shapes', () => {
  for (const length of [native().live, x().handle, true, 'B', new Array(2 ** 32 - 1)])
    assert.throws(() => dims('f(x)', x(), 'B T', { B: length as never }), { code: 'usage' });
});

test('flags are booleans', () => {
  for (const value of [0, 'no', null, undefined]) {
    assert.throws(() => native().setGradMode(value as never), /expected a boolean/);
    assert.throws(() => native().setRequiresGradient(x().handle, value as never), engine);
  }
});

test('lists without end are refused at once', () => {
  const holes = new Array(2 ** 32 - 1);
  const ring: unknown[] = [];
  ring.push(ring);
  for (const list of [holes, ring]) {
    assert.throws(() => zeros(list as never), EngineError);
    assert.throws(() => Tensor.from(list as never), engine);
  }
  assert.equal(
    scope(() => holes),
    holes,
  );
});

test('an unknown type, device or reduction is refused, not taken for the default', () => {
  for (const dtype of ['float31', 'toString', '', 7])
    assert.throws(() => zeros([1], { dtype: dtype as never }), /dtype: expected uint8/);
  assert.throws(() => Tensor.from([1], [1], 'toString' as never), engine);
  for (const device of ['banana', 'meta', 'cpu:0', 7])
    assert.throws(() => zeros([1], { device: device as never }), /device: expected cpu, cuda/);
  const reduction = 'average' as never;
  assert.throws(() => crossEntropy(zeros([1, 2]), zeros([1], { dtype: 'int64' }), { reduction }), {
    message: 'crossEntropy(reduction): expected none, mean, sum, got "average"',
  });
});

test('numbers that would wrap around or turn into NaN are refused', () => {
  assert.throws(() => Tensor.from([2 ** 31], [1], 'int32'), /from -2147483648 to 2147483647/);
  assert.throws(() => Tensor.from([256], [1], 'uint8'), /from 0 to 255/);
  for (const value of ['1', null, undefined, 1n, Symbol('s'), {}])
    assert.throws(() => Tensor.from([0, value] as never), /expected a number at place 1/);
});

test('dividing by a number is dividing, for zeros, tiny numbers and whole types too', () => {
  assert.deepEqual(div(Tensor.from([0, 1]), 1e-310).toNumbers(), [
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]);
  assert.deepEqual(div(Tensor.from(Float64Array.of(0, 5)), 1e-310).toNumbers()[0], 0);
  assert.equal(div(arange(0, 3), 1).dtype, 'float32');
});

test('values and keys of different number are refused', () => {
  const heads = (length: number): Tensor => zeros([1, 1, length, 4]);
  for (const attend of [attention])
    assert.throws(() => attend(heads(2), heads(5), heads(3)), {
      code: 'shape',
      message: 'attention(value): expected shape [B=1, G=1, S=5, O], got [1, 1, 3, 4]',
    });
});

test('no argument leads to an error of JavaScript', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [null, undefined, 7, {}, Symbol('s'), Object.create(null), proxy]) {
    const it = value as never;
    for (const use of [widen, zeros, dims, noGrad, Tensor.from, keep] as ((
      value: never,
    ) => unknown)[])
      assert.throws(() => use(it), { code: /^(engine|shape|usage)$/ }, use.name);
  }
});

test('a result that cannot be looked through is refused, and what was made is freed', async () => {
  const hidden = (): object => ({
    tensor: x(),
    get other(): never {
      throw new Error('as planned');
    },
  });
  await leaksNothing(() => {
    for (let i = 0; i < 5; i++)
      assert.throws(() => scope(hidden), {
        ...engine,
        message: /a result that can be looked through/,
      });
  });
  assert.ok(liveTensors() >= 0);
});

test('any value can be shown in a message', () => {
  const ring: Record<string, unknown> = { big: 1n };
  ring.self = ring;
  assert.equal(show(ring), '{"big":"1","self":"..."}');
  assert.equal(show(new Float32Array(1e6)), 'Float32Array of 4000000 bytes');
  assert.equal(show([[[[1]]]]), '[[[[...]]]]');
  assert.match(show(Array.from({ length: 100 }, (_, i) => i)), /31, \.\.\. 100 in all\]$/);
  const thrower = {
    toJSON: () => {
      throw new Error('as planned');
    },
  };
  assert.equal(show(thrower), 'an unreadable value');
  assert.equal(show(Symbol('s')), 'Symbol(s)');
});
