/**
 * From a recommender's item vectors to the language model's width.
 *
 * LLaRA and iLoRA, eq. 6: Linear M→D, GELU, Linear D→D. 17,047,552 values at M = 64, D = 4096.
 */
import { Linear, Module } from '../nn/index.js';
import { cast, type DType, type Generator, gelu, type Tensor } from '../tensor/index.js';

/** items_XM → slots_XD */
export class Projector extends Module {
  input: Linear; // [D, M]
  output: Linear; // [D, D]

  constructor(recommenderWidth: number, modelWidth: number, generator: Generator) {
    super();
    this.input = Linear.create(recommenderWidth, modelWidth, { generator });
    this.output = Linear.create(modelWidth, modelWidth, { generator });
  }

  forward(items_XM: Tensor, dtype: DType): Tensor {
    const own_XM = cast(items_XM, this.input.weight.dtype);
    return cast(this.output.forward(gelu(this.input.forward(own_XM))), dtype);
  }
}
