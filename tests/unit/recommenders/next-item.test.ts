/** Next-item prediction: what a position sees, what it costs, what it starts from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvCache } from '../../../src/llama/index.js';
import { ExpertLoraLinear, LoraLinear } from '../../../src/lora/index.js';
import type { AdapterOptions } from '../../../src/recommenders/llm/adapter.js';
import { ChunkExamples, nextItemLoss } from '../../../src/recommenders/llm/objectives/next-item.js';
import type { RivalOptions, Rivals } from '../../../src/recommenders/llm/objectives/rivals.js';
import { layOutStream, readFrom } from '../../../src/recommenders/llm/streaming/reading.js';
import { regressedVectors } from '../../../src/recommenders/llm/streaming/regressed-vectors.js';
import { StreamMemory } from '../../../src/recommenders/llm/streaming/stream-memory.js';
import type { StreamOptions } from '../../../src/recommenders/llm/streaming/streaming-model.js';
import { copy_, engineThreads, noGrad, scope, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyStreaming } from '../../support/models.js';
import { checkGradients, close, fill_ } from '../../support/numeric.js';

engineThreads(1);

const N = 12;
const HISTORIES = [[0, 1, 2, 7], [4, 9, 10, 11, 6, 3], [8]] as const;
const rivals = { kind: 'catalog' } as const;
const position = { seed: 3, step: 0, totalSteps: 10, batch: [0, 1] };

type Streaming = ReturnType<typeof tinyStreaming>;

/** Scores of all items after every item asked for. */
function scoresOf(
  { model }: Streaming,
  histories: readonly (readonly number[])[],
  asked: 'all' | 'last' = 'all',
  options: StreamOptions = {},
): number[][] {
  return noGrad(() =>
    scope(() => {
      const { states_XS } = model.states(histories, asked, options);
      const flat = model.logits(states_XS, options.missing).toNumbers();
      return Array.from({ length: flat.length / N }, (_, x) => flat.slice(x * N, (x + 1) * N));
    }),
  );
}

test('the compact form has a position per item behind the instruction', () => {
  const layout = layOutStream([[5, 2], [7]], { instruction: [40, 41] }, N);
  assert.deepEqual([layout.B, layout.T, layout.L], [2, 4, 2]);
  assert.deepEqual([...layout.ids], [40n, 41n, 0n, 0n, 40n, 41n, 0n, 0n]);
  assert.deepEqual([...layout.items], [5n, 2n, 7n, 12n]);
  assert.deepEqual(layout.slots, [2, 3, 6]);
  assert.deepEqual(layout.slotItems, [5, 2, 7]);
  assert.deepEqual([...layout.readUpTo], [-1, -1, 0, 1, -1, -1, 2, 2]);
});

test('the long form has an item’s words before its position, under the gate of the items before', () => {
  const texts = [[20], [21, 22], []];
  const layout = layOutStream([[1, 0, 2]], { instruction: [40], texts }, 3);
  assert.deepEqual([...layout.ids], [40n, 21n, 22n, 0n, 20n, 0n, 0n]);
  assert.deepEqual(layout.slots, [3, 5, 6]);
  assert.deepEqual([...layout.readUpTo], [-1, -1, -1, 0, 0, 1, 2]);
});

test('of a growing history the first item that is read stays for a step', () => {
  const starts = Array.from({ length: 26 }, (_, length) =>
    readFrom(length, { maxHistory: 10, step: 5 }),
  );
  assert.ok(starts.slice(0, 11).every((start) => start === 0));
  assert.deepEqual(starts.slice(11, 22), [5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 15]);
  for (let length = 11; length < 200; length++) {
    const read = length - readFrom(length, { maxHistory: 10, step: 5 });
    assert.ok(read > 5 && read <= 10, `${length} items: ${read} read`);
  }
  assert.equal(readFrom(5, { maxHistory: 1, step: 1 }), 4);
  for (const length of [11, 12, 90])
    assert.equal(readFrom(length, { maxHistory: 10, step: 1 }), length - 10);
});

const adapter = (options: Partial<AdapterOptions>) => ({ adapter: options });
const FORMS = {
  compact: {},
  long: { form: 'long' },
  'a gate for each layer': adapter({ gatePer: 'layer', gateTemperature: 0.5 }),
  'gates of what layers read': adapter({ gateFrom: 'state' }),
} as const;

for (const [form, options] of Object.entries(FORMS)) {
  test(`${form}: a state depends on no later item, on no other history and on no padding`, () => {
    const made = tinyStreaming({ dtype: 'float64', ...options });
    const all = scoresOf(made, HISTORIES);
    let at = 0;
    for (const history of HISTORIES)
      for (let length = 1; length <= history.length; length++) {
        const [alone] = scoresOf(made, [history.slice(0, length)], 'last');
        close(all[at++] as number[], alone as number[], 1e-10, `${history.slice(0, length)}`);
      }
    assert.equal(at, all.length);
  });

  test(`${form}: a user who returns costs the new positions only, and gets the same scores`, () => {
    const made = tinyStreaming({ dtype: 'float64', ...options });
    const history = [4, 9, 10, 11, 6, 3];
    const wanted = scoresOf(made, [history]);
    for (const steps of [
      [1, 1, 1, 1, 1, 1],
      [2, 4],
      [5, 1],
      [1, 3, 2],
    ])
      noGrad(() =>
        scope(() => {
          const cache = new KvCache();
          let items = 0;
          for (const more of steps) {
            const seen = history.slice(0, items + more);
            const { states_XS } = made.model.states([seen], 'last', { memory: { cache, items } });
            items += more;
            const scores = made.model.logits(states_XS).toNumbers();
            close(scores, wanted[items - 1] as number[], 1e-10, `after ${items}`);
          }
        }),
      );
  });
}

test('what a returning user is told is what anyone with that history is told', async () => {
  const made = tinyStreaming({ dtype: 'float64' });
  const memory = new StreamMemory();
  const user = Array.from({ length: 20 }, (_, i) => (5 * i + (i % 3)) % N);
  const known: number[] = [];
  for (let length = 1; length <= user.length; length++) {
    const query = { history: user.slice(0, length), count: 3, includesHistory: true };
    const { knownItems, ...found } = made.retrieveReturning(query, memory);
    const [wanted] = await made.retrieve([query]);
    assert.deepEqual(found.items, wanted?.items);
    close([...found.scores], [...(wanted?.scores ?? [])], 1e-10);
    known.push(knownItems);
  }
  // Six items are read at once; then the start moves by three, and what is read begins anew.
  assert.deepEqual(known.slice(0, 12), [0, 1, 2, 3, 4, 5, 0, 4, 5, 0, 4, 5]);
  const other = { history: [1, 2], count: 3 };
  assert.equal(made.retrieveReturning(other, memory).knownItems, 0);
  assert.equal(made.retrieveReturning(other, memory).knownItems, 0);
  memory.dispose();
});

test('memories leave no tensor behind', async () => {
  const made = tinyStreaming();
  const once = () => {
    const memory = new StreamMemory();
    for (const history of [[1], [1, 2], [1, 2, 3]])
      assert.equal(made.retrieveReturning({ history, count: 1 }, memory).items.length, 1);
    memory.dispose();
  };
  once();
  await leaksNothing(() => {
    for (let i = 0; i < 20; i++) once();
  });
});

test('later items and their order change what follows them alone', () => {
  const made = tinyStreaming({ dtype: 'float64' });
  const one = scoresOf(made, [[0, 1, 2, 7]]);
  const other = scoresOf(made, [[0, 1, 7, 2]]);
  for (const place of [0, 1]) close(one[place] as number[], other[place] as number[], 1e-12);
  for (const place of [2, 3]) assert.notDeepEqual(one[place], other[place]);
});

test('every prefix has experts of its own, and without a gate there are none', () => {
  const made = tinyStreaming({ dtype: 'float64' });
  const gates = noGrad(() =>
    scope(() => made.model.states([[0, 1, 2]], 'all').gates_XE?.toNumbers()),
  ) as number[];
  assert.equal(gates.length, 3 * 2);
  for (const place of [0, 1, 2])
    assert.ok(
      Math.abs((gates[2 * place] as number) + (gates[2 * place + 1] as number) - 1) < 1e-12,
    );
  assert.notEqual(gates[0], gates[2]);
  const uniform = tinyStreaming({ adapter: { kind: 'lora', experts: 1 } });
  assert.equal(
    noGrad(() => scope(() => uniform.model.states([[0, 1]], 'all').gates_XE)),
    undefined,
  );
});

test('a gate for each layer tells one weight per expert: the mean', () => {
  const made = tinyStreaming({ adapter: { gatePer: 'layer' } });
  const { gate } = made.parts.adapter;
  assert.equal(gate?.groups, made.parts.base.layers.length);
  const gates = noGrad(() =>
    scope(() => made.model.states([[0, 1, 2]], 'last').gates_XE?.toNumbers()),
  ) as number[];
  assert.equal(gates.length, 2);
  close([(gates[0] as number) + (gates[1] as number)], [1], 1e-6);
});

test('gates of what layers read are trained at the gate’s rate', () => {
  const { adapter } = tinyStreaming({ adapter: { gateFrom: 'state' } }).parts;
  assert.equal(adapter.gate, undefined);
  const rates = { lora: 1, gate: 2, projector: 3, weightDecay: 4 };
  const groups = new Map(adapter.parameterGroups(rates).map((group) => [group.name, group]));
  assert.ok(
    [...(groups.get('lora')?.parameters.keys() ?? [])].every((key) => /(up|down)$/.test(key)),
  );
  const ofGate = groups.get('gate');
  assert.ok((ofGate?.parameters.size ?? 0) > 0);
  assert.ok([...(ofGate?.parameters.keys() ?? [])].every((key) => key.endsWith('.gate.weight')));
  assert.deepEqual([ofGate?.learningRate, ofGate?.weightDecay], [2, 4]);
});

test('experts may stand in the last layers alone, before them one update for all', () => {
  const { base } = tinyStreaming({ adapter: { gatePer: 'layer', expertLayers: 1 } }).parts;
  const [first, last] = base.layers.map(({ selfAttn, mlp }) => [selfAttn.qProj, mlp.downProj]);
  assert.ok(first?.every((layer) => layer instanceof LoraLinear));
  assert.ok(last?.every((layer) => layer instanceof ExpertLoraLinear));
});

test('with the residual training starts from the encoder’s own scores', () => {
  const made = tinyStreaming({ isFresh: true });
  const { encoder } = made.parts;
  const wanted = noGrad(() =>
    scope(() => encoder.logits(encoder.represent(HISTORIES)).toNumbers()),
  );
  close(scoresOf(made, HISTORIES, 'last').flat(), wanted, 1e-5);
});

test('a late residual is no part of what is learned, and half of what is answered', () => {
  const options = { dtype: 'float64', head: { residual: 'late', readsTexts: false } } as const;
  const late = tinyStreaming(options);
  const alone = tinyStreaming({ ...options, head: { residual: false, readsTexts: false } });
  const batch = { histories: HISTORIES, targets: HISTORIES, missing: [], rivals };
  const examples = HISTORIES.map((_, i) => i);
  const loss = (made: Streaming) =>
    noGrad(() => scope(() => nextItemLoss(made.model, batch, { position, examples }).item()));
  assert.equal(loss(late), loss(alone));
  const { encoder } = late.parts;
  const encoders = noGrad(() =>
    scope(() => encoder.logits(encoder.represent(HISTORIES)).toNumbers()),
  );
  const own = scoresOf(alone, HISTORIES, 'last').flat();
  const sum = own.map((score, i) => score + (encoders[i] as number));
  close(scoresOf(late, HISTORIES, 'last').flat(), sum, 1e-5);
});

test('gates of others change the answers, own ones given anew do not, and lengths must agree', () => {
  const made = tinyStreaming();
  const of = (gatesOf: readonly (readonly number[])[]) =>
    noGrad(() =>
      scope(() => made.model.states(HISTORIES, 'last', { gatesOf }).states_XS.toNumbers()),
    );
  const own = of(HISTORIES);
  assert.deepEqual(own, scopedStates(made));
  assert.notDeepEqual(of(HISTORIES.map((items) => items.map((item) => (item + 5) % 10))), own);
  assert.throws(() => of(HISTORIES.slice(1)), { code: 'internal' });
});

const scopedStates = (made: Streaming): number[] =>
  noGrad(() => scope(() => made.model.states(HISTORIES, 'last').states_XS.toNumbers()));

test('without layers of the base a place tells of its own item alone', () => {
  const options = { layers: 0, kind: 'lora', experts: 1 } as const;
  const made = tinyStreaming({ adapter: options, head: { residual: false } });
  const [first, other] = [
    [0, 1, 2],
    [5, 9, 2],
  ].map((history) => scoresOf(made, [history], 'last')[0] as number[]) as [number[], number[]];
  assert.deepEqual(first, other);
  assert.notDeepEqual(first, scoresOf(made, [[0, 1, 3]], 'last')[0]);
});

test('values that are read are dropped in training, and never in answers', () => {
  const some = tinyStreaming({ adapter: { inputDropout: 0.5 } });
  const none = tinyStreaming();
  assert.deepEqual(scoresOf(some, HISTORIES), scoresOf(none, HISTORIES));
  const batch = { histories: HISTORIES, targets: HISTORIES, missing: [], rivals };
  const examples = HISTORIES.map((_, i) => i);
  const loss = (made: Streaming, step: number) =>
    noGrad(() =>
      scope(() =>
        nextItemLoss(made.model, batch, { position: { ...position, step }, examples }).item(),
      ),
    );
  assert.equal(loss(none, 1), loss(none, 2));
  assert.notEqual(loss(some, 1), loss(some, 2));
  assert.equal(loss(some, 1), loss(some, 1));
});

test('an item without vectors is known by its words alone, in the scores and at its slot', () => {
  const missing = [2, 7];
  const counts = Array.from({ length: N }, (_, item) => (missing.includes(item) ? 0 : 5));
  const options = { dtype: 'float64', head: { residual: false } } as const;
  // What gate and encoder say of a history is not asked here: items 2 and 7 are not in it.
  const told = (made: Streaming) => ({
    scores: scoresOf(made, [[0, 1]], 'last')[0] as number[],
    slots: noGrad(() => scope(() => made.model.slots([0, 2]).toNumbers())),
  });
  for (const [reading, areKnown] of [
    [{}, true],
    [{ counts }, false],
  ] as const) {
    const made = tinyStreaming({ ...options, reading });
    const before = told(made);
    moveVectors(made, missing);
    made.model.dispose(); // what words let expect is reckoned anew
    if (areKnown) {
      assert.notDeepEqual(told(made).scores, before.scores);
      assert.notDeepEqual(told(made).slots, before.slots);
    } else assert.deepEqual(told(made), before);
  }
});

/** Gives some items other vectors in the encoder. */
function moveVectors(made: Streaming, own: readonly number[]): void {
  const { weight } = made.parts.encoder.items;
  const width = weight.axis(1);
  const moved = weight
    .toNumbers()
    .map((value, i) => (own.includes(Math.floor(i / width)) ? value + 1 : value));
  noGrad(() => scope(() => copy_(weight, Tensor.from(Float64Array.from(moved), weight.shape))));
}

test('an item that is made missing has what its words let expect, and what training adds to it', () => {
  const made = tinyStreaming({ dtype: 'float64', head: { residual: false, readsTexts: false } });
  const { adapter, encoder, texts, reading } = made.model.parts;
  const [state, expected] = noGrad(() =>
    scope(() => {
      const { states_XS } = made.model.states([[0, 1, 3]], 'last');
      const { vectors_NS } = encoder.outputs();
      const all = regressedVectors(texts.outputs_ND, vectors_NS, reading.counts);
      return [states_XS.toNumbers(), all.toNumbers().slice(7 * vectors_NS.axis(1))];
    }),
  ) as [number[], number[]];
  const added = adapter.head?.missingOutput.toNumbers() as number[];
  const wanted = state.reduce(
    (sum, x, s) => sum + x * ((expected[s] as number) + (added[s] as number)),
    0,
  );
  const scores = scoresOf(made, [[0, 1, 3]], 'last', { missing: [7] })[0] as number[];
  close([scores[7] as number], [wanted], 1e-6);
});

for (const [name, options] of Object.entries({
  compact: {},
  long: { form: 'long' },
  'without residual': { head: { residual: false } },
  'uniform LoRA': { adapter: { kind: 'lora', experts: 1 } },
  'one gate': { reading: { gateOf: 'sequence' } },
  'encoder trained along': { adapter: { trainsEncoder: true } },
  'a gate for each layer': { adapter: { gatePer: 'layer', gateTemperature: 0.5 } },
  'gates of what layers read': { adapter: { gateFrom: 'state' } },
  'experts in the last layer': { adapter: { expertLayers: 1 } },
} as const))
  test(`${name}: every part has the gradient of finite differences`, () => {
    const made = tinyStreaming({ dtype: 'float64', ...options });
    const histories = [
      [0, 1, 2],
      [4, 9],
    ];
    const targets = [
      [1, 2, 7],
      [9, 10],
    ];
    const batch = { histories, targets, missing: [2, 9], rivals };
    const parameters = Object.fromEntries(made.parts.adapter.namedParameters());
    const loss = () => nextItemLoss(made.model, batch, { position, examples: [0, 1] });
    checkGradients(loss, parameters, { tolerance: 1e-6, mostElements: 4 });
  });

test('a loss leaves no tensor behind', async () => {
  const made = tinyStreaming({ adapter: { dropout: 0.2 }, head: { dropout: 0.2 } });
  const batch = { histories: [[0, 1]], targets: [[1, 2]], missing: [], rivals };
  const once = () =>
    scope(() => nextItemLoss(made.model, batch, { position, examples: [0] }).item());
  once();
  await leaksNothing(() => {
    for (let i = 0; i < 20; i++) assert.ok(Number.isFinite(once()));
  });
});

/** Sequences of these lengths, in which no item comes twice. */
function sequencesOf(lengths: readonly number[]) {
  let next = 0;
  return lengths.map((length, user) => ({
    user: String(user),
    items: Int32Array.from({ length }, () => next++),
  }));
}

const LENGTHS = [2, 7, 8, 31, 1];

function chunks({ vectorDropout = 0, batchTokens = 40 } = {}): ChunkExamples {
  return new ChunkExamples(sequencesOf(LENGTHS), {
    maxHistory: 6,
    catalogSize: 100,
    batchTokens,
    positionsOf: (items) => items + 2,
    vectorDropout,
  });
}

test('in each pass every place predicts its next item, in chunks that are cut anew', () => {
  const examples = chunks();
  const cuts = new Set<string>();
  const wanted = new Set(
    sequencesOf(LENGTHS).flatMap(({ items }) => Array.from(items.subarray(1))),
  );
  for (let pass = 0; pass < 12; pass++) {
    const rows = Array.from({ length: examples.count }, (_, row) => row + pass * examples.count);
    const { histories, targets } = examples.batch(rows, position);
    for (const [i, history] of histories.entries()) {
      const target = targets[i] as number[];
      assert.ok(history.length >= 1 && history.length <= 6);
      // The next item's number is one higher.
      assert.deepEqual(
        target,
        history.map((item) => item + 1),
      );
      assert.equal(examples.countTargets([rows[i] as number], position), history.length);
      assert.deepEqual(examples.history(rows[i] as number, position), history);
    }
    assert.deepEqual(new Set([...targets.flat()].sort((a, b) => a - b)), wanted);
    cuts.add(histories.map(({ length }) => length).join());
  }
  assert.ok(cuts.size > 3, `${cuts.size} different cuts`);
});

test('a step is cut into parts of like length, and every chunk is in one', () => {
  const examples = chunks({ batchTokens: 16 });
  const rows = Array.from({ length: examples.count }, (_, row) => row);
  const costs = (part: number[]) => part.map((row) => 2 + examples.countTargets([row], position));
  for (const workers of [1, 2, 3]) {
    const parts = examples.cut(rows, position, workers);
    assert.deepEqual(
      parts.flat().sort((a, b) => a - b),
      rows,
    );
    assert.ok(parts.length >= workers);
    for (const part of parts)
      assert.ok(part.length === 1 || part.length * Math.max(...costs(part)) <= 16);
  }
  assert.deepEqual(examples.cut([3], position, 4), [[3]]);
});

test('a step’s missing items are the same for all its parts, and others in the next step', () => {
  const examples = chunks({ vectorDropout: 0.3 });
  const missing = (rows: number[], step: number) =>
    examples.batch(rows, { ...position, step }).missing;
  assert.deepEqual(missing([0], 4), missing([3, 5], 4));
  assert.notDeepEqual(missing([0], 4), missing([0], 5));
  const share = Array.from({ length: 50 }, (_, step) => missing([0], step).length);
  const mean = share.reduce((sum, count) => sum + count, 0) / share.length;
  assert.ok(Math.abs(mean - 30) < 3, `${mean} of 100`);
  assert.deepEqual(chunks().batch([0], position).missing, []);
});

const HELD = {
  histories: [
    [0, 1, 2],
    [4, 9],
  ],
  targets: [
    [1, 2, 7],
    [9, 10],
  ],
  missing: [],
};

const lossWith = (made: Streaming, own: Rivals): number =>
  noGrad(() =>
    scope(() =>
      nextItemLoss(made.model, { ...HELD, rivals: own }, { position, examples: [0, 1] }).item(),
    ),
  );

test('a list of all others, or a sample that is the catalog, gives the loss over the catalog', () => {
  const made = tinyStreaming({ dtype: 'float64' });
  const wanted = lossWith(made, rivals);
  const all = Array.from({ length: N }, (_, item) => item);
  const places = HELD.targets.flat();
  // The target itself stands in both; it is no rival of itself.
  const uniform = places.map(() => all);
  close([lossWith(made, { kind: 'list', uniform, hard: 0 })], [wanted], 1e-9);
  const logExpected = all.map(() => 0);
  close([lossWith(made, { kind: 'sample', items: all, logExpected })], [wanted], 1e-9);
  const few = uniform.map((list, x) => list.filter((item) => item !== places[x]).slice(0, 3));
  assert.ok(lossWith(made, { kind: 'list', uniform: few, hard: 0 }) < wanted);
});

test('items that training never has are no rivals: neither their vectors nor their words count', () => {
  const counts = Array.from({ length: N }, (_, item) => (item === 5 ? 0 : 5));
  const made = tinyStreaming({ dtype: 'float64', reading: { counts } });
  const before = lossWith(made, rivals);
  const { outputs_ND } = made.model.parts.texts;
  const D = outputs_ND.axis(1);
  const moved = outputs_ND.toNumbers().fill(9, 5 * D, 6 * D);
  noGrad(() => scope(() => copy_(outputs_ND, Tensor.from(Float64Array.from(moved), [N, D]))));
  moveVectors(made, [5]);
  assert.equal(lossWith(made, rivals), before);
  const sequences = [{ user: 'a', items: Int32Array.from([1, 2, 3, 4, 6, 7, 8]) }];
  const drawn = (rivals: RivalOptions): number[] => {
    const examples = new ChunkExamples(sequences, {
      ...{ maxHistory: 6, catalogSize: N, batchTokens: 100, vectorDropout: 0, rivals },
      positionsOf: (items) => items,
    });
    const found = examples.batch([0], position).rivals;
    if (found.kind === 'sample') return [...found.items];
    return found.kind === 'list' ? found.uniform.flat() : [];
  };
  for (const kind of ['sample', 'list'] as const) {
    const items = drawn({ kind, count: 200, hardShare: 0 });
    assert.deepEqual(
      [...new Set(items)].sort((a, b) => a - b),
      [1, 2, 3, 4, 6, 7, 8],
      kind,
    );
  }
});

test('hard rivals are items that the encoder likes, and cost more than uniform ones', () => {
  const made = tinyStreaming({ dtype: 'float64', isFresh: true });
  const none = HELD.targets.flat().map(() => []);
  const hard = lossWith(made, { kind: 'list', uniform: none, hard: 5 });
  assert.equal(lossWith(made, { kind: 'list', uniform: none, hard: 5 }), hard);
  assert.ok(Number.isFinite(hard) && hard > 0);
});

/** Gradient of the head under a loss, as one list of numbers. */
function headGradient(made: Streaming, own: Rivals): number[] {
  const { head } = made.parts.adapter;
  const parameters = [...(head?.namedParameters() ?? [])].map(([, parameter]) => parameter);
  for (const parameter of parameters) parameter.setGrad();
  scope(() =>
    nextItemLoss(made.model, { ...HELD, rivals: own }, { position, examples: [0, 1] }).backward(),
  );
  return parameters.flatMap((parameter) => parameter.grad?.toNumbers() ?? []);
}

test('with logQ the sampled loss points where the loss over the catalog does', () => {
  // Scores that differ little, as early in training: what is left is what the sampling does.
  const made = tinyStreaming({ dtype: 'float64', isFresh: true, head: { residual: false } });
  // Item 0 is in almost every sequence, the others are rare: without the correction it would be pushed down.
  const sequences = Array.from({ length: 40 }, (_, user) => ({
    user: String(user),
    items: Int32Array.of(0, 1 + (user % 11), 0, 1 + ((user + 3) % 11)),
  }));
  const examples = new ChunkExamples(sequences, {
    maxHistory: 6,
    catalogSize: N,
    batchTokens: 100,
    positionsOf: (items) => items,
    vectorDropout: 0,
    rivals: { kind: 'sample', count: 6 },
  });
  const wanted = headGradient(made, rivals);
  const add = (total: number[], values: readonly number[]): number[] =>
    total.map((sum, i) => sum + (values[i] as number) / ROUNDS);
  const ROUNDS = 300;
  let corrected = wanted.map(() => 0);
  let plain = corrected;
  for (let step = 0; step < ROUNDS; step++) {
    const drawn = examples.batch([0], { ...position, step }).rivals;
    if (drawn.kind !== 'sample') throw new Error('a sample was asked for');
    assert.deepEqual(drawn.items, [...new Set(drawn.items)]);
    const flat = { ...drawn, logExpected: drawn.items.map(() => 0) };
    corrected = add(corrected, headGradient(made, drawn));
    plain = add(plain, headGradient(made, flat));
  }
  const distance = (own: readonly number[]): number =>
    Math.hypot(...own.map((value, i) => value - (wanted[i] as number)));
  assert.ok(
    distance(corrected) < 0.7 * distance(plain),
    `${distance(corrected)} with, ${distance(plain)} without`,
  );
});

test('settled weights give the same scores, and are forgotten on request', () => {
  const made = tinyStreaming();
  const wanted = scoresOf(made, HISTORIES);
  made.model.settle();
  assert.deepEqual(scoresOf(made, HISTORIES), wanted);
  const { head } = made.parts.adapter;
  fill_(head?.texts as Tensor, 9);
  assert.deepEqual(scoresOf(made, HISTORIES), wanted);
  made.model.dispose();
  assert.notDeepEqual(scoresOf(made, HISTORIES), wanted);
});

test('items of the same time change places from pass to pass, and nothing else does', () => {
  const times = Float64Array.of(1, 1, 1, 2, 3, 3, 4);
  const sequence = { user: 'a', items: Int32Array.of(0, 1, 2, 3, 4, 5, 6), times };
  const orders = (shufflesTies: boolean) => {
    const examples = new ChunkExamples([sequence], {
      maxHistory: 10,
      catalogSize: 10,
      batchTokens: 40,
      positionsOf: (items) => items,
      vectorDropout: 0,
      shufflesTies,
    });
    return Array.from({ length: 12 }, (_, pass) => {
      const { histories, targets } = examples.batch([pass], position);
      assert.deepEqual(histories[0]?.slice(1), targets[0]?.slice(0, -1));
      return [...(histories[0] as number[]), targets[0]?.at(-1) as number];
    });
  };
  const shuffled = orders(true);
  for (const order of shuffled) {
    assert.deepEqual(order.slice(0, 3).sort(), [0, 1, 2]);
    assert.deepEqual([order[3], order[6]], [3, 6]);
    assert.deepEqual(order.slice(4, 6).sort(), [4, 5]);
  }
  assert.ok(new Set(shuffled.map(String)).size > 4);
  assert.deepEqual(orders(true), shuffled);
  assert.deepEqual(new Set(orders(false).map(String)), new Set(['0,1,2,3,4,5,6']));
});
