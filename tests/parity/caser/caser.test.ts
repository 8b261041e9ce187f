/**
 * Caser and its learner agree with two-dimensional convolutions over one window at a time, in double precision: states, logits, representations, both losses, all
 * gradients; see generate.py.
 */
import { test } from 'node:test';
import { Caser, type CaserOptions } from '../../../src/recommenders/caser/caser.js';
import { engineThreads, Generator } from '../../../src/tensor/index.js';
import { openFixture } from '../support/fixture.js';
import { compareModel, type SequenceFacts } from '../support/sequence-model.js';

engineThreads(1);

for (const name of ['authors', 'uneven'])
  test(`${name}: states, logits, representations, losses and gradients`, (t) => {
    type Facts = SequenceFacts<Omit<CaserOptions, 'dropout'>>;
    const fixture = openFixture<Facts>(import.meta.dirname, name);
    const model = new Caser({ ...fixture.facts.options, dropout: 0 }, new Generator(1));
    model.to('cpu', 'float64').load(fixture.weights, name);
    t.diagnostic(compareModel(model, fixture));
  });
