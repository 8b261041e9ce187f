/**
 * SASRec and its learner agree with a plain version that goes place by place, in double precision:
 * states, logits, representations, both losses, all gradients; see generate.py.
 */
import { test } from 'node:test';
import { SASRec, type SASRecOptions } from '../../../src/recommenders/index.js';
import { engineThreads, Generator } from '../../../src/tensor/index.js';
import { openFixture } from '../support/fixture.js';
import { compareModel, type SequenceFacts } from '../support/sequence-model.js';

engineThreads(1);

for (const preset of ['classic', 'modern'])
  test(`${preset}: states, logits, representations, losses and gradients`, (t) => {
    type Facts = SequenceFacts<Omit<SASRecOptions, 'dropout'>>;
    const fixture = openFixture<Facts>(import.meta.dirname, preset);
    const model = new SASRec({ ...fixture.facts.options, dropout: 0 }, new Generator(1));
    model.to('cpu', 'float64').load(fixture.weights, preset);
    t.diagnostic(compareModel(model, fixture));
  });
