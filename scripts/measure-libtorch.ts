/**
 * Speed of the libtorch in use: matrix products, and with a model a step of training.
 *
 *     LIBTORCH=/usr npx tsx scripts/measure-libtorch.ts [--model FILE] [--steps N] [--small]
 *
 * The environment is taken as it is; start it with what the launcher sets (LD_PRELOAD,
 * OMP_WAIT_POLICY) to see what the command line gets. Prints one JSON document.
 */
import { parseArgs } from 'node:util';
import { productSpeed } from '../src/cli/engine-report.js';
import { Llama } from '../src/llama/index.js';
import { inject, LLAMA_PROJECTIONS, LoraLinear } from '../src/lora/index.js';
import * as t from '../src/tensor/index.js';
import { openWeights } from '../src/weights/index.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    steps: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '1.5' },
    small: { type: 'boolean', default: false },
  },
});
const tokens = 352;
const sizes = flags.small
  ? [{ M: 64, K: 64, N: 64 }]
  : [
      { M: 384, K: 576, N: 1536 },
      { M: 2048, K: 2048, N: 2048 },
    ];

const { libtorch, threads } = t.engineInfo();
const products = (['float32', 'bfloat16'] as const).flatMap((dtype) =>
  sizes.map(({ M, K, N }) => ({
    dtype,
    size: `${M}x${K}x${N}`,
    gflops: round(productSpeed(dtype, { M, K, N }, { seconds: Number(flags.seconds) })),
  })),
);
const steps =
  flags.model === undefined
    ? undefined
    : (['float32', 'bfloat16'] as const).map((dtype) => trainingSteps(flags.model!, dtype));
console.log(
  JSON.stringify({
    libtorch: libtorch.version,
    source: libtorch.source,
    processor: t.processorName(),
    threads,
    small: smallOperators(),
    products,
    steps,
  }),
);

/** Forward and backward of one instance through a frozen base with plain LoRA, in milliseconds. */
function trainingSteps(path: string, dtype: t.DType): Record<string, unknown> {
  const source = openWeights(path);
  const model = new Llama(source.config, (key) => source.load(key, { dtype }));
  const random = new t.Generator(1);
  inject(
    model,
    LLAMA_PROJECTIONS,
    (layer) => new LoraLinear(layer, { rank: 8, alpha: 32, dropout: 0.1 }, random),
  );
  const ids = t.Tensor.from(
    BigInt64Array.from({ length: tokens }, (_, i) => BigInt(1000 + i * 37)),
    [1, tokens],
  );
  const times = Array.from({ length: Number(flags.steps) }, () => {
    const start = performance.now();
    const loss = t.scope(() => {
      const dropout = new t.RowStreams(BigInt64Array.of(1n));
      const hidden = model.forward(model.embed(ids), { pass: { dropout } });
      return t.sum(t.square(t.narrow(hidden, 1, tokens - 1, 1)));
    });
    loss.backward();
    loss.dispose();
    return performance.now() - start;
  });
  const warm = times.slice(1).sort((a, b) => a - b);
  return {
    dtype,
    tokens,
    bestMs: round(warm[0]!),
    medianMs: round(warm[Math.floor(warm.length / 2)]!),
  };
}

/** Microseconds of a sum over as many elements as several threads share: what waking them costs. */
function smallOperators(): number {
  return t.noGrad(() =>
    t.scope(() => {
      const x = t.full([65_536], 1);
      const times = Array.from({ length: 3000 }, () => {
        const start = performance.now();
        t.mul(x, 2).dispose();
        return performance.now() - start;
      }).sort((a, b) => a - b);
      return round(1000 * times[1500]!);
    }),
  );
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
