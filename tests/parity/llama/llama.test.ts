/**
 * Tiny Llamas agree with transformers in double precision: Llama-3's and linear scaling of the rotary
 * embedding, shared key/value heads, biases, tied and untied tables; see generate.py.
 */

import { deepEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateGreedy, Llama } from '../../../src/llama/index.js';
import { layOut, treeMask } from '../../../src/recommenders/index.js';
import {
  clone,
  crossEntropy,
  engineThreads,
  indexSelect,
  logSoftmax,
  narrow,
  noGrad,
  reshape,
  Tensor,
} from '../../../src/tensor/index.js';
import { openWeights } from '../../../src/weights/index.js';
import { saveTensors } from '../../../src/weights/tensor-file.js';
import { temporaryFolder } from '../../support/folder.js';
import { Comparison, openFixture } from '../support/fixture.js';
import { whole } from '../support/numbers.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 2.4e-15. */
const TOLERANCE = 1e-12;

interface Facts {
  /** As transformers saves it. */
  config: Record<string, unknown>;
  greedy: number[];
  continuations: number[][];
  shape: [number, number];
}

/** The model as a folder of Hugging Face, opened as any base is. */
function openModel(config: object, weights: ReadonlyMap<string, Tensor>): Llama {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const stored = [...weights].map(([key, tensor]): [string, Tensor] => [
    key.startsWith('lm_head') ? key : `model.${key}`,
    tensor,
  ]);
  saveTensors(join(folder, 'model.safetensors'), new Map(stored));
  const source = openWeights(folder);
  return new Llama(source.config, (key) => source.load(key));
}

for (const name of ['llama3-rope', 'mistral', 'linear-rope-bias']) {
  test(`${name}: states, logits, gradients, cached generation and scores of a tree`, (t) => {
    const { facts, weights, wanted } = openFixture<Facts>(import.meta.dirname, name);
    const comparison = new Comparison(wanted, TOLERANCE);
    const model = openModel(facts.config, weights);
    const V = model.config.vocabSize;
    const ids_BT = whole(`${name} ids`, facts.shape, V);
    const targets_BT = whole(`${name} targets`, facts.shape, V);

    const embeddings = clone(model.embed(ids_BT)).setRequiresGrad(true);
    let hidden = embeddings;
    const recorded: Tensor[] = [];
    for (const layer of model.layers) {
      const forward = layer.forward.bind(layer);
      layer.forward = (x, input) => {
        hidden = forward(x, input);
        recorded.push(hidden);
        return hidden;
      };
    }
    const states = model.forward(embeddings);
    const logits = model.logits(states);
    const loss = crossEntropy(reshape(logits, [-1, V]), reshape(targets_BT, [-1]));
    loss.backward();
    // The reference keeps no state of the last layer before the norm.
    for (const [layer, state] of recorded.slice(0, -1).entries())
      comparison.check(`layer${layer}`, state);
    comparison.check('states', states);
    comparison.check('logits', logits);
    comparison.check('loss', [loss.item()]);
    comparison.check('embeddingGradient', embeddings.grad as Tensor);

    const prompt = narrow(ids_BT, 0, 0, 1);
    const greedy = generateGreedy(model, model.embed(prompt), {
      maxNewTokens: facts.greedy.length,
      isEnd: () => false,
    });
    deepEqual(greedy, facts.greedy);

    // One row of tokens for the prompt and all continuations, against a run for each.
    const layout = layOut([
      {
        prompt: { ids: narrow(ids_BT, 0, 1, 1).toNumbers(), slots: [] },
        continuations: facts.continuations,
      },
    ]);
    noGrad(() => {
      const tree = model.forward(model.embed(Tensor.from(layout.ids, [1, layout.T])), {
        positions: layout.positions,
        mask: treeMask(layout, model),
      });
      const picked = layout.states.map(BigInt);
      const logs = logSoftmax(
        model.logits(
          indexSelect(reshape(tree, [layout.T, -1]), 0, Tensor.from(BigInt64Array.from(picked))),
        ),
        -1,
      ).toNumbers();
      comparison.check(
        'continuationLogs',
        layout.predictions.map(({ state, token }) => logs[state * V + token] as number),
      );
    });
    t.diagnostic(comparison.finish());
  });
}
