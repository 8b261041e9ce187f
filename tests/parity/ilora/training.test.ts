/**
 * Ten steps of training of a whole tiny iLoRA agree with naive.py in double precision: base, experts in
 * all layers, gate, projector, item slots, loss on the title, clipping, Adam in three groups, schedule.
 *
 * Here they run through the product's own loop, in batches with padding, cut into parts; there one
 * instance, one expert and one token at a time.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Dataset, Instance } from '../../../src/data/index.js';
import { Llama } from '../../../src/llama/index.js';
import {
  Adapter,
  type AdapterOptions,
  type AdapterRates,
  LlmLearner,
  LlmRecommender,
  SASRec,
  type SASRecOptions,
} from '../../../src/recommenders/index.js';
import { engineThreads, Generator, type Tensor } from '../../../src/tensor/index.js';
import {
  openPromptTemplate,
  type Prompt,
  PromptBuilder,
  type PromptRequest,
} from '../../../src/text/index.js';
import { RunFolder, train } from '../../../src/training/index.js';
import type { ModelConfig } from '../../../src/weights/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyConfig, wordEncoder } from '../../support/models.js';
import { Comparison, openFixture } from '../support/fixture.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 2.5e-13. */
const TOLERANCE = 1e-11;

interface Facts {
  config: Partial<ModelConfig>;
  sasrec: Omit<SASRecOptions, 'dropout'>;
  adapter: Pick<AdapterOptions, 'rank' | 'alpha' | 'experts' | 'gate' | 'scaleBy'>;
  training: {
    steps: number;
    warmupShare: number;
    clipNorm: number;
    weightDecay: number;
    rates: Omit<AdapterRates, 'weightDecay'>;
  };
  /** Tokens of each item's title. */
  titles: number[][];
  newline: number;
  rows: (Prompt & Pick<Instance, 'history' | 'target' | 'candidates'>)[];
}

/** Gives the prompts of the fixture. */
class FixedPrompts extends PromptBuilder {
  constructor(readonly facts: Facts) {
    super(wordEncoder, [], openPromptTemplate('item'));
  }

  override build({ history }: PromptRequest): Prompt {
    const row = this.facts.rows.find((row) => row.history.join() === history.join());
    assert.ok(row !== undefined, `a row with the history ${history.join()}`);
    return { ids: [...row.ids], slots: row.slots };
  }

  override answer(item: number): number[] {
    return [...(this.facts.titles[item] as number[]), this.facts.newline];
  }
}

/** Values of several tensors in the order of their keys. */
const together = (tensors: Iterable<[string, Tensor]>): number[] =>
  [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, tensor]) => tensor.toNumbers());

for (const kind of ['linear', 'conv', 'conv-batch-norm']) {
  test(`ten steps with the ${kind} gate: losses, norms, all parameters; then gates and scores`, async (t) => {
    const { facts, weights, wanted } = openFixture<Facts>(import.meta.dirname, `training-${kind}`);
    const comparison = new Comparison(wanted, TOLERANCE);
    const base = new Llama({ ...tinyConfig, ...facts.config }, (key) => weights.get(key) as Tensor);
    const sasrec = new SASRec({ ...facts.sasrec, dropout: 0 }, new Generator(1));
    const below = (prefix: string): Map<string, Tensor> =>
      new Map(
        [...weights]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, tensor]) => [key.slice(prefix.length), tensor]),
      );
    sasrec.to('cpu', 'float64').load(below('sasrec.'), 'fixture');
    const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
    const adapter = new Adapter(
      base,
      { ...facts.adapter, kind: 'ilora', dropout: 0, targets, hasSlots: true },
      { representation: facts.sasrec.width, items: facts.sasrec.width },
      1,
    );
    adapter.to('cpu', 'float64');
    const parameters = new Map(adapter.namedParameters());
    adapter.load(
      new Map([...parameters.keys()].map((key) => [key, weights.get(key) as Tensor])),
      'fixture',
      (key) => parameters.has(key),
    );
    const recommender = new LlmRecommender({
      name: 'ilora',
      base,
      objective: 'title-likelihood',
      prompts: new FixedPrompts(facts),
      adapter,
      encoder: sasrec.freeze(),
      batchTokens: 60,
    });
    const instances = facts.rows.map(
      (row, i): Instance => ({ ...row, split: 'train', row: i, user: `${i}` }),
    );
    const dataset = {
      rows: () => instances.length,
      instance: (_split: string, row: number) => instances[row],
    } as unknown as Dataset;
    const { steps, warmupShare, clipNorm, weightDecay, rates } = facts.training;
    const learner = new LlmLearner(recommender, dataset, {
      rates: { ...rates, weightDecay },
      curriculum: 'hybrid',
    });
    const all = instances.map((_, i) => i);
    const parts = learner.cut(all, { seed: 1, step: 0, totalSteps: steps, batch: all });
    assert.ok(parts.length > 1 && parts.some((part) => part.length > 1), 'batches and parts');

    const folder = new RunFolder(join(temporaryFolder(), 'run'));
    folder.prepare(false);
    const losses: number[] = [];
    const norms: number[] = [];
    const statistics = [...adapter.namedTensors()].filter(([key]) => !parameters.has(key));
    const gate = [...parameters].filter(([key]) => key.startsWith('gate.'));
    await train(
      learner,
      folder,
      {
        seed: 1,
        batchSize: instances.length,
        totalExamples: steps * instances.length,
        warmupShare,
        schedule: 'cosine',
        optimizer: 'adam',
        clipNorm,
        validateEvery: 1000,
        patience: 0,
        checkpointSeconds: 3600,
      },
      {
        onStep: ({ step, loss, gradientNorm }) => {
          losses.push(loss);
          norms.push(gradientNorm);
          const values = new Map<string, Tensor | number[]>(parameters);
          for (const [key] of gate) values.delete(key);
          values.set('gate', together(gate));
          if (statistics.length > 0) values.set('gate statistics', together(statistics));
          comparison.checkFingerprints(`step ${step - 1}`, values);
        },
      },
    );
    assert.equal(losses.length, steps);
    const clipped = norms.filter((norm) => norm > clipNorm).length;
    assert.ok(clipped > 0 && clipped < steps, 'some steps are clipped, some not');
    comparison.check('losses', losses);
    comparison.check('norms', norms);
    if (kind === 'linear')
      for (const [key, tensor] of parameters) comparison.check(`trained ${key}`, tensor);
    const ranked = await recommender.score(instances);
    comparison.checkFlat(
      'gates',
      ranked.flatMap(({ gates }) => gates ?? []),
    );
    comparison.checkFlat(
      'scores',
      ranked.flatMap(({ scores }) => scores),
    );
    t.diagnostic(comparison.finish());
  });
}
