/**
 * Ten steps of training of whole tiny streaming iLoRAs agree with plain_streaming.py in double precision: gates of
 * prefixes, item slots, head, vectors that are missing, loss over the catalog, clipping, Adam in its groups, schedule.
 *
 * Here they run through the product's own loop, in batches with padding, cut into parts; there one sequence, one
 * place and one expert at a time.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Llama } from '../../../src/llama/index.js';
import {
  type AdapterOptions,
  type AdapterRates,
  SASRec,
  type SASRecOptions,
  type TrainingPosition,
} from '../../../src/recommenders/index.js';
import { modelParts } from '../../../src/recommenders/llm/description.js';
import { AdapterLearner } from '../../../src/recommenders/llm/llm-learner.js';
import {
  type ChunkBatch,
  ChunkExamples,
  type ChunkOptions,
} from '../../../src/recommenders/llm/objectives/next-item.js';
import { textTables } from '../../../src/recommenders/llm/streaming/item-texts.js';
import type { Reading } from '../../../src/recommenders/llm/streaming/reading.js';
import { StreamingRecommender } from '../../../src/recommenders/llm/streaming/streaming-recommender.js';
import { cast, engineThreads, Generator, keep, type Tensor } from '../../../src/tensor/index.js';
import { RunFolder, train } from '../../../src/training/index.js';
import type { ModelConfig } from '../../../src/weights/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyConfig } from '../../support/models.js';
import { Comparison, openFixture } from '../support/fixture.js';

engineThreads(1);

/** Double precision on both sides. */
const TOLERANCE = 1e-11;
/** A key's bias has no gradient but rounding, which Adam divides by itself: other processors round otherwise. */
const KEY_BIAS = { pattern: /\.key\.bias$/, tolerance: 1e-9 };

interface Facts extends Pick<Reading, 'instruction' | 'counts'> {
  form: 'compact' | 'long';
  config: Partial<ModelConfig>;
  encoder: Omit<SASRecOptions, 'dropout'>;
  adapter: Pick<AdapterOptions, 'rank' | 'alpha' | 'experts'>;
  scaleBy: AdapterOptions['scaleBy'];
  layers: number;
  residual: boolean;
  readsTexts: boolean;
  trainsEncoder: boolean;
  clipNorm: number;
  training: {
    steps: number;
    warmupShare: number;
    weightDecay: number;
    rates: Omit<AdapterRates, 'weightDecay'>;
  };
  /** Tokens of each item's title. */
  titles: number[][];
  sequences: number[][];
  /** Items whose vectors are missing, by step. */
  missing: number[][];
  /** Histories that are scored after training. */
  queries: number[][];
}

/** The fixture's items are missing in place of drawn ones. */
class FixedChunks extends ChunkExamples {
  constructor(
    readonly facts: Facts,
    options: ChunkOptions,
  ) {
    super(
      facts.sequences.map((items, i) => ({ user: `${i}`, items: Int32Array.from(items) })),
      options,
    );
  }

  override batch(examples: readonly number[], position: TrainingPosition): ChunkBatch {
    const missing = this.facts.missing[position.step] as number[];
    return { ...super.batch(examples, position), missing };
  }
}

/** The product's recommender with the fixture's weights. */
function recommenderOf(facts: Facts, weights: ReadonlyMap<string, Tensor>): StreamingRecommender {
  const { titles, form, instruction, counts, layers, residual, readsTexts, trainsEncoder } = facts;
  const base = new Llama({ ...tinyConfig, ...facts.config }, (key) => weights.get(key) as Tensor);
  const encoder = new SASRec({ ...facts.encoder, dropout: 0 }, new Generator(1));
  const own = [...weights].filter(([key]) => key.startsWith('encoder.'));
  encoder
    .to('cpu', 'float64')
    .load(new Map(own.map(([key, tensor]) => [key.slice('encoder.'.length), tensor])), 'fixture');
  const { slots_ND, outputs_ND } = textTables(titles, base);
  const reading: Reading = {
    ...{ instruction, counts, maxHistory: facts.encoder.maxHistory, step: 1 },
    ...(form === 'long' && { texts: titles }),
  };
  const parts = modelParts(
    {
      adapter: {
        ...facts.adapter,
        ...{ kind: 'ilora', gate: 'linear', scaleBy: facts.scaleBy, hasSlots: true, dropout: 0 },
        ...{ layers, trainsEncoder },
        targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
        head: { residual, readsTexts, dropout: 0 },
      },
      reading,
    },
    {
      ...{ base, encoder: encoder.freeze(), seed: 1 },
      texts: {
        slots_ND: keep(cast(slots_ND, 'float64')),
        outputs_ND: keep(cast(outputs_ND, 'float64')),
      },
    },
  );
  const { adapter } = parts;
  assert.ok(adapter !== undefined);
  adapter.to('cpu', 'float64');
  const keys = [...adapter.namedParameters()].map(([key]) => key);
  adapter.load(new Map(keys.map((key) => [key, weights.get(key) as Tensor])), 'fixture');
  return new StreamingRecommender({
    ...{ name: 'streaming-ilora', objective: 'next-item', batchTokens: 24 },
    ...parts,
  });
}

for (const name of ['compact', 'long', 'trained-encoder']) {
  test(`ten steps, ${name}: losses, norms, all parameters; then gates and scores`, async (t) => {
    const { facts, weights, wanted } = openFixture<Facts>(import.meta.dirname, name);
    const { steps, warmupShare, weightDecay, rates } = facts.training;
    const { clipNorm, queries, sequences } = facts;
    const comparison = new Comparison(wanted, TOLERANCE);
    const recommender = recommenderOf(facts, weights);
    const { model, parts } = recommender;
    const examples = new FixedChunks(facts, {
      maxHistory: facts.encoder.maxHistory,
      catalogSize: model.catalogSize,
      batchTokens: parts.batchTokens,
      positionsOf: (items) => model.positionsOf(items),
      vectorDropout: 0,
    });
    const learner = new AdapterLearner(recommender, examples, { rates: { ...rates, weightDecay } });
    const all = sequences.map((_, i) => i);
    const cut = learner.cut(all, { seed: 1, step: 0, totalSteps: steps, batch: all });
    assert.ok(cut.length > 1 && cut.some((part) => part.length > 1), 'batches and parts');

    const folder = new RunFolder(join(temporaryFolder(), 'run'));
    folder.prepare(false);
    const losses: number[] = [];
    const norms: number[] = [];
    await train(
      learner,
      folder,
      {
        ...{ seed: 1, batchSize: all.length, totalExamples: steps * all.length },
        ...{ warmupShare, schedule: 'cosine', optimizer: 'adam', clipNorm },
        ...{ validateEvery: 1000, patience: 0, checkpointSeconds: 3600 },
      },
      {
        onStep: ({ loss, gradientNorm }) => {
          losses.push(loss);
          norms.push(gradientNorm);
        },
      },
    );
    const clipped = norms.filter((norm) => norm > clipNorm).length;
    assert.ok(clipped > 0 && clipped < steps, 'some steps are clipped, some not');
    comparison.check('losses', losses);
    comparison.check('norms', norms);
    for (const [key, tensor] of model.parts.adapter.namedParameters())
      comparison.check(
        `trained ${key}`,
        tensor,
        KEY_BIAS.pattern.test(key) ? KEY_BIAS.tolerance : TOLERANCE,
      );
    const candidates = facts.titles.map((_, item) => item);
    const scored = await recommender.score(queries.map((history) => ({ history, candidates })));
    comparison.checkFlat(
      'gates',
      scored.flatMap(({ gates }) => gates ?? []),
    );
    comparison.checkFlat(
      'scores',
      scored.flatMap(({ scores }) => scores),
    );
    t.diagnostic(comparison.finish());
  });
}
