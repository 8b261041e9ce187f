/**
 * Seeded sources of random numbers for operators, apart from libtorch's global ones.
 */
import { IloraError } from '../errors/index.js';
import type { Device } from './dtype.js';
import { type Handle, native, requireCuda } from './native.js';

/** A random stream on a device. Equal seeds give equal streams on equal devices. */
export class Generator {
  /** @internal */ readonly handle: Handle;

  constructor(
    readonly seed: number,
    readonly device: Device = 'cpu',
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new IloraError(
        'engine',
        `Generator(seed): expected a whole number from 0, got ${seed}`,
      );
    }
    if (device !== 'cpu') requireCuda();
    this.handle = native().generator(device, seed);
  }
}
