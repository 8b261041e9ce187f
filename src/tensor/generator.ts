/**
 * Seeded sources of random numbers for operators, apart from libtorch's global ones.
 */
import { mismatch } from '../errors/index.js';
import type { Device } from './dtype.js';
import { type Handle, native, place } from './native.js';

/** A random stream on a device. Equal seeds give equal streams on equal devices. */
export class Generator {
  /** @internal */ readonly handle: Handle;
  readonly #isGenerator = true;

  /** Whether a value is a generator; a proxy of one or an object made to look like one is not. */
  static is(value: unknown): value is Generator {
    return (
      typeof value === 'object' && value !== null && #isGenerator in value && value.#isGenerator
    );
  }

  constructor(
    readonly seed: number,
    readonly device: Device = 'cpu',
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw mismatch('engine', {
        where: 'Generator(seed)',
        expected: 'a whole number from 0',
        got: seed,
      });
    }
    this.handle = native().generator(place(device), seed);
  }
}
