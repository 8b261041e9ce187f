/** Comparisons of tensors and gradients by finite differences. */
import assert from 'node:assert/strict';
import {
  copy_,
  Generator,
  mul,
  noGrad,
  randn,
  scope,
  sum,
  Tensor,
} from '../../src/tensor/index.js';

type Numbers = Tensor | readonly number[];

const numbersOf = (values: Numbers): readonly number[] =>
  values instanceof Tensor ? values.toNumbers() : values;

/** Fails unless all elements differ by at most `tolerance`; shapes must agree where both are tensors. */
export function close(got: Numbers, wanted: Numbers, tolerance: number, what = 'values'): void {
  if (got instanceof Tensor && wanted instanceof Tensor)
    assert.deepEqual(got.shape, wanted.shape, `${what}: shape`);
  const a = numbersOf(got);
  const b = numbersOf(wanted);
  assert.equal(a.length, b.length, `${what}: number of elements`);
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    assert.ok(difference <= tolerance, `${what}[${i}]: got ${a[i]}, not ${b[i]} ± ${tolerance}`);
  }
}

/** Standard normal float64 numbers that depend on the seed alone. */
export const noise = (shape: readonly number[], seed: number): Tensor =>
  randn(shape, new Generator(seed), 'float64');

/** A fixed random mixture of all elements, so that no gradient cancels. */
export const mixture = (x: Tensor): Tensor => sum(mul(x, noise(x.shape, 50)));

/** Overwrites a tensor with standard normal numbers times `scale`. */
export function fill_(tensor: Tensor, seed: number, scale = 1): void {
  noGrad(() =>
    scope(() => {
      const values = randn(tensor.shape, new Generator(seed), 'float64').toNumbers();
      copy_(
        tensor,
        Tensor.from(
          Float64Array.from(values, (x) => x * scale),
          tensor.shape,
        ),
      );
    }),
  );
}

/** Central differences with a step of 1e-5 in float64 are good to about 1e-9 of the loss's size. */
const STEP = 1e-5;
const MOST_ELEMENTS = 24;

/** How closely gradients are compared. */
export interface GradientCheck {
  /** Relative to the larger of 1 and the gradient. */
  tolerance?: number;
  /** Shorter where the function bends sharply: the error grows with its square. */
  step?: number;
  /** Elements of a tensor that are moved by themselves; the direction moves all of them. */
  mostElements?: number;
}

/**
 * Fails unless the gradients of a scalar agree with central differences: element by element (evenly
 * spaced ones of a large tensor) and along one random direction, which touches every element.
 *
 * @param loss   builds the scalar anew from the inputs, deterministically
 * @param inputs float64 tensors by name
 */
export function checkGradients(
  loss: () => Tensor,
  inputs: Readonly<Record<string, Tensor>>,
  check: GradientCheck | number = {},
): void {
  const {
    tolerance = 1e-7,
    step: length = STEP,
    mostElements = MOST_ELEMENTS,
  } = typeof check === 'number' ? { tolerance: check } : check;
  for (const tensor of Object.values(inputs)) {
    assert.equal(tensor.dtype, 'float64');
    tensor.setRequiresGrad(true);
    tensor.setGrad();
  }
  scope(() => loss().backward());
  const value = (): number => noGrad(() => scope(() => loss().item()));
  for (const [name, tensor] of Object.entries(inputs)) {
    const gradient = tensor.grad?.toNumbers();
    assert.ok(gradient !== undefined, `${name}: has a gradient`);
    const start = tensor.toNumbers();
    const along = (direction: readonly number[]): number => {
      const at = (step: number): number => {
        const moved = start.map((x, i) => x + step * (direction[i] as number));
        noGrad(() =>
          scope(() => copy_(tensor, Tensor.from(Float64Array.from(moved), tensor.shape))),
        );
        return value();
      };
      return (at(length) - at(-length)) / (2 * length);
    };
    const compare = (direction: readonly number[], what: string): void => {
      const wanted = along(direction);
      const got = gradient.reduce((total, g, i) => total + g * (direction[i] as number), 0);
      const bound = tolerance * Math.max(1, Math.abs(wanted));
      assert.ok(Math.abs(got - wanted) <= bound, `${name}${what}: got ${got}, not ${wanted}`);
    };
    const stride = Math.ceil(start.length / mostElements);
    for (let i = 0; i < start.length; i += stride)
      compare(
        start.map((_, j) => (j === i ? 1 : 0)),
        `[${i}]`,
      );
    const direction = scope(() => noise([start.length], 97).toNumbers());
    const norm = Math.hypot(...direction);
    compare(
      direction.map((x) => x / norm),
      ' along a direction',
    );
    noGrad(() => scope(() => copy_(tensor, Tensor.from(Float64Array.from(start), tensor.shape))));
  }
}
