/** What makes iLoRA's layer iLoRA's: invariants of the mixture of experts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShapeError } from '../../../src/errors/index.js';
import {
  ExpertLoraLinear,
  type ExpertLoraOptions,
  expertScale,
  type LinearGate,
  LoraLinear,
} from '../../../src/lora/index.js';
import { forwardAll, Linear } from '../../../src/nn/index.js';
import {
  add,
  cat,
  copy_,
  engineThreads,
  full,
  Generator,
  noGrad,
  RowStreams,
  reshape,
  softmax,
  square,
  sum,
  Tensor,
  unsqueeze,
} from '../../../src/tensor/index.js';
import { close, fill_, noise } from '../../support/numeric.js';

engineThreads(1);

const I = 5;
const O = 4;
const frozen = (): Linear => new Linear(noise([O, I], 9), noise([O], 10));

/** A layer in float64 with factors that are not zero. */
function experts(options: Partial<ExpertLoraOptions>): ExpertLoraLinear {
  const full: ExpertLoraOptions = {
    experts: 2,
    totalRank: 4,
    alpha: 8,
    dropout: 0,
    scaleBy: 'total-rank',
    ...options,
  };
  const layer = new ExpertLoraLinear(frozen(), full, new Generator(1)).to('cpu', 'float64');
  fill_(layer.up, 2);
  return layer;
}

function lora(rank: number, alpha: number): LoraLinear {
  const layer = new LoraLinear(frozen(), { rank, alpha, dropout: 0 }, new Generator(1));
  layer.to('cpu', 'float64');
  fill_(layer.up, 2);
  return layer;
}

test('uniform gates are plain LoRA of the total rank with the scale divided by the experts', () => {
  const x = noise([2, 3, I], 3);
  const gates_BE = full([2, 4], 0.25, { dtype: 'float64' });
  const layer = experts({ experts: 4, totalRank: 8, alpha: 32, scaleBy: 'expert-rank' });
  assert.equal(layer.scale, 16); // the authors' code at E = 4, R·E = 8
  const plain = lora(8, 32); // scale 4 = 16 / 4
  noGrad(() => {
    copy_(plain.down, layer.down);
    copy_(plain.up, layer.up);
  });
  close(layer.forward(x, { gates_BE }), plain.forward(x), 1e-10);
});

test('the scale is alpha over the total rank, or E times that', () => {
  const options = { experts: 4, totalRank: 8, alpha: 32, dropout: 0 };
  assert.equal(expertScale({ ...options, scaleBy: 'total-rank' }), 4);
  assert.equal(expertScale({ ...options, scaleBy: 'expert-rank' }), 16);
});

test('an expert whose gate is zero changes nothing and gets no gradient', () => {
  const layer = experts({ experts: 2, totalRank: 4 });
  const x = noise([1, 2, I], 3);
  const gates_BE = Tensor.from(Float64Array.of(0, 1), [1, 2]);
  const y = layer.forward(x, { gates_BE });
  y.backward(noise(y.shape, 4));
  const gradient = layer.down.grad!.toNumbers(); // rows 0 and 1 belong to expert 0
  assert.deepEqual(gradient.slice(0, 2 * I), new Array(2 * I).fill(0));
  assert.ok(gradient.slice(2 * I).every((value) => value !== 0));
});

test('of gates in groups a layer has its own group, per instance and per position', () => {
  const x = noise([2, 3, I], 3);
  const own = softmax(noise([2, 2], 4), 1);
  const others = softmax(noise([2, 2], 5), 1);
  const wanted = experts({}).forward(x, { gates_BE: own });
  const layer = experts({ group: 1 });
  close(layer.forward(x, { gates_BE: cat([others, own, others], 1) }), wanted, 1e-12);
  const everywhere = (gates: Tensor): Tensor =>
    cat(
      [0, 1, 2].map(() => unsqueeze(gates, 1)),
      1,
    );
  const perPosition = cat([everywhere(others), everywhere(own)], 2);
  close(layer.forward(x, { gates_BE: perPosition }), wanted, 1e-12);
});

test('a layer with a gate of its own weighs experts by what it reads at each position', () => {
  const x = noise([2, 3, I], 3);
  const layer = experts({ hasOwnGate: true });
  const own = layer.gate as LinearGate;
  const gates_BE = reshape(own.forward(reshape(x, [6, I])), [2, 3, 2]);
  const given = experts({});
  noGrad(() => copy_(given.down, layer.down));
  const wanted = given.forward(x, { gates_BE });
  close(layer.forward(x), wanted, 1e-12);
  const ignored = softmax(noise([2, 2], 4), 1);
  close(layer.forward(x, { gates_BE: ignored }), wanted, 1e-12);
});

test('the base collects no gradient', () => {
  const layer = experts({});
  const y = layer.forward(noise([1, 2, I], 3), { gates_BE: softmax(noise([1, 2], 4), 1) });
  y.backward(noise(y.shape, 5));
  const base = layer.base as Linear;
  assert.equal(base.weight.grad, undefined);
  assert.equal(base.bias?.grad, undefined);
  assert.deepEqual(
    [...layer.namedTensors()].map(([key]) => key),
    ['down', 'up'],
  );
});

test('misfitting gates, widths and ranks are named with the shapes expected', () => {
  const layer = experts({});
  const x = noise([2, 3, I], 3);
  assert.throws(
    () => layer.forward(x, { gates_BE: full([2, 3], 0.5) }),
    (error: unknown) =>
      error instanceof ShapeError &&
      error.message === 'ExpertLoraLinear.forward(gates): expected shape [B=2, E=2], got [2, 3]',
  );
  assert.throws(() => layer.forward(x), {
    code: 'shape',
    message: 'ExpertLoraLinear.forward(gates): expected [B=2, E=2], got nothing',
  });
  assert.throws(() => layer.forward(noise([2, 3, I + 1], 3)), {
    message: 'ExpertLoraLinear.forward(x): expected shape [..., I=5], got [2, 3, 6]',
  });
  for (const [count, totalRank] of [
    [3, 8],
    [1.5, 3],
    [-2, 4],
    [0, 4],
  ])
    assert.throws(() => experts({ experts: count, totalRank }), {
      code: 'usage',
      message: /a total rank that is a multiple of the experts, got /,
    });
  assert.throws(() => lora(2, 2).forward(noise([2, I + 1], 3)), /\[\.\.\., I=5\], got \[2, 6\]/);
});

/** Outputs and gradients of the factors when layers run together and when each runs by itself. */
function togetherAndAlone(
  layers: readonly (ExpertLoraLinear | LoraLinear)[],
  gates_BE = softmax(noise([2, 2], 21), -1),
): number[][][] {
  const x = noise([2, 3, I], 20);
  const ways = [
    () => forwardAll(layers, x, { gates_BE }),
    () => layers.map((layer) => layer.forward(x, { gates_BE })),
  ];
  return ways.map((way) => {
    const outputs = way();
    outputs
      .map((y) => sum(square(y)))
      .reduce((total, each) => add(total, each))
      .backward();
    return [
      ...outputs.map((y) => y.toNumbers()),
      ...layers.flatMap((layer) =>
        [layer.down, layer.up].map((factor) => {
          const gradient = factor.grad?.toNumbers() ?? [];
          factor.setGrad();
          return gradient;
        }),
      ),
    ];
  });
}

test('layers over one input give together what each gives alone, of one kind or of several', () => {
  const lora = new LoraLinear(frozen(), { rank: 3, alpha: 6, dropout: 0 }, new Generator(4)).to(
    'cpu',
    'float64',
  );
  fill_(lora.up, 5);
  const alike = new LoraLinear(frozen(), { rank: 4, alpha: 6, dropout: 0 }, new Generator(5)).to(
    'cpu',
    'float64',
  );
  fill_(alike.up, 6);
  const [one, wide] = [experts({}), experts({ totalRank: 6, scaleBy: 'expert-rank' })];
  const twin = experts({ scaleBy: 'expert-rank' });
  const kinds = [
    [one, wide],
    [one, twin, experts({ alpha: 2 })],
    [lora, one, wide, twin],
    [one, lora],
    [alike, one],
    [one, alike],
  ];
  for (const layers of kinds) assertAlike(layers);
});

test('layers over one input with weights of their own give together what each gives alone', () => {
  const gates = [22, 23, 24].map((seed) => softmax(noise([2, 2], seed), -1));
  const layers = [0, 1, 2].map((group) => experts({ group }));
  assertAlike(layers, cat(gates, 1));
  const everywhere = gates.map((own) =>
    cat(
      [1, 2, 3].map(() => unsqueeze(own, 1)),
      1,
    ),
  );
  assertAlike(layers, cat(everywhere, 2));
  assertAlike([experts({ hasOwnGate: true }), experts({}), experts({ hasOwnGate: true })]);
});

function assertAlike(...given: Parameters<typeof togetherAndAlone>): void {
  const [together, alone] = togetherAndAlone(...given) as [number[][], number[][]];
  assert.equal(together.length, 3 * given[0].length);
  for (const [i, values] of together.entries()) {
    assert.ok(values.some((value) => value !== 0));
    close(values, alone[i] as number[], 1e-12);
  }
}

test('what dropout keeps is scaled up by 1 / (1 - p), so that its mean stays', () => {
  const identity = Tensor.from(Float64Array.of(1, 0, 0, 1), [2, 2]);
  const base = new Linear(full([2, 2], 0, { dtype: 'float64' }));
  const options = { alpha: 6, dropout: 0.25 };
  const plain = new LoraLinear(base, { ...options, rank: 2 }, new Generator(1));
  const mixed = new ExpertLoraLinear(
    base,
    { ...options, experts: 2, totalRank: 2, scaleBy: 'total-rank' },
    new Generator(1),
  );
  for (const [layer, wanted] of [
    [plain, 4], // 6 / 2 · 1 / 0.75
    [mixed, 2], // half of it: each output is one expert's
  ] as const) {
    layer.to('cpu', 'float64');
    noGrad(() => {
      copy_(layer.down, identity);
      copy_(layer.up, identity);
    });
    const y = layer.forward(full([2, 500, 2], 1, { dtype: 'float64' }), {
      gates_BE: full([2, 2], 0.5, { dtype: 'float64' }),
      dropout: new RowStreams(BigInt64Array.of(1n, 2n)),
    });
    const values = y.toNumbers();
    const kept = values.filter((value) => value !== 0);
    close(kept, new Array(kept.length).fill(wanted), 1e-12);
    close([kept.length / values.length], [0.75], 0.04); // 2000 draws: four deviations
  }
});

test('layers together drop with their own probability each', () => {
  const never = experts({});
  const often = experts({ dropout: 0.5 });
  const x = noise([2, 3, I], 20);
  const gates_BE = softmax(noise([2, 2], 21), -1);
  const keys = BigInt64Array.of(1n, 2n);
  const [kept, dropped] = forwardAll([never, often], x, {
    gates_BE,
    dropout: new RowStreams(keys),
  }) as [Tensor, Tensor];
  const plain = experts({}).forward(x, { gates_BE });
  close(kept, plain.toNumbers(), 1e-12);
  assert.notDeepEqual(dropped.toNumbers(), plain.toNumbers());
});
