/**
 * Checks of what a function reads from its arguments itself, before libtorch sees them.
 */
import { EngineError } from './call.js';
import { Generator } from './generator.js';
import { Tensor } from './tensor.js';

export function tensorOf(name: string, x: Tensor): Tensor {
  if (!Tensor.is(x)) throw new EngineError(name, [x], 'expected a tensor');
  return x;
}

export function generatorOf(name: string, generator: Generator): Generator {
  if (!Generator.is(generator)) throw new EngineError(name, [generator], 'expected a generator');
  return generator;
}

/** The options of a call, read once. */
export function optionsOf<T extends object>(name: string, options: T): T {
  try {
    if (typeof options === 'object' && options !== null) return { ...options };
  } catch {
    // a proxy or a getter that throws: no options either
  }
  throw new EngineError(name, [options as never], 'expected options in an object');
}
