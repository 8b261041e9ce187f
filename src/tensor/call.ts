/**
 * Typed entries to libtorch's operators through the one door.
 *
 * `operator('aten::linear', 'input weight bias')` names the arguments that will be passed. At first use they are
 * matched against the schema of the libtorch at hand. So a renamed, moved or missing argument is a clear error, and one
 * source works across versions.
 */
import { IloraError, mismatch, show } from '../errors/index.js';
import { Generator } from './generator.js';
import { type Handle, type NativeValue, native } from './native.js';
import { Tensor } from './tensor.js';

/** What an operator takes. `undefined` stands for the schema's default. */
export type Argument =
  | Tensor
  | Generator
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | readonly Argument[];

/** libtorch refused a call; names the operator and what it was given. */
export class EngineError extends IloraError {
  constructor(
    readonly operator: string,
    values: readonly Argument[],
    reason: string,
    cause?: unknown,
  ) {
    super(
      'engine',
      `${operator}(${values.map(render).join(', ')}): ${reason}`,
      { operator },
      cause,
    );
    this.name = 'EngineError';
  }
}

/** Whether the libtorch at hand has an operator, `aten::name` or `aten::name.overload`. */
export function hasOperator(qualified: string): boolean {
  return resolve(qualified) !== null;
}

/** An operator with one tensor as its result. */
export function operator(
  qualified: string,
  argumentNames: string,
): (...values: Argument[]) => Tensor {
  const run = operatorRaw(qualified, argumentNames);
  return (...values) => new Tensor(run(values) as Handle);
}

/** An operator with several tensors as its result. */
export function operatorMany(
  qualified: string,
  argumentNames: string,
): (...values: Argument[]) => Tensor[] {
  const run = operatorRaw(qualified, argumentNames);
  return (...values) => (run(values) as Handle[]).map((handle) => new Tensor(handle));
}

/** An operator that changes its first argument and gives nothing else back. */
export function operatorInPlace(
  qualified: string,
  argumentNames: string,
): (...values: Argument[]) => void {
  const run = operatorRaw(qualified, argumentNames);
  return (...values) => {
    const result = run(values);
    // In-place operators return the tensor they were given, under a handle of its own.
    if (result !== null && result !== undefined && !Array.isArray(result))
      native().dispose(result as Handle);
  };
}

function resolve(qualified: string): ReturnType<ReturnType<typeof native>['resolve']> {
  if (typeof qualified !== 'string')
    throw mismatch('engine', { where: 'operator(name)', expected: 'text', got: qualified });
  const dot = qualified.indexOf('.');
  return dot === -1
    ? native().resolve(qualified, '')
    : native().resolve(qualified.slice(0, dot), qualified.slice(dot + 1));
}

function operatorRaw(
  qualified: string,
  argumentNames: string,
): (values: readonly Argument[]) => NativeValue {
  for (const text of [qualified, argumentNames])
    if (typeof text !== 'string')
      throw mismatch('engine', { where: 'operator(name, arguments)', expected: 'text', got: text });
  const names = argumentNames === '' ? [] : argumentNames.split(' ');
  let id = -1;
  let places: number[] = [];
  return (values) => {
    if (id === -1) {
      const found = resolve(qualified);
      if (found === null) {
        throw new EngineError(
          qualified,
          values,
          `libtorch ${native().torchVersion} has no such operator`,
        );
      }
      const unknown = names.filter((name) => !found.arguments.includes(name));
      if (unknown.length > 0) {
        throw new EngineError(
          qualified,
          values,
          `expected arguments ${unknown.join(', ')} in libtorch's schema, got ${found.schema}`,
        );
      }
      places = names.map((name) => found.arguments.indexOf(name));
      id = found.id;
    }
    const passed: NativeValue[] = [];
    if (values.length > names.length)
      throw new EngineError(qualified, values, `expected at most ${names.length} arguments`);
    try {
      for (let i = 0; i < values.length; i++) {
        const place = places[i] as number;
        while (passed.length <= place) passed.push(undefined);
        passed[place] = lower(values[i], 0);
      }
      return native().call(id, passed);
    } catch (error) {
      throw new EngineError(qualified, values, (error as Error).message, error);
    }
  };
}

/** No operator takes a longer list, or lists in lists in lists. */
const LONGEST_LIST = 1 << 20;
const DEEPEST_LIST = 4;

function lower(value: Argument, depth: number): NativeValue {
  if (Tensor.is(value) || Generator.is(value)) return value.handle;
  if (!Array.isArray(value)) return value as NativeValue;
  if (depth === DEEPEST_LIST) throw new Error(`expected lists at most ${DEEPEST_LIST} deep`);
  if (value.length > LONGEST_LIST)
    throw new Error(`expected a list of at most ${LONGEST_LIST} values, got ${value.length}`);
  return Array.from(value, (entry: Argument) => lower(entry, depth + 1));
}

/** What was given, for messages: of any value, without ever failing. */
function render(value: Argument): string {
  try {
    if (Tensor.is(value)) return describe(value);
    if (Generator.is(value)) return 'generator';
    if (!Array.isArray(value)) return typeof value === 'string' ? value : show(value);
    if (value.length > 6) return `${value.length} values`;
    return `[${Array.from(value, (entry) => (Tensor.is(entry) ? describe(entry) : show(entry))).join(', ')}]`;
  } catch {
    return 'an unreadable value'; // a proxy whose traps throw
  }
}

function describe(tensor: Tensor): string {
  if (tensor.isDisposed) return 'disposed tensor';
  const { shape, dtype, device } = tensor;
  return `[${shape.join(', ')}] ${dtype}${device === 'cpu' ? '' : ` ${device}`}`;
}
