/**
 * Everything of the engine that can be called, with the kinds of its arguments.
 *
 * The lists are compared with what the modules export: a function that nobody listed is a failure, not a gap.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as attention from '../../src/tensor/attention.js';
import {
  dims,
  engineThreads,
  Generator,
  hasOperator,
  keep,
  noGrad,
  operator,
  operatorInPlace,
  operatorMany,
  RowStreams,
  scope,
  Tensor,
} from '../../src/tensor/index.js';
import { type Native, native } from '../../src/tensor/native.js';
import * as operators from '../../src/tensor/operators.js';
import { adopt, share } from '../../src/tensor/share.js';
import type { Dice } from './dice.js';
import { type Kind, type Named, receiver, right, wrong } from './value.js';

/** Something to call. */
export interface Target {
  name: string;
  /** Arguments for one call. */
  make(dice: Dice): Named[];
  call(values: readonly unknown[]): unknown;
}

/** One argument: its kind, or the options it takes. */
type Slot = Kind | Record<string, Kind>;
type Slots = readonly Slot[];

const T = 'tensor';
const PLACE: Record<string, Kind> = { dtype: 'dtype', device: 'device' };
const ATTENTION: Record<string, Kind> = {
  isCausal: 'flag',
  mask: 'tensor',
  isMaskCausal: 'flag',
  causal: 'tensor',
};
const unary = [
  'zerosLike',
  'clone',
  'detach',
  'widen',
  'contiguous',
  'neg',
  'exp',
  'log',
  'sqrt',
].concat(
  ['rsqrt', 'square', 'cos', 'sin', 'relu', 'silu', 'gelu', 'sigmoid', 'softplus', 'finite', 'all'],
  ['equalsZero', 'zero_', 'cholesky', 'choleskyInverse'],
);
const binary = [
  'sub',
  'matmul',
  'atMost',
  'or',
  'and',
  'copy_',
  'binaryCrossEntropy',
  'choleskySolve',
];

const GRU = {
  input_GI: 'tensor',
  state_GH: 'tensor',
  inputBias_G: 'tensor',
  stateBias_G: 'tensor',
} as const;

const OPERATORS: Record<string, Slots> = {
  ...Object.fromEntries(unary.map((name) => [name, [T]])),
  ...Object.fromEntries(binary.map((name) => [name, [T, T]])),
  zeros: ['shape', PLACE],
  full: ['shape', 'number', PLACE],
  arange: ['count', 'count', { ...PLACE, step: 'count' }],
  randn: ['shape', 'generator', 'dtype'],
  cast: [T, 'dtype'],
  toDevice: [T, 'device', 'dtype'],
  bitcast: [T, 'dtype'],
  add: [T, T, 'number'],
  mul: [T, T],
  div: [T, T],
  equal: [T, T],
  sum: [T, 'shape', 'flag'],
  mean: [T, 'shape', 'flag'],
  argmax: [T, 'int'],
  topk: [T, 'int', 'int'],
  softmax: [T, 'int'],
  logSoftmax: [T, 'int'],
  where: [T, T, T],
  maskedFill: [T, T, 'number'],
  reshape: [T, 'shape'],
  permute: [T, 'shape'],
  transpose: [T, 'int', 'int'],
  roll: [T, 'int', 'int'],
  unsqueeze: [T, 'int'],
  squeeze: [T, 'int'],
  expand: [T, 'shape'],
  cat: ['tensors', 'int'],
  stack: ['tensors', 'int'],
  narrow: [T, 'int', 'int', 'int'],
  select: [T, 'int', 'int'],
  split: [T, 'shape', 'int'],
  repeatInterleave: [T, 'count', 'int'],
  tril: [T, 'int'],
  indexSelect: [T, 'int', T],
  gather: [T, 'int', T],
  indexCopy: [T, 'int', T, T],
  embedding: [T, T, 'int'],
  linear: [T, T, T],
  conv1d: [T, T, { stride: 'int', padding: 'count', bias: 'tensor' }],
  maxPool1d: [T, 'int'],
  gru: [T, T, GRU],
  layerNorm: [T, T, T, 'number'],
  rmsNorm: [T, T, 'number'],
  rmsNormComposed: [T, T, 'number'],
  attention: [T, T, T, ATTENTION],
  attentionFused: [T, T, T, ATTENTION],
  attentionByProducts: [T, T, T, ATTENTION],
  causalMask: ['count', 'count', PLACE],
  addProduct_: [T, T, T, 'number'],
  addElementProduct_: [T, T, T],
  crossEntropy: [T, T, { reduction: 'text', ignoreId: 'int' }],
  dropout: [T, 'number', 'any'],
  zeroSome: [T, 'number', 'any'],
  uniform_: [T, 'number', 'number', 'generator'],
  normal_: [T, 'number', 'number', 'generator'],
  mapFile: ['text', 'int'],
};

const FOREACH: Record<string, Slots> = {
  mulNumber_: ['tensors', 'number'],
  mul_: ['tensors', 'tensors'],
  add_: ['tensors', 'tensors', 'number'],
  addNumber_: ['tensors', 'number'],
  addcmul_: ['tensors', 'tensors', 'tensors', 'number'],
  addcdiv_: ['tensors', 'tensors', 'tensors', 'number'],
  sqrt: ['tensors'],
  norm: ['tensors'],
};

/** The addon's entries; a wrong handle among the values comes with `any`. */
const NATIVE: Record<Exclude<keyof Native, 'torchVersion' | 'quit'>, Slots> = {
  resolve: ['text', 'text'],
  call: ['int', 'any'],
  describe: ['any'],
  fromBytes: ['any', 'shape', 'int'],
  toBytes: ['any'],
  dispose: ['any'],
  hint: ['any'],
  share: ['any'],
  adopt: ['int'],
  backward: ['any', 'any'],
  gradient: ['any'],
  setGradient: ['any', 'any'],
  setRequiresGradient: ['any', 'flag'],
  setGradMode: ['flag'],
  generator: ['device', 'int'],
  threads: ['int'],
  live: [],
  load: ['text'],
  hasCuda: [],
};

const METHODS: Record<string, Slots> = {
  axis: ['int'],
  setRequiresGrad: ['flag'],
  setGrad: [T],
  backward: [T],
  item: [],
  toNumbers: [],
  toTypedArray: [],
  dispose: [],
  toString: [],
};
const GETTERS = ['shape', 'dtype', 'device', 'size', 'requiresGrad', 'grad', 'isDisposed'];

const body = (value: unknown) => () => value;

/** All targets, and the names of functions that the lists above lack. */
export function findTargets(): { targets: Target[]; unlisted: string[] } {
  const unlisted: string[] = [];
  const targets: Target[] = [];
  const add = (name: string, slots: Slots, call: Target['call']): void => {
    targets.push({ name, make: (dice) => argumentsOf(slots, dice), call });
  };
  const addAll = (prefix: string, module: object, listed: Record<string, Slots>): void => {
    for (const [name, member] of Object.entries(module)) {
      if (typeof member !== 'function') continue;
      const slots = listed[name];
      if (slots === undefined) unlisted.push(`${prefix}${name}`);
      else add(`${prefix}${name}`, slots, (values) => member(...values));
    }
  };
  addAll('', { ...operators, ...attention }, OPERATORS);
  addAll('foreach.', operators.foreach, FOREACH);
  const { quit: _, ...called } = native(); // what it does ends the process, as it should
  addAll('native.', called, NATIVE);
  add('share', [T], ([tensor]) => share(tensor as never));
  add('adopt', ['int'], ([shared]) => adopt(shared as never));
  for (const name of Object.getOwnPropertyNames(Tensor.prototype)) {
    if (name === 'constructor') continue;
    const slots = METHODS[name];
    if (slots === undefined && !GETTERS.includes(name)) unlisted.push(`Tensor.${name}`);
    targets.push({
      name: `Tensor.prototype.${name}`,
      make: (dice) => [receiver(dice), ...argumentsOf(slots ?? [], dice)],
      call: ([self, ...values]) => {
        const member = (self as Record<string, unknown>)[name];
        return typeof member === 'function' ? member.apply(self, values) : member;
      },
    });
  }
  add('Tensor.from', ['any', 'shape', 'dtype'], (values) => Tensor.from(...(values as [never])));
  add('Tensor.is', ['any'], ([value]) => Tensor.is(value));
  add('new Generator', ['int', 'device'], ([seed, device]) => {
    return new Generator(seed as never, device as never);
  });
  add('new RowStreams', ['any', 'device'], ([keys, device]) => {
    return new RowStreams(keys as never, device as never);
  });
  add('RowStreams.rewind', ['any'], ([drawn]) => {
    new RowStreams(BigInt64Array.of(1n)).rewind(drawn as never);
  });
  add('RowStreams.bytes', ['count'], ([count]) =>
    // Gigabytes that are asked for and granted are no fault: of what is allowed, only small counts are tried.
    new RowStreams(BigInt64Array.of(1n, 2n)).bytes(
      (typeof count === 'number' && count <= 2 ** 35 ? Math.min(count, 2 ** 24) : count) as never,
    ),
  );
  add('dims', ['text', T, 'text', { B: 'int', T: 'int' }], (values) =>
    dims(...(values as [never, never, never])),
  );
  add('scope', ['any'], ([value]) => scope(body(value)));
  // A body's own error is not ours to type: functions, classes among them, go to `scope` above.
  const noFunction = (value: unknown): never => (typeof value === 'function' ? {} : value) as never;
  add('scope(body)', ['any'], ([value]) => scope(noFunction(value)));
  add('keep', ['any'], ([value]) => keep(value as never));
  add('noGrad', ['any'], ([value]) => noGrad(noFunction(value)));
  add('engineThreads', ['int'], ([count]) => engineThreads(count as never));
  add('hasOperator', ['text'], ([name]) => hasOperator(name as never));
  for (const make of [operator, operatorMany, operatorInPlace]) {
    add(make.name, ['text', 'text', T], ([name, names, x]) =>
      make(name as never, names as never)(x as never),
    );
  }
  for (const name of usedOperators()) addRaw(targets, name);
  return { targets, unlisted };
}

/** Arguments of the right kinds for the most part; some wrong, missing or too many. */
function argumentsOf(slots: Slots, dice: Dice): Named[] {
  const mistakes = dice.is(0.6) ? 0 : dice.pick([0.2, 0.5, 1]);
  const made = slots.map((slot) => (dice.is(mistakes) ? wrong(dice) : ofSlot(slot, dice)));
  if (dice.is(0.05)) made.pop();
  if (dice.is(0.05)) made.push(wrong(dice));
  return made;
}

function ofSlot(slot: Slot, dice: Dice): Named {
  if (typeof slot === 'string') return right(slot, dice);
  if (dice.is(0.3)) return { text: 'undefined', value: undefined };
  const entries = Object.entries(slot)
    .filter(() => dice.is(0.6))
    .map(([key, kind]) => [key, dice.is(0.8) ? right(kind, dice) : wrong(dice)] as const);
  return {
    text: `{ ${entries.map(([key, { text }]) => `${key}: ${text}`).join(', ')} }`,
    value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
  };
}

/** Names of the operators that the product calls, read from its source. */
function usedOperators(): string[] {
  const source = join(import.meta.dirname, '..', '..', 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const names = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(source, file), 'utf8').matchAll(/'(aten::[\w.]+)'/g)])
    .map(([, name]) => name as string);
  return [...new Set(names)].sort();
}

/** An operator behind the raw door, its values chosen by its own schema. */
function addRaw(targets: Target[], qualified: string): void {
  const [name, overload = ''] = qualified.split('.') as [string, string?];
  const found = native().resolve(name, overload);
  if (found === null) return;
  const inside = found.schema.slice(
    found.schema.indexOf('(') + 1,
    found.schema.lastIndexOf(') ->'),
  );
  const types = inside.split(', ').filter((part) => part !== '' && part !== '*');
  targets.push({
    name: `native.call(${qualified})`,
    make: (dice) => argumentsOf(types.map(kindOfType), dice),
    call: (values) => native().call(found.id, values.map(toHandle) as never),
  });
}

function kindOfType(type: string): Kind {
  if (/^Tensor(\(\w+!?\))?\[\]/.test(type)) return 'tensors';
  if (type.startsWith('Tensor')) return 'tensor';
  if (/^(Sym)?[Ii]nt(\[\d*\])/.test(type)) return 'shape';
  if (/^(Scalar|float)\b/.test(type)) return 'number';
  if (type.startsWith('bool')) return 'flag';
  if (type.startsWith('Generator')) return 'generator';
  if (type.startsWith('Device')) return 'device';
  if (type.startsWith('str')) return 'text';
  return 'count';
}

/** Handles in place of tensors and generators, also in lists: what call.ts does, without its care. */
function toHandle(value: unknown): unknown {
  try {
    if (value instanceof Tensor || value instanceof Generator) return value.handle;
    if (Array.isArray(value) && value.length < 10) return value.map(toHandle);
  } catch {
    return value; // a proxy whose traps throw goes as it is
  }
  return value;
}
