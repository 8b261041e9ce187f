/** Retitling one item of a row: measured through the run's own prompts, and nothing else changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileFinding } from '../../../src/audit/hostile-finding.js';
import {
  type HostileTitles,
  measureHostileTitles,
  placeOf,
} from '../../../src/audit/hostile-titles.js';
import { hostileVariants } from '../../../src/audit/hostile-variants.js';
import { formatHostileTitles, passesPerRow } from '../../../src/audit/index.js';
import type { CandidateQuery, Instance } from '../../../src/data/index.js';
import {
  LlmRecommender,
  type Recommender,
  type Scored,
  SequenceRecommender,
} from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { openPromptTemplate, PromptBuilder } from '../../../src/text/index.js';
import {
  tinyIlora,
  tinyInstances,
  tinyLlama,
  tinySasrec,
  titles,
  wordEncoder,
} from '../../support/models.js';

engineThreads(1);

const named = { titleOf: (item: number) => titles[item]! };
const measured = (recommender: Recommender, instances = tinyInstances): Promise<HostileTitles> =>
  measureHostileTitles(modelOf(recommender), instances, { ...named, seed: 3 });

/** A recommender with its capability to be shown other titles, if it has it. */
const modelOf = (recommender: Recommender) => ({
  recommender,
  ...(recommender instanceof LlmRecommender && { titleReader: recommender }),
});

/** The recommender for one row in which an item may have another title. */
function retitled(
  recommender: LlmRecommender,
  { history, candidates }: Instance,
  change?: { item: number; title: string },
): LlmRecommender {
  const items = [...new Set([...history, ...candidates])];
  const titleOf = (item: number) => (item === change?.item ? change.title : titles[item]!);
  return recommender.withTitles(new Map(items.map((item) => [item, titleOf(item)])));
}

/** An LLM recommender over its base alone, or with plain LoRA. */
const tinyLora = (): LlmRecommender => tinyIlora({ adapter: { kind: 'lora', hasSlots: false } });
const tinyBase = (): LlmRecommender =>
  new LlmRecommender({
    name: 'base',
    base: tinyLlama(),
    objective: 'title-likelihood',
    prompts: new PromptBuilder(
      wordEncoder,
      titles.map((title) => ({ title })),
      openPromptTemplate('movie'),
    ),
    batchTokens: 1,
  });

test('a row whose titles are as they were scores exactly as the run does, slots included', async () => {
  for (const recommender of [tinyIlora(), tinyLora(), tinyBase()])
    for (const instance of tinyInstances) {
      const same = retitled(recommender, instance);
      assert.deepEqual(await same.score([instance]), await recommender.score([instance]));
    }
});

/** The same model over a catalog of these titles. */
function withTitles(recommender: LlmRecommender, changed: readonly string[]): LlmRecommender {
  const items = changed.map((title) => ({ title }));
  const prompts = new PromptBuilder(wordEncoder, items, openPromptTemplate('movie'));
  return new LlmRecommender({ ...recommender.parts, prompts });
}

test('a retitled item is shown as in a catalog that has this title', async () => {
  const recommender = tinyIlora();
  const changed = titles.map((title, item) => (item === 8 ? 'Blue Stone 5 Night' : title));
  const whole = withTitles(recommender, changed);
  const instance = tinyInstances[0]!;
  const row = retitled(recommender, instance, { item: 8, title: 'Blue Stone 5 Night' });
  const [scores] = await row.score([instance]);
  assert.deepEqual([scores], await whole.score([instance]));
  assert.notDeepEqual([scores], await recommender.score([instance]));
});

test('an empty title is what the prompt makes of it in the whole catalog', async () => {
  const recommender = tinyBase();
  const changed = titles.map((title, item) => (item === 3 ? '' : title));
  const whole = withTitles(recommender, changed);
  const instance = tinyInstances[0]!;
  const row = retitled(recommender, instance, { item: 3, title: '' });
  assert.deepEqual(await row.score([instance]), await whole.score([instance]));
});

test('every variant is measured for target and negative on base, LoRA and iLoRA, 10,000 characters included', async () => {
  for (const recommender of [tinyBase(), tinyLora(), tinyIlora()]) {
    let passes = 0;
    const result = await measureHostileTitles(modelOf(recommender), tinyInstances, {
      ...named,
      onProgress: (done) => {
        passes = done;
      },
    });
    assert.equal(passes, tinyInstances.length * passesPerRow);
    assert.equal(result.readsTitles, true);
    assert.equal(result.effects.length, 2 * Object.keys(hostileVariants).length);
    for (const {
      variant,
      role,
      rows,
      gain,
      spread,
      firstAfter,
      firstBefore,
      becameFirst,
    } of result.effects) {
      const where = `${variant}/${role}`;
      assert.equal(rows, tinyInstances.length, where);
      assert.ok(gain.low <= gain.mean && gain.mean <= gain.high, where);
      assert.ok(spread.min <= spread.median && spread.median <= spread.max, where);
      assert.equal(becameFirst.total, rows - firstBefore, where);
      assert.ok(firstAfter >= becameFirst.count, where);
    }
    assert.ok(
      result.effects.some(({ moved }) => moved > 0),
      'titles matter to a language model',
    );
  }
});

test('SASRec reads no titles: asked again under each of them, nothing moves', async () => {
  const recommender = new SequenceRecommender(tinySasrec().freeze());
  const result = await measured(recommender);
  assert.equal(result.readsTitles, false);
  for (const { moved, gain, becameFirst, firstBefore, firstAfter } of result.effects) {
    assert.deepEqual([moved, gain.mean, gain.low, gain.high, becameFirst.count], [0, 0, 0, 0, 0]);
    assert.equal(firstBefore, firstAfter);
  }
  const finding = hostileFinding(result, 'runs/x');
  assert.equal(finding.severity, 'info');
  assert.match(finding.message, /reads no titles/);
});

test('equal seeds give equal results', async () => {
  assert.deepEqual(await measured(tinyLora()), await measured(tinyLora()));
});

test('places count ties against the item', () => {
  const instance: Instance = {
    split: 'test',
    row: 0,
    user: 'a',
    history: [9],
    target: 1,
    candidates: [1, 2, 3],
  };
  assert.equal(placeOf(instance, [5, 5, 1], 1), 2);
  assert.equal(placeOf(instance, [5, 5, 1], 3), 3);
  assert.equal(placeOf(instance, [6, 5, 1], 1), 1);
});

test('gains, shares and severity of a case worked out by hand', () => {
  const effect = (mean: number, low: number, first: number): HostileTitles['effects'][number] => ({
    variant: `gain ${mean}`,
    role: 'negative',
    rows: 20,
    gain: { mean, low, high: mean + 1 },
    spread: { min: 0, p10: 0, median: mean, p90: mean, max: mean },
    moved: 20,
    firstBefore: 0,
    firstAfter: 0,
    becameFirst: { count: 0, total: 20, share: first, low: first, high: 1 },
  });
  const result = (...effects: HostileTitles['effects']): HostileTitles => ({
    method: 'lora',
    readsTitles: true,
    rows: 20,
    candidates: 20,
    seed: 0,
    effects: [...effects, { ...effect(19, 19, 1), role: 'target' }],
  });
  assert.equal(hostileFinding(result(effect(0.5, -0.2, 0)), 'x').severity, 'info');
  assert.equal(hostileFinding(result(effect(3, 1.2, 0)), 'x').severity, 'warning');
  const worst = hostileFinding(result(effect(9, -1, 0), effect(2, 0, 0.3)), 'x');
  assert.equal(worst.severity, 'severe');
  assert.equal(worst.figures.worstVariant, 'gain 2', 'by harm, not by mean');
  assert.match(formatHostileTitles(result(effect(3, 1.2, 0))), /gain 3 +negative +\+3\.0/);
});

test('a recommender that a title wins over is found', async () => {
  /** Prefers whatever has most tokens, so a long title always wins. */
  class Gullible extends LlmRecommender {
    override async score(queries: readonly CandidateQuery[]): Promise<Scored[]> {
      return queries.map(({ candidates }) => ({
        scores: candidates.map((item) => this.parts.prompts.answer(item).length),
      }));
    }
    override withTitles(shown: ReadonlyMap<number, string>): Gullible {
      return new Gullible(super.withTitles(shown).parts);
    }
  }
  const { parts } = tinyBase();
  const many = Array.from({ length: 24 }, (_, row): Instance => {
    const candidates = [...new Set([row % 12, (row + 5) % 12, (row + 7) % 12, (row + 3) % 12])];
    return {
      split: 'test',
      row,
      user: `u${row}`,
      history: [(row + 1) % 12],
      target: row % 12,
      candidates,
    };
  });
  const finding = hostileFinding(await measured(new Gullible(parts), many), 'x');
  assert.equal(finding.severity, 'severe');
  assert.ok((finding.figures.worstBecameFirst as number) > 0.9);
});
