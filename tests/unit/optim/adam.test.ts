/** Adam and AdamW against the formula in plain TypeScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Adam, type AdamOptions, type ParameterGroup } from '../../../src/optim/index.js';
import { copy_, engineThreads, noGrad, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { close, noise } from '../../support/numeric.js';

engineThreads(1);

/** One parameter's values and moments, as in Kingma & Ba's Algorithm 1. */
class Reference {
  readonly #first: number[];
  readonly #second: number[];
  #steps = 0;
  constructor(
    readonly values: number[],
    readonly rate: number,
    readonly decay: number,
    readonly options: Required<Omit<AdamOptions, 'averaging'>>,
  ) {
    this.#first = values.map(() => 0);
    this.#second = values.map(() => 0);
  }

  step(gradient: readonly number[], factor: number): void {
    const { beta1, beta2, epsilon, isDecoupled } = this.options;
    const rate = this.rate * factor;
    this.#steps++;
    for (let i = 0; i < this.values.length; i++) {
      let g = gradient[i]!;
      if (isDecoupled) this.values[i]! -= rate * this.decay * this.values[i]!;
      else g += this.decay * this.values[i]!;
      this.#first[i] = beta1 * this.#first[i]! + (1 - beta1) * g;
      this.#second[i] = beta2 * this.#second[i]! + (1 - beta2) * g * g;
      const first = this.#first[i]! / (1 - beta1 ** this.#steps);
      const second = this.#second[i]! / (1 - beta2 ** this.#steps);
      this.values[i]! -= (rate * first) / (Math.sqrt(second) + epsilon);
    }
  }
}

const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, isDecoupled: false };

function group(name: string, rate: number, decay: number, keys: readonly string[]): ParameterGroup {
  const parameters = new Map(
    keys.map((key, i) => [key, noise([3, 2], name.length + i).setRequiresGrad(true)]),
  );
  return { name, parameters, learningRate: rate, weightDecay: decay };
}

const gradientAt = (step: number, key: string): Tensor =>
  noise([3, 2], 1000 + 31 * step + key.charCodeAt(0));

for (const isDecoupled of [false, true]) {
  test(`${isDecoupled ? 'AdamW' : 'Adam'} with two groups, decay and a schedule follows the formula for ten steps`, () => {
    for (const betas of [{}, { beta1: 0.8, beta2: 0.95, epsilon: 1e-3 }]) {
      const options = { ...defaults, ...betas, isDecoupled };
      const groups = [group('first', 0.1, 0, ['a', 'b']), group('second', 0.03, 0.2, ['c'])];
      const adam = new Adam(groups, options);
      const references = new Map<string, Reference>();
      for (const { parameters, learningRate, weightDecay } of groups)
        for (const [key, tensor] of parameters)
          references.set(
            key,
            new Reference(tensor.toNumbers(), learningRate, weightDecay, options),
          );
      for (let step = 0; step < 10; step++) {
        const factor = 1 / (step + 1);
        for (const { parameters } of groups)
          for (const [key, tensor] of parameters) {
            const gradient = gradientAt(step, key);
            references.get(key)?.step(gradient.toNumbers(), factor);
            tensor.setGrad(gradient);
          }
        adam.step(factor);
        adam.zeroGrad();
      }
      for (const { parameters } of groups)
        for (const [key, tensor] of parameters)
          close(tensor, references.get(key)!.values, 1e-12, key);
    }
  });
}

test('the first step is the learning rate against the sign of the gradient, whatever its size', () => {
  const weight = Tensor.from([1, 1]).setRequiresGrad(true);
  const adam = new Adam([
    { name: 'g', parameters: new Map([['w', weight]]), learningRate: 0.5, weightDecay: 0 },
  ]);
  weight.setGrad(Tensor.from([1e-3, -40]));
  adam.step();
  close(weight, [0.5, 1.5], 1e-4);
});

test('a parameter without gradient is left alone, and its own steps count from its first', () => {
  const groups = [group('g', 0.1, 0.5, ['a', 'b'])];
  const adam = new Adam(groups);
  const a = groups[0]!.parameters.get('a') as Tensor;
  const b = groups[0]!.parameters.get('b') as Tensor;
  const untouched = b.toNumbers();
  const reference = new Reference(b.toNumbers(), 0.1, 0.5, defaults);
  for (let step = 0; step < 6; step++) {
    a.setGrad(gradientAt(step, 'a'));
    if (step >= 3) {
      const gradient = gradientAt(step, 'b');
      reference.step(gradient.toNumbers(), 1);
      b.setGrad(gradient);
    }
    adam.step();
    adam.zeroGrad();
    if (step === 2) assert.deepEqual(b.toNumbers(), untouched);
  }
  assert.deepEqual(adam.state().steps, { a: 6, b: 3 });
  close(b, reference.values, 1e-12);
});

test('its state in another optimizer goes on as the first would have', () => {
  const first = [group('g', 0.1, 0.1, ['a', 'b'])];
  const second = [group('g', 0.1, 0.1, ['a', 'b'])];
  const run = (adam: Adam, from: number, to: number): void => {
    for (let step = from; step < to; step++) {
      for (const [key, tensor] of adam.groups[0]!.parameters) tensor.setGrad(gradientAt(step, key));
      adam.step();
      adam.zeroGrad();
    }
  };
  const one = new Adam(first);
  run(one, 0, 4);
  const two = new Adam(second);
  noGrad(() => {
    const saved = one.state();
    for (const [key, tensor] of two.state().tensors)
      copy_(tensor, saved.tensors.get(key) as Tensor);
    for (const [key, tensor] of second[0]!.parameters)
      copy_(tensor, first[0]!.parameters.get(key) as Tensor);
    two.restoreSteps(saved.steps);
  });
  run(one, 4, 8);
  run(two, 4, 8);
  for (const [key, tensor] of second[0]!.parameters)
    assert.deepEqual(tensor.toNumbers(), first[0]!.parameters.get(key)?.toNumbers());
  assert.deepEqual([...two.state().tensors.keys()], ['a.first', 'a.second', 'b.first', 'b.second']);
});

test('a decay of exactly 1 is a decay', () => {
  for (const [isDecoupled, wanted] of [
    [true, 4 - 0.1 * 1 * 4 - 0.1], // η·λ·θ, and a first step of η against the sign of g
    [false, 4 - 0.1], // g + λ·θ = -1 + 4 has the other sign than g
  ] as const) {
    const weight = Tensor.from([4]).setRequiresGrad(true);
    const parameters = new Map([['w', weight]]);
    const group = { name: 'g', parameters, learningRate: 0.1, weightDecay: 1 };
    const adam = new Adam([group], { isDecoupled });
    weight.setGrad(Tensor.from([isDecoupled ? 1 : -1]));
    adam.step();
    close(weight, [wanted], 1e-6);
  }
});

test('after zeroGrad no parameter has a gradient, and a step changes nothing', () => {
  const groups = [group('one', 0.1, 0.5, ['a']), group('two', 0.1, 0.5, ['b'])];
  const adam = new Adam(groups);
  for (const tensor of adam.parameters) tensor.setGrad(gradientAt(0, 'a'));
  adam.zeroGrad();
  assert.deepEqual(
    adam.parameters.map(({ grad }) => grad),
    [undefined, undefined],
  );
  const before = adam.parameters.map((tensor) => tensor.toNumbers());
  adam.step();
  assert.deepEqual(
    adam.parameters.map((tensor) => tensor.toNumbers()),
    before,
  );
});

test('a parameter that the saved steps do not name has made none', () => {
  const adam = new Adam([group('g', 0.1, 0, ['a', 'b'])]);
  for (const tensor of adam.parameters) tensor.setGrad(gradientAt(0, 'a'));
  adam.step();
  adam.restoreSteps({ a: 7 });
  assert.deepEqual(adam.state().steps, { a: 7, b: 0 });
});

test('a parameter in two groups is refused by key', () => {
  assert.throws(() => new Adam([group('one', 1, 0, ['a']), group('two', 1, 0, ['b', 'a'])]), {
    code: 'usage',
    message: 'Adam(two): expected each parameter in one group, got "a"',
  });
});

test('steps leave no tensor behind', async () => {
  const adam = new Adam([group('g', 0.1, 0.1, ['a', 'b'])], { isDecoupled: true });
  const gradient = noise([3, 2], 5);
  const step = (): void => {
    for (const tensor of adam.parameters) tensor.setGrad(gradient);
    adam.step();
    adam.zeroGrad();
  };
  step();
  await leaksNothing(() => {
    for (let i = 0; i < 50; i++) step();
  });
});

test('a running average follows the formula, can be exchanged with the weights, and goes on from saved state', () => {
  const averaging = 0.9;
  const make = () => group('g', 0.1, 0, ['a']);
  const own = make();
  const value = own.parameters.get('a') as Tensor;
  const adam = new Adam([own], { averaging });
  let wanted = value.toNumbers();
  const step = (of: Adam, parameter: Tensor, at: number): void => {
    parameter.setGrad(gradientAt(at, 'a'));
    of.step();
  };
  for (let t = 1; t <= 60; t++) {
    step(adam, value, t);
    const decay = Math.min(averaging, (1 + t) / (10 + t));
    const now = value.toNumbers();
    wanted = wanted.map((average, i) => decay * average + (1 - decay) * (now[i] as number));
  }
  const trained = value.toNumbers();
  adam.swapAverages();
  close(value, wanted, 1e-12);
  adam.swapAverages();
  assert.deepEqual(value.toNumbers(), trained);
  const again = make();
  const other = again.parameters.get('a') as Tensor;
  const resumed = new Adam([again], { averaging });
  noGrad(() => {
    copy_(other, value);
    for (const [key, tensor] of resumed.state().tensors)
      copy_(tensor, adam.state().tensors.get(key) as Tensor);
  });
  resumed.restoreSteps(adam.state().steps);
  for (const [of, parameter] of [
    [adam, value],
    [resumed, other],
  ] as const) {
    step(of, parameter, 61);
    of.swapAverages();
  }
  assert.deepEqual(other.toNumbers(), value.toNumbers());
});

test('without averaging nothing is exchanged and nothing more is saved', () => {
  const own = group('g', 0.1, 0, ['a']);
  const adam = new Adam([own]);
  const before = own.parameters.get('a')?.toNumbers();
  adam.swapAverages();
  assert.deepEqual(own.parameters.get('a')?.toNumbers(), before);
  assert.deepEqual([...adam.state().tensors.keys()], ['a.first', 'a.second']);
});
