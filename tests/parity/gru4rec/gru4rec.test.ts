/**
 * GRU4Rec and its learner agree with torch.nn.GRU, in double precision: states, logits, representations, both losses, all
 * gradients; see generate.py.
 */
import { test } from 'node:test';
import { GRU4Rec, type GRU4RecOptions } from '../../../src/recommenders/gru4rec/gru4rec.js';
import { engineThreads, Generator } from '../../../src/tensor/index.js';
import { openFixture } from '../support/fixture.js';
import { compareModel, type SequenceFacts } from '../support/sequence-model.js';

engineThreads(1);

for (const name of ['one-layer', 'two-layers'])
  test(`${name}: states, logits, representations, losses and gradients`, (t) => {
    type Facts = SequenceFacts<Omit<GRU4RecOptions, 'dropout'>>;
    const fixture = openFixture<Facts>(import.meta.dirname, name);
    const model = new GRU4Rec({ ...fixture.facts.options, dropout: 0 }, new Generator(1));
    model.to('cpu', 'float64').load(fixture.weights, name);
    t.diagnostic(compareModel(model, fixture));
  });
