/**
 * Random bits for a batch whose rows do not know of each other: one stream per row, by its key.
 *
 * What a row gets is a function of its key, the number of the draw and the place in the row. So neither other rows of
 * the batch nor padding behind it change it, and the CPU and a GPU agree. A word is SplitMix64 (Steele,
 * Lea & Flood, OOPSLA 2014) at a place of the key's own sequence, for all rows in the same few operators.
 */
import { types } from 'node:util';
import { mismatch } from '../errors/index.js';
import { operator, operatorInPlace } from './call.js';
import { type Device, DTYPE_CODES } from './dtype.js';
import { bitcast, narrow, toDevice } from './operators.js';
import { Tensor } from './tensor.js';

const arangeOp = operator('aten::arange.start_step', 'start end step dtype device');
const addOp = operator('aten::add.Tensor', 'self other');
const addNumberOp = operator('aten::add.Scalar', 'self other');
const shiftOp = operator('aten::bitwise_right_shift.Tensor_Scalar', 'self other');
const mulOp = operatorInPlace('aten::mul_.Scalar', 'self other');
const andOp = operatorInPlace('aten::bitwise_and_.Scalar', 'self other');
const xorOp = operatorInPlace('aten::bitwise_xor_.Tensor', 'self other');

/** Constants of SplitMix64 as signed integers: libtorch's 64-bit integers have a sign. */
const STEP = BigInt.asIntN(64, 0x9e3779b97f4a7c15n);
const MIX_A = BigInt.asIntN(64, 0xbf58476d1ce4e5b9n);
const MIX_B = BigInt.asIntN(64, 0x94d049bb133111ebn);

export class RowStreams {
  readonly #keys_B1: Tensor;
  #draws = 0n;

  /** @param keys 64 random bits per row */
  constructor(
    keys: BigInt64Array,
    readonly device: Device = 'cpu',
  ) {
    if (!types.isBigInt64Array(keys))
      throw mismatch('engine', {
        where: 'RowStreams(keys)',
        expected: '64 bits per row in a BigInt64Array',
        got: keys,
      });
    this.#keys_B1 = toDevice(Tensor.from(keys, [keys.length, 1]), device);
  }

  /** B */
  get rows(): number {
    return this.#keys_B1.axis(0);
  }

  /** Number of draws so far. */
  get drawn(): bigint {
    return this.#draws;
  }

  /** Goes back to where it was after `drawn` draws: the next ones are repeated. */
  rewind(drawn: bigint): void {
    if (typeof drawn !== 'bigint' || drawn < 0n || drawn > this.#draws)
      throw mismatch('engine', {
        where: 'RowStreams.rewind(drawn)',
        expected: `a number of draws up to ${this.#draws}`,
        got: drawn,
      });
    this.#draws = drawn;
  }

  /** The next bytes of every row, uint8 [B, count]; with another count a row's first bytes are the same. */
  bytes(count: number): Tensor {
    if (!Number.isInteger(count) || count < 0 || count > 2 ** 35)
      throw mismatch('engine', {
        where: 'RowStreams.bytes(count)',
        expected: 'a whole number up to 2^35',
        got: count,
      });
    // A draw owns 2³² words of a row's sequence, so that draws of any lengths never overlap.
    const start = BigInt.asIntN(64, (this.#draws++ << 32n) * STEP);
    const places_W = arangeOp(0, Math.ceil(count / 8), 1, DTYPE_CODES.int64, this.device);
    mulOp(places_W, STEP);
    const words_BW = addOp(addNumberOp(this.#keys_B1, start), places_W);
    fold_(words_BW, 30);
    mulOp(words_BW, MIX_A);
    fold_(words_BW, 27);
    mulOp(words_BW, MIX_B);
    fold_(words_BW, 31);
    return narrow(bitcast(words_BW, 'uint8'), 1, 0, count);
  }
}

/** z ^= z >>> bits; the shift keeps the sign, so the bits it brings in are cleared. */
function fold_(words: Tensor, bits: number): void {
  const shifted = shiftOp(words, bits);
  andOp(shifted, (1n << BigInt(64 - bits)) - 1n);
  xorOp(words, shifted);
}
