/**
 * Every operator function of the engine against plain loops: values in every type it takes, row-major and
 * strided, gradients by finite differences, and what it refuses. A function without a row fails.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IloraError } from '../../../../src/errors/index.js';
import * as attention from '../../../../src/tensor/attention.js';
import {
  type DType,
  engineThreads,
  Generator,
  mul,
  operator,
  scope,
  sum,
  type Tensor,
} from '../../../../src/tensor/index.js';
import * as operators from '../../../../src/tensor/operators.js';
import { checkGradients, noise } from '../../../support/numeric.js';
import { elementwise } from './elementwise.js';
import { making } from './making.js';
import { product } from './product.js';
import { reduction } from './reduction.js';
import { asType, type Case, compare, FLOATS, type Row, type Table, tensorOf } from './row.js';
import { shape } from './shape.js';

const functions = { ...operators, ...attention };

engineThreads(1);

const tables: readonly Table[] = [elementwise, reduction, shape, product, making];
const rows = tables.flatMap((table) => Object.entries(table));
const functionOf = (name: string): string => name.split(':')[0] as string;

test('every exported operator function has a row, and every row a function', () => {
  const exported = Object.entries(functions).filter(([, member]) => typeof member === 'function');
  const names = exported.map(([name]) => name);
  names.push(...Object.keys(operators.foreach).map((name) => `foreach.${name}`));
  assert.deepEqual([...new Set(rows.map(([name]) => functionOf(name)))].sort(), names.sort());
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, 'no row hides another');
});

/** The array that an input is, and the type it was rounded to, for rows that make their own numbers. */
const arraysOf = ({ inputs }: Case, dtype: DType) =>
  inputs.map((input) => ({ ...asType(input, dtype), own: dtype }));

function checkValues(name: string, row: Row): void {
  for (const [i, made] of row.cases.entries()) {
    for (const dtype of row.dtypes) {
      for (const layout of row.layouts ?? (['plain', 'strided'] as const)) {
        scope(() => {
          const arrays = arraysOf(made, dtype);
          const got = made.run(...arrays.map((array) => tensorOf(array, dtype, layout)));
          const types = row.result?.(dtype) ?? dtype;
          compare(
            `${name} case ${i} ${dtype} ${layout}`,
            got,
            made.want(...arrays),
            types,
            row.slack ?? 1,
          );
        });
      }
    }
  }
}

const isDifferentiable = (tensor: Tensor): boolean => FLOATS.includes(tensor.dtype);

/** A fixed mixture of all elements that carry a gradient, in a type wide enough. */
function mixture(result: ReturnType<Case['run']>): Tensor {
  const tensors = (Array.isArray(result) ? result : [result]) as Tensor[];
  const parts = tensors
    .filter(isDifferentiable)
    .map((tensor, i) => sum(mul(tensor, noise(tensor.shape, 50 + i))));
  return parts.reduce((a, b) => operators.add(a, b));
}

function checkRowGradients(row: Row): number {
  let checked = 0;
  for (const made of row.cases) {
    scope(() => {
      const tensors = arraysOf(made, 'float64').map((array, i) =>
        tensorOf(array, 'float64', i % 2 === 0 ? 'strided' : 'plain'),
      );
      const inputs = tensors.filter((tensor) => tensor.dtype === 'float64' && tensor.size > 0);
      if (inputs.length === 0) return;
      const named = Object.fromEntries(inputs.map((tensor, i) => [`input ${i}`, tensor]));
      checkGradients(() => mixture(made.run(...tensors)), named, 1e-6);
      checked++;
    });
  }
  return checked;
}

const makeZeros = operator('aten::zeros', 'size dtype device');

function disposed(): Tensor {
  const tensor = makeZeros([1], 6, 'cpu');
  tensor.dispose();
  return tensor;
}

/** What no function takes in place of a tensor. */
const STRANGERS: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  text: () => 'text',
  'an object': () => ({}),
  'a generator': () => new Generator(1),
  'a bare handle of a generator': () => new Generator(1).handle,
  'a symbol': () => Symbol('s'),
  'a proxy of a tensor': () => new Proxy(makeZeros([1], 6, 'cpu'), {}),
  'a list of lists': () => [[[[[[1]]]]]],
  'a disposed tensor': disposed,
};

function refusal(what: string, row: Row, call: () => unknown): void {
  assert.throws(
    () => scope(call),
    (error: unknown) => {
      assert.ok(error instanceof IloraError, `${what}: ${error}`);
      assert.ok(error.code === 'engine' || error.code === 'shape', `${what}: ${error.code}`);
      const isNamed = row.named.test(error.message) || /disposed/.test(error.message);
      assert.ok(isNamed, `${what}: ${error.message}`);
      return true;
    },
    what,
  );
}

function checkRefusals(row: Row): void {
  const [first] = row.cases as [Case];
  const dtype = row.dtypes[0] as DType;
  const tensors = (): Tensor[] => arraysOf(first, dtype).map((array) => tensorOf(array, dtype));
  for (const [i, misfit] of (row.misfits ?? []).entries()) refusal(`misfit ${i}`, row, misfit);
  for (let place = 0; place < first.inputs.length; place++) {
    if (row.loose?.includes(place)) continue;
    for (const [what, make] of Object.entries(STRANGERS))
      refusal(`${what} in place ${place}`, row, () => {
        const values: unknown[] = tensors();
        values[place] = make();
        return first.run(...(values as Tensor[]));
      });
  }
}

/** A tensor elsewhere among others is refused, or nothing is computed from its missing elements. */
function checkDevices(row: Row): void {
  const [first] = row.cases as [Case];
  const dtype = row.dtypes[0] as DType;
  for (let place = 0; place < first.inputs.length; place++) {
    scope(() => {
      const tensors = arraysOf(first, dtype).map((array) => tensorOf(array, dtype));
      const { shape: lengths, dtype: own } = tensors[place] as Tensor;
      const codes: Partial<Record<DType, number>> = {
        float64: 7,
        float32: 6,
        int64: 4,
        bool: 11,
        uint8: 0,
      };
      tensors[place] = makeZeros(lengths, codes[own], 'meta');
      let result: ReturnType<Case['run']>;
      try {
        result = first.run(...tensors);
      } catch (error) {
        assert.ok(error instanceof IloraError, String(error));
        return;
      }
      for (const tensor of (Array.isArray(result) ? result : [result]) as Tensor[])
        assert.throws(() => tensor.toTypedArray(), IloraError, 'a result without elements');
    });
  }
}

for (const [name, row] of rows) {
  test(`${name}: values in ${row.dtypes.join(', ')}`, () => checkValues(name, row));
  if (row.gradient)
    test(`${name}: gradients`, () => assert.ok(checkRowGradients(row) > 0, 'a case has gradients'));
  test(`${name}: refusals`, () => checkRefusals(row));
  if (row.loose?.includes(0) !== true) test(`${name}: devices`, () => checkDevices(row));
}
