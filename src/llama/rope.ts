/**
 * Rotary position embedding.
 *
 * Su et al. 2021, in the half-rotation form of Hugging Face's Llama: feature i is paired with i + K/2.
 * Llama-3's scaling stretches the low frequencies: wavelengths above `originalMaxPositions /
 * lowFreqFactor` are slowed by `factor`, those below `originalMaxPositions / highFreqFactor` are kept,
 * those between are interpolated.
 */

import {
  addElementProduct_,
  type Device,
  type DType,
  indexSelect,
  keep,
  mul,
  narrow,
  reshape,
  roll,
  Tensor,
  toDevice,
} from '../tensor/index.js';
import type { ModelConfig } from '../weights/index.js';

/** Angles per position and pair of features: position · θ^(-2i/K), scaled. */
export function inverseFrequencies(
  headDim: number,
  theta: number,
  scaling?: ModelConfig['ropeScaling'],
): Float64Array {
  const frequencies = new Float64Array(headDim / 2);
  for (let i = 0; i < frequencies.length; i++) {
    const frequency = theta ** ((-2 * i) / headDim);
    frequencies[i] = scaleFrequency(frequency, i, scaling);
  }
  return frequencies;
}

function scaleFrequency(frequency: number, i: number, scaling: ModelConfig['ropeScaling']): number {
  if (scaling === undefined) return frequency;
  if (scaling.type === 'factors') return frequency / (scaling.factors[i] ?? 1);
  if (scaling.type === 'linear') return frequency / scaling.factor;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
  if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
  const smooth =
    (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - smooth) * (frequency / factor) + smooth * frequency;
}

/** Cosines and signed sines for a set of positions, ready to be applied in every layer. */
export interface Rotation {
  /** [..., T, K], broadcast over heads. */
  cos: Tensor;
  /** [..., T, K]; its first half is negated, so that rotating is one roll and two products. */
  sin: Tensor;
}

/** Tables of cosines and sines for positions from 0. */
export class RotaryEmbedding {
  readonly #frequencies: Float64Array;
  #tables: { cos: Tensor; sin: Tensor; length: number; device: Device } | undefined;

  constructor(
    readonly headDim: number,
    theta: number,
    scaling?: ModelConfig['ropeScaling'],
  ) {
    this.#frequencies = inverseFrequencies(headDim, theta, scaling);
  }

  /** The rotation of positions 0 ... length - 1 from `start`. */
  range(start: number, length: number, place: { device: Device; dtype: DType }): Rotation {
    const { cos, sin } = this.#upTo(start + length, place);
    return { cos: narrow(cos, 0, start, length), sin: narrow(sin, 0, start, length) };
  }

  /**
   * The rotation of given positions.
   * @param positions_BT row-major, in the shape `shape`
   */
  at(
    positions_BT: readonly number[],
    shape: readonly [number, number],
    place: { device: Device; dtype: DType },
  ): Rotation {
    const { cos, sin } = this.#upTo(
      positions_BT.reduce((max, p) => Math.max(max, p), 0) + 1,
      place,
    );
    const index = toDevice(Tensor.from(positions_BT, undefined, 'int64'), place.device);
    const [B, T] = shape;
    const pick = (table: Tensor): Tensor =>
      reshape(indexSelect(table, 0, index), [B, 1, T, this.headDim]);
    return { cos: pick(cos), sin: pick(sin) };
  }

  #upTo(
    length: number,
    { device, dtype }: { device: Device; dtype: DType },
  ): { cos: Tensor; sin: Tensor } {
    const known = this.#tables;
    if (
      known !== undefined &&
      known.length >= length &&
      known.cos.dtype === dtype &&
      known.device === device
    )
      return known;
    const rows = 2 ** Math.ceil(Math.log2(Math.max(length, 256)));
    const K = this.headDim;
    // Reckoned in double and rounded once, so that a model in double is not rotated in single precision.
    const cos = new Float64Array(rows * K);
    const sin = new Float64Array(rows * K);
    for (let position = 0; position < rows; position++) {
      for (let i = 0; i < K / 2; i++) {
        const angle = position * (this.#frequencies[i] as number);
        const first = position * K + i;
        const second = first + K / 2;
        cos[first] = cos[second] = Math.cos(angle);
        sin[second] = Math.sin(angle);
        sin[first] = -(sin[second] as number);
      }
    }
    known?.cos.dispose();
    known?.sin.dispose();
    const place = (values: Float64Array): Tensor =>
      keep(toDevice(Tensor.from(values, [rows, K]), device, dtype));
    this.#tables = { cos: place(cos), sin: place(sin), length: rows, device };
    return this.#tables;
  }
}

/** x · cos + swapped halves of x · signed sin, for x [B, H, T, K]. */
export function rotate(x_BHTK: Tensor, { cos, sin }: Rotation): Tensor {
  const rotated_BHTK = mul(roll(x_BHTK, x_BHTK.axis(-1) / 2, -1), sin);
  addElementProduct_(rotated_BHTK, x_BHTK, cos);
  return rotated_BHTK;
}
