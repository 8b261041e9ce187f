/** Streaming iLoRA as a method: what its settings refuse, and what a run of it can be asked. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { type Dataset, openDataset, writeDataset } from '../../../src/data/index.js';
import { methodNamed } from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { openRun, resolveSettings, trainRun } from '../../../src/training/index.js';
import { hooks } from '../../contracts/world.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

engineThreads(1);

const folder = temporaryFolder();
const basePath = join(folder, 'model');
let dataset: Dataset;
before(async () => {
  await writeDataset(join(folder, 'data'), tinyDraft(), { candidateCount: 5, seed: 1 });
  dataset = await openDataset(join(folder, 'data'));
  writeBaseFolder(basePath);
});

let runs = 0;
const train = (more: Record<string, unknown> = {}) =>
  trainRun(
    resolveSettings(
      {
        ...{ method: 'streaming-ilora', data: dataset.folder, out: join(folder, `run-${runs++}`) },
        dtype: 'float32',
        encoder: { method: 'sasrec', sasrec: { width: 8, epochs: 1, max_history: 20 } },
        adapter: { rank: 4 },
        training: { epochs: 1, batch_size: 2, validations: 1, validation_windows: 1, workers: 1 },
        ...more,
      },
      'test',
    ),
    { shared: { dataset }, basePath },
    hooks(),
  );

const longest = Array.from({ length: 35 }, (_, i) => (7 * i) % 40);

it('gates that do not go together are refused, and those that do are trained', async () => {
  for (const [adapter, fault] of [
    [
      { layers: 2, expert_layers: 3 },
      /adapter.expert_layers: expected at most adapter.layers \(2\), got 3/,
    ],
    [{ gate: 'conv', gate_per: 'layer' }, /adapter.gate: expected linear/],
    [{ gate_from: 'state', gate_temperature: 0.5 }, /adapter.gate_from: state stands alone/],
    [{ gate_from: 'state', gate_of: 'sequence' }, /adapter.gate_from: state stands alone/],
  ] as const)
    assert.throws(() => train({ adapter: { rank: 4, ...adapter } }), {
      code: 'settings',
      message: fault,
    });
  for (const more of [{ gate_from: 'state' }, { gate_per: 'layer', expert_layers: 1 }]) {
    const { recommender, folder: place } = await train({ adapter: { rank: 4, ...more } });
    const query = { history: longest, candidates: [1, 2, 3] };
    const opened = await openRun(place.path, { shared: { dataset } });
    assert.deepEqual(await opened.recommender.score([query]), await recommender.score([query]));
  }
});

it('ten items of a longer history are read where nothing else is said, and they are the last ten', async () => {
  const { recommender } = await train();
  const candidates = [1, 2, 3];
  const [whole] = await recommender.score([{ history: longest, candidates }]);
  const [last] = await recommender.score([{ history: longest.slice(-10), candidates }]);
  assert.deepEqual(whole, last);
});

it('more are read on request, and the first one moves by half of that', async () => {
  const { recommender, folder: place } = await train({ reading: { max_history: 20 } });
  const candidates = [1, 2, 3];
  const [whole] = await recommender.score([{ history: longest, candidates }]);
  // 35 items, 20 at once, steps of 10: from the twentieth on.
  const [last] = await recommender.score([{ history: longest.slice(20), candidates }]);
  assert.deepEqual(whole, last);
  const opened = await openRun(place.path, { shared: { dataset } });
  assert.deepEqual(await opened.recommender.score([{ history: longest, candidates }]), [whole]);
});

it('settings that leave nothing to read, or more than the encoder reads, are refused', async () => {
  await assert.rejects(train({ reading: { step: 11 } }), {
    code: 'settings',
    message: /reading.step: expected at most as many items as are read at once \(10\), got 11/,
  });
  await assert.rejects(train({ reading: { max_history: 21 } }), {
    code: 'settings',
    message: /reading.max_history: expected at most what the encoder reads at once \(20\), got 21/,
  });
});

it('every way to learn runs to its end', async () => {
  for (const training of [
    { rivals: 'sample', rival_count: 8 },
    { rivals: 'list', rival_count: 4, hard_share: 0.5 },
    { averaging: 0.9, shuffles_ties: true },
  ]) {
    const least = { epochs: 1, batch_size: 2, validations: 1, validation_windows: 1, workers: 1 };
    const { summary } = await train({
      training: { ...least, ...training },
      adapter: { rank: 4, gate_of: 'sequence', encoder_rate_share: 0.5 },
      head: { vector_dropout: 0.2, dropout: 0.1 },
      reading: { form: 'long' },
    });
    assert.ok(Number.isFinite(summary?.finalLoss), JSON.stringify(training));
  }
});

it('permuted titles are those of other items, the same ones when the run is opened again', async () => {
  const [own, permuted] = [await train(), await train({ reading: { titles: 'permuted' } })];
  const query = [{ history: [1, 2, 3], candidates: [4, 5, 6, 7] }];
  const answers = await permuted.recommender.score(query);
  assert.notDeepEqual(answers, await own.recommender.score(query));
  const opened = await openRun(permuted.folder.path, { shared: { dataset } });
  assert.deepEqual(await opened.recommender.score(query), answers);
});

it('what reads a history is left out as a control', async () => {
  const { summary } = await train({
    method: 'streaming-lora',
    adapter: { rank: 4, layers: 0 },
    head: { residual: 'late' },
  });
  assert.ok(Number.isFinite(summary?.finalLoss));
});

it('a run that knew no dropout of what is read had none, whatever the default is now', () => {
  for (const name of ['streaming-ilora', 'streaming-lora']) {
    const method = methodNamed(name);
    const adapter = { layers: 10, dropout: 0 };
    assert.deepEqual(method.fromEarlier?.({ method: name, adapter }), {
      method: name,
      adapter: { ...adapter, inputDropout: 0 },
    });
    const today = { method: name, adapter: { ...adapter, inputDropout: 0.2 } };
    assert.deepEqual(method.fromEarlier?.(today), today);
  }
});
