/**
 * What each decision about speed is worth by itself: the same work done two ways, in turn, at SmolLM2-135M's shapes
 * with five windows of 205 tokens, forward and backward.
 *
 *   npm run --silent bench:parts -- [--quick] [--json] [--result bench/results/parts.json]
 *
 * `ratio` is the other way's time over ours. docs/performance.md draws the conclusions.
 */

import { alternate, ratio, spread } from '../harness/index.js';
import { Llama, RotaryEmbedding, rotate } from '../src/llama/index.js';
import type { Rotation } from '../src/llama/rope.js';
import { ExpertLoraLinear, LoraLinear } from '../src/lora/index.js';
import { Dropout, forwardAll, Linear, type Module, type Pass } from '../src/nn/index.js';
import * as t from '../src/tensor/index.js';
import type { ModelConfig } from '../src/weights/index.js';
import { command } from './command.js';

const [B, T, D, F, H, G, K, V] = [5, 205, 576, 1536, 9, 3, 64, 49_152] as const;
const ANSWERS = 8 * B;
const EXPERTS = 4;
const clampOp = t.operator('aten::clamp', 'self min max');
const subNumberOp = t.operator('aten::sub.Scalar', 'self other alpha');
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

await command('parts', { needs: [] }, async ({ isQuick, rounds, threads, dtype, note }) => {
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
  const rotation = new RotaryEmbedding(K, 10_000).range(0, T, { dtype, device: 'cpu' });
  const layer = oneLayer(dtype);
  const lasts = Array.from({ length: ANSWERS }, (_, i) => Math.floor(i / 8) * T + T - 8 + (i % 8));
  const lastPlaces = t.Tensor.from(lasts, undefined, 'int64');
  return [
    {
      what: 'attention: products beside the fused kernel',
      inputs: [query, key, value],
      ours: () => [t.attentionByProducts(query, key, value, { isCausal: true, causal })],
      other: () => [t.attentionFused(query, key, value, { isCausal: true })],
    },
    {
      what: 'causal attention: queries in blocks beside all keys for all',
      inputs: [query, key, value],
      ours: () => [t.attentionByProducts(query, key, value, { isCausal: true, causal })],
      other: () => [t.attentionByProducts(query, key, value, { mask: causal })],
    },
    {
      what: 'rotation: rolled, the second product added in place, beside halves joined',
      inputs: [query],
      ours: () => [rotate(query, rotation)],
      other: () => [rotateJoined(query, rotation)],
    },
    {
      what: 'last layer: where a state is asked for beside everywhere',
      inputs: [x],
      ours: () => [layer.forward(x, { states: lasts })],
      other: () => [t.indexSelect(t.reshape(layer.forward(x), [B * T, D]), 0, lastPlaces)],
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
      ours: () => [dropout.zeroSome(wide, pass()).kept],
      other: () => [dropoutCompared(wide, (pass() as { dropout: t.RowStreams }).dropout)],
    },
    {
      what: 'dropout: bytes as factors, scaled later, beside a scaled mask',
      inputs: [wide],
      ours: () => [dropout.zeroSome(wide, pass()).kept],
      other: () => [dropoutMasked(wide, (pass() as { dropout: t.RowStreams }).dropout)],
    },
    {
      what: 'logits: where the loss needs them beside everywhere',
      inputs: [flat],
      ours: () => [loss(t.indexSelect(flat, 0, places), few)],
      other: () => [loss(flat, targets)],
    },
  ];
}

/** A model of one layer, which is also its last. */
function oneLayer(dtype: t.DType): Llama {
  const random = new t.Generator(2);
  const shapes: Record<string, number[]> = {
    k_proj: [G * K, D],
    v_proj: [G * K, D],
    o_proj: [D, H * K],
  };
  Object.assign(shapes, {
    q_proj: [H * K, D],
    down_proj: [D, F],
    gate_proj: [F, D],
    up_proj: [F, D],
  });
  const config: ModelConfig = {
    architecture: 'LlamaForCausalLM',
    attentionBias: false,
    eosTokenIds: [0],
    hiddenSize: D,
    intermediateSize: F,
    numLayers: 1,
    numHeads: H,
    numKvHeads: G,
    headDim: K,
    vocabSize: 2,
    maxPositions: 2048,
    ropeTheta: 10_000,
    rmsNormEps: 1e-5,
    tieWordEmbeddings: true,
  };
  return new Llama(config, (key) => {
    const name = key.split('.').at(-2) ?? '';
    const shape = shapes[name] ?? (name === 'embed_tokens' ? [2, D] : [D]);
    return t.keep(t.cast(t.mul(t.randn(shape, random), 1 / Math.sqrt(D)), dtype));
  });
}

/** The rotation as Hugging Face writes it. */
function rotateJoined(x: t.Tensor, { cos, sin }: Rotation): t.Tensor {
  const swapped = t.cat([t.narrow(x, -1, K / 2, K / 2), t.narrow(x, -1, 0, K / 2)], -1);
  return t.add(t.mul(x, cos), t.mul(swapped, sin));
}

/** The same dropout with a mask of x's type that scales. */
function dropoutMasked(x: t.Tensor, streams: t.RowStreams): t.Tensor {
  const level = Math.round(LORA.dropout * 256);
  const bytes = t.reshape(streams.bytes(x.size / B), x.shape);
  const kept = subNumberOp(clampOp(bytes, level - 1, level), level - 1, 1);
  return t.mul(x, t.mul(t.cast(kept, x.dtype), 256 / (256 - level)));
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
