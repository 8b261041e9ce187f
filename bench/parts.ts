/**
 * What each decision about speed is worth by itself: the same work done two ways, in turn, at SmolLM2-135M's shapes
 * with five windows of 205 tokens, forward and backward.
 *
 *   npm run --silent bench:parts -- [--quick] [--json] [--result bench/results/parts.json]
 *
 * `ratio` is the other way's time over ours. docs/performance.md draws the conclusions.
 */
import { ExpertLoraLinear, LoraLinear } from '../src/lora/index.js';
import { Dropout, forwardAll, Linear, type Module, type Pass } from '../src/nn/index.js';
import * as t from '../src/tensor/index.js';
import { command } from './harness/command.js';
import { alternate } from './harness/contestant.js';
import { ratio, spread } from './harness/statistics.js';

const [B, T, D, F, H, G, K, V] = [5, 205, 576, 1536, 9, 3, 64, 49_152] as const;
const ANSWERS = 8 * B;
const EXPERTS = 4;
const atLeastOp = t.operator('aten::ge.Scalar', 'self other');
const LORA = { rank: 8, alpha: 16, dropout: 0.05 };

/** The same computation done as it is and in another way; both give what is differentiated. */
interface Pair {
  what: string;
  /** What gradients are taken of, beside the layers' own parameters. */
  inputs: readonly t.Tensor[];
  layers?: readonly Module[];
  ours: () => readonly t.Tensor[];
  other: () => readonly t.Tensor[];
}

await command('parts', {}, async ({ isQuick, rounds, threads, dtype, note }) => {
  t.engineThreads(threads);
  const repeats = isQuick ? 3 : 20;
  const parts: Record<string, unknown> = {};
  for (const pair of pairs(dtype)) {
    const seconds = await alternate(
      (['ours', 'other'] as const).map((name) => ({
        name: `${pair.what}: ${name}`,
        run: async () => {
          const started = performance.now();
          for (let i = 0; i < repeats; i++) step(pair, pair[name]);
          return (performance.now() - started) / 1000 / repeats;
        },
      })),
      { rounds, warmUp: 1, note: () => undefined },
    );
    const [ours, other] = [...seconds.values()] as [number[], number[]];
    const found = ratio(other, ours);
    note(`${pair.what}: ${found.ofMedians.toFixed(2)}`);
    parts[pair.what] = {
      ratio: found.ofMedians,
      ratios: spread(other.map((value, i) => value / (ours[i] as number))),
      ours_ms: spread(ours).median * 1000,
      other_ms: spread(other).median * 1000,
    };
  }
  return { failures: [], parts, windows: B, tokens: B * T };
});

/** Forward, and backward from the sum of all outputs. */
function step({ inputs, layers = [] }: Pair, run: () => readonly t.Tensor[]): void {
  t.scope(() => {
    const sums = run().map((y) => t.sum(y));
    sums.reduce((total, each) => t.add(total, each)).backward();
  });
  for (const input of inputs) input.setGrad();
  for (const layer of layers)
    for (const [, parameter] of layer.namedParameters()) parameter.setGrad();
}

function pairs(dtype: t.DType): Pair[] {
  const random = new t.Generator(1);
  const draw = (...shape: number[]): t.Tensor => t.cast(t.randn(shape, random), dtype);
  const leaf = (...shape: number[]): t.Tensor => draw(...shape).setRequiresGrad(true);
  const pass = (): Pass => ({ dropout: new t.RowStreams(new BigInt64Array(B)) });
  const x = leaf(B, T, D);
  const wide = leaf(B, T, F);
  const [query, key, value] = [leaf(B, H, T, K), leaf(B, G, T, K), leaf(B, G, T, K)];
  const causal = t.causalMask(T, T, { dtype, device: 'cpu' });
  const frozen = (O: number, I: number): Linear => new Linear(draw(O, I));
  const bases = [frozen(H * K, D), frozen(G * K, D), frozen(G * K, D)];
  const fused = frozen((H + 2 * G) * K, D);
  const adapted = bases.map((base) => lora(new LoraLinear(base, LORA, random), random));
  const experts = lora(
    new ExpertLoraLinear(
      frozen(F, D),
      { ...LORA, totalRank: LORA.rank, experts: EXPERTS, scaleBy: 'total-rank' },
      random,
    ),
    random,
  );
  const gates_BE = t.softmax(t.randn([B, EXPERTS], random), -1);
  const table = draw(V, D);
  const flat = leaf(B * T, D);
  const places = t.Tensor.from(BigInt64Array.from({ length: ANSWERS }, (_, i) => BigInt(i * 7)));
  const targets = t.Tensor.from(BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i)));
  const loss = (states: t.Tensor, ids: t.Tensor): t.Tensor =>
    t.crossEntropy(t.widen(t.linear(states, table)), ids, { reduction: 'sum' });
  const few = t.narrow(targets, 0, 0, ANSWERS);
  const dropout = new Dropout(LORA.dropout);
  return [
    {
      what: 'attention: products beside the fused kernel',
      inputs: [query, key, value],
      ours: () => [t.attentionByProducts(query, key, value, { isCausal: true, causal })],
      other: () => [t.attentionFused(query, key, value, { isCausal: true })],
    },
    {
      what: 'adapters of query, key and value: together beside one by one',
      inputs: [x],
      layers: adapted,
      ours: () => forwardAll(adapted, x, pass()),
      other: () => {
        const own = pass();
        return adapted.map((layer) => layer.forward(x, own));
      },
    },
    {
      what: 'experts: gated between the factors beside each output by itself',
      inputs: [x],
      layers: [experts],
      ours: () => [experts.forward(x, { gates_BE })],
      other: () => [expertsOneByOne(experts, x, gates_BE)],
    },
    {
      what: 'frozen query, key and value: three products beside one',
      inputs: [x],
      ours: () => forwardAll(bases, x),
      other: () => t.split(fused.forward(x), [H * K, G * K, G * K], 2),
    },
    {
      what: 'dropout: bytes as numbers beside bytes compared',
      inputs: [wide],
      ours: () => [dropout.forward(wide, pass())],
      other: () => [dropoutCompared(wide, (pass() as { dropout: t.RowStreams }).dropout)],
    },
    {
      what: 'logits: where the loss needs them beside everywhere',
      inputs: [flat],
      ours: () => [loss(t.indexSelect(flat, 0, places), few)],
      other: () => [loss(flat, targets)],
    },
  ];
}

/** Makes `up` something else than the zeros it starts with. */
function lora<L extends LoraLinear | ExpertLoraLinear>(layer: L, random: t.Generator): L {
  t.noGrad(() => t.normal_(layer.up, 0, 0.02, random));
  return layer;
}

/** Σₑ gₑ · s · (x Aₑᵀ) Bₑᵀ, an output per expert. */
function expertsOneByOne(layer: ExpertLoraLinear, x: t.Tensor, gates_BE: t.Tensor): t.Tensor {
  const { down, up, expertRank: R, scale, base } = layer;
  let y = base.forward(x);
  for (let e = 0; e < layer.experts; e++) {
    const own = t.linear(
      t.linear(x, t.cast(t.narrow(down, 0, e * R, R), x.dtype)),
      t.cast(t.narrow(up, 1, e * R, R), x.dtype),
    );
    const gate = t.cast(t.mul(t.unsqueeze(t.narrow(gates_BE, 1, e, 1), 2), scale), x.dtype);
    y = t.add(y, t.mul(own, gate));
  }
  return y;
}

/** The same dropout by way of truth values. */
function dropoutCompared(x: t.Tensor, streams: t.RowStreams): t.Tensor {
  const level = Math.round(LORA.dropout * 256);
  const bytes = t.reshape(streams.bytes(x.size / B), x.shape);
  const mask = t.mul(t.cast(atLeastOp(bytes, level), x.dtype), 256 / (256 - level));
  return t.mul(x, mask);
}
