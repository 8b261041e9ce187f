/**
 * The gate of the authors' code: a residual convolution network over the representation.
 *
 * The M-vector is read as a signal of one channel, and goes through
 * - a convolution 1→16;
 * - three stages of 16, 32 and 64 channels with three residual blocks each. The first block of stages two and three
 *   halves the length;
 * - average pool, linear to the experts, softmax.
 *
 * 90,772 values at M = 64, E = 4. Shortcuts that change shape take every second place and pad channels with zeros, so
 * they have no values of their own.
 *
 * Differs: by default batch norm is replaced by a norm over each instance's own channels and places (same
 * number of values), so that an instance's gate never depends on its batch. `norm: 'batch'` is the
 * authors' variant; its batch is the optimizer step's, however the step is cut into parts.
 */
import { constant, kaimingUniform, Linear, Module, parameter } from '../nn/index.js';
import {
  add,
  cast,
  cat,
  conv1d,
  dims,
  type Generator,
  mean,
  operator,
  relu,
  softmax,
  type Tensor,
  unsqueeze,
  zeros,
} from '../tensor/index.js';
import type { Gate, GateUse } from './gate.js';

/** Statistics over one instance, or over the batch while training and running means afterwards. */
export type GateNorm = 'instance' | 'batch';

const groupNorm = operator('aten::group_norm', 'input num_groups weight bias eps');
const batchNorm = operator(
  'aten::batch_norm',
  'input weight bias running_mean running_var training momentum eps cudnn_enabled',
);
const strided = operator('aten::slice.Tensor', 'self dim start end step');

class ChannelNorm extends Module {
  weight: Tensor; // [C]
  bias: Tensor; // [C]
  runningMean?: Tensor; // [C]
  runningVar?: Tensor; // [C]

  constructor(
    channels: number,
    readonly norm: GateNorm,
  ) {
    super();
    this.weight = parameter(constant(channels, 1));
    this.bias = parameter(constant(channels, 0));
    if (norm === 'batch') {
      this.runningMean = constant(channels, 0);
      this.runningVar = constant(channels, 1);
    }
  }

  forward(x_BCL: Tensor, { isTraining = false, movesStatistics = true }: GateUse): Tensor {
    if (this.norm === 'instance') return groupNorm(x_BCL, 1, this.weight, this.bias, 1e-5);
    // A batch of one has no variance to speak of; the running statistics stand in.
    const usesBatch = isTraining && x_BCL.axis(0) > 1;
    const moves = !usesBatch || movesStatistics;
    return batchNorm(
      x_BCL,
      this.weight,
      this.bias,
      moves ? this.runningMean : null,
      moves ? this.runningVar : null,
      usesBatch,
      0.1,
      1e-5,
      false,
    );
  }
}

class ResidualBlock extends Module {
  conv1: Tensor; // [C, I, 3]
  norm1: ChannelNorm;
  conv2: Tensor; // [C, C, 3]
  norm2: ChannelNorm;

  constructor(
    readonly channelsIn: number,
    readonly channels: number,
    norm: GateNorm,
    generator: Generator,
  ) {
    super();
    this.conv1 = parameter(kaimingUniform([channels, channelsIn, 3], generator));
    this.norm1 = new ChannelNorm(channels, norm);
    this.conv2 = parameter(kaimingUniform([channels, channels, 3], generator));
    this.norm2 = new ChannelNorm(channels, norm);
  }

  forward(x_BIL: Tensor, use: GateUse): Tensor {
    const stride = this.channelsIn === this.channels ? 1 : 2;
    const inner_BCL = relu(
      this.norm1.forward(conv1d(x_BIL, this.conv1, { stride, padding: 1 }), use),
    );
    const outer_BCL = this.norm2.forward(conv1d(inner_BCL, this.conv2, { padding: 1 }), use);
    return relu(add(outer_BCL, this.#shortcut(x_BIL)));
  }

  #shortcut(x_BIL: Tensor): Tensor {
    if (this.channelsIn === this.channels) return x_BIL;
    const halved_BIL = strided(x_BIL, 2, 0, x_BIL.axis(2), 2);
    const [B, I, L] = halved_BIL.shape as [number, number, number];
    const padding = zeros([B, (this.channels - I) / 2, L], {
      dtype: x_BIL.dtype,
      device: x_BIL.device,
    });
    return cat([padding, halved_BIL, padding], 1);
  }
}

/** The residual convolution gate. */
export class ConvGate extends Module implements Gate {
  conv: Tensor; // [16, 1, 3]
  norm: ChannelNorm;
  blocks: ResidualBlock[];
  linear: Linear; // [E, 64]
  readonly groups = 1;
  readonly dependsOnBatch: boolean;

  constructor(
    readonly experts: number,
    norm: GateNorm,
    generator: Generator,
  ) {
    super();
    this.dependsOnBatch = norm === 'batch';
    this.conv = parameter(kaimingUniform([16, 1, 3], generator));
    this.norm = new ChannelNorm(16, norm);
    const widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64];
    this.blocks = widths
      .slice(1)
      .map((width, i) => new ResidualBlock(widths[i] as number, width, norm, generator));
    this.linear = Linear.create(64, experts, { generator });
  }

  forward(representation_BM: Tensor, use: GateUse = {}): Tensor {
    dims('ConvGate.forward(representation)', representation_BM, 'B M');
    let x_BCL = unsqueeze(cast(representation_BM, this.conv.dtype), 1);
    x_BCL = relu(this.norm.forward(conv1d(x_BCL, this.conv, { padding: 1 }), use));
    for (const block of this.blocks) x_BCL = block.forward(x_BCL, use);
    return softmax(this.linear.forward(mean(x_BCL, [2])), 1);
  }
}
