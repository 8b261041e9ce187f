/**
 * Our Llama on SmolLM2's GGUF file agrees with transformers' on the same file; see generate.py.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Llama } from '../../../src/llama/index.js';
import { logSoftmax, narrow, noGrad, scope, Tensor } from '../../../src/tensor/index.js';
import { openTokenizer } from '../../../src/text/index.js';
import { openWeights } from '../../../src/weights/index.js';
import { smollmPath } from './model-path.js';

interface Expected {
  prompts: {
    text: string;
    ids: number[];
    logsumexp: number;
    top: [number, number][];
    hidden: number[];
    logitsEvery48?: number[];
  }[];
  perplexity: { file: string; tokens: number; meanNegativeLogLikelihood: number };
}

/** Float32 on two different libraries; the largest difference seen was 6e-5. */
const TOLERANCE = 5e-4;

const path = smollmPath();
const skip = existsSync(path) ? false : 'the model is not in the cache';

describe('SmolLM2-135M against transformers', { skip }, () => {
  const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
  const expected = JSON.parse(read('fixtures/expected.json')) as Expected;
  const source = openWeights(path);
  const tokenizer = openTokenizer(source.tokenizer);
  const model = new Llama(source.config, (name) => source.load(name));

  /** States after the last norm and logits, both [1, T, ...]. */
  function run(ids: readonly number[]): { states: Tensor; logits: Tensor } {
    const ids_1T = Tensor.from(BigInt64Array.from(ids, BigInt), [1, ids.length]);
    const states = model.forward(model.embed(ids_1T));
    return { states, logits: model.logits(states) };
  }
  function close(got: number | undefined, wanted: number, what: string): void {
    assert.ok(Math.abs((got ?? Number.NaN) - wanted) < TOLERANCE, `${what}: ${got}, not ${wanted}`);
  }

  for (const prompt of expected.prompts) {
    it(`agrees on ${JSON.stringify(prompt.text)}`, () => {
      assert.deepEqual(tokenizer.encode(prompt.text), prompt.ids);
      noGrad(() =>
        scope(() => {
          const { states, logits } = run(prompt.ids);
          const last = prompt.ids.length - 1;
          const hidden = narrow(states, 1, last, 1).shape[2] ?? 0;
          const state = states.toNumbers().slice(last * hidden);
          prompt.hidden.forEach((value, i) => {
            close(state[i], value, `hidden ${i}`);
          });
          const last_11V = narrow(logits, 1, last, 1);
          const logProbabilities = logSoftmax(last_11V, -1).toNumbers();
          for (const [id, value] of prompt.top) close(logProbabilities[id], value, `token ${id}`);
          const values = last_11V.toNumbers();
          prompt.logitsEvery48?.forEach((value, i) => {
            close(values[i * 48], value, `logit ${i * 48}`);
          });
        }),
      );
    });
  }

  it('has the perplexity of the reference on the fixed text', () => {
    const ids = tokenizer.encode(read(expected.perplexity.file));
    assert.equal(ids.length, expected.perplexity.tokens);
    noGrad(() =>
      scope(() => {
        const logProbabilities = logSoftmax(run(ids).logits, -1).toTypedArray() as Float32Array;
        const V = source.config.vocabSize;
        let sum = 0;
        for (let t = 1; t < ids.length; t += 1)
          sum -= logProbabilities[(t - 1) * V + (ids[t] ?? 0)] ?? Number.NaN;
        const mean = sum / (ids.length - 1);
        close(mean, expected.perplexity.meanNegativeLogLikelihood, 'mean -log p');
      }),
    );
  });
});
