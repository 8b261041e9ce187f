/**
 * Runs of format 1, whose settings had the keys of all methods: they open, score as they did, and are gone on with.
 *
 * The fixtures were made by the last version of that format (commit e6f043b) with the dataset of
 * tests/unit/data/helper.ts and the base of tests/support/base-folder.ts.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { type Dataset, openDataset } from '../../../src/data/index.js';
import type { Scored } from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { openRun, readRecord, resolveSettings, trainRun } from '../../../src/training/index.js';
import { hooks } from '../../contracts/world.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const FIXTURES = join(import.meta.dirname, '../../fixtures/runs-1');
/** Another processor may round otherwise. */
const TOLERANCE = 1e-4;

describe('runs of format 1', () => {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  let dataset: Dataset;
  before(async () => {
    cpSync(FIXTURES, folder, { recursive: true });
    writeBaseFolder(at('model'));
    dataset = await openDataset(at('data'));
  });

  it('open with their dataset and score as they did', async () => {
    const wanted = JSON.parse(readFileSync(at('scores.json'), 'utf8')) as Record<string, Scored[]>;
    for (const [name, scored] of Object.entries(wanted)) {
      const run = await openRun(at(name), { shared: { dataset }, basePath: at('model') });
      const rows = [dataset.instance('test', 0), dataset.instance('validation', 0)];
      const got = await run.recommender.score(rows);
      for (const [i, { scores, gates }] of scored.entries()) {
        close([...got[i]!.scores], [...scores], TOLERANCE);
        close([...(got[i]!.gates ?? [])], [...(gates ?? [])], TOLERANCE);
      }
      run.model.release?.();
    }
  });

  it('have the settings of their method only, under the names of today', () => {
    const { settings, encoder } = readRecord(at('ilora'));
    assert.deepEqual(Object.keys(settings).sort(), [
      ...['adapter', 'base', 'data', 'device', 'dtype', 'encoder', 'method', 'out', 'preset'],
      ...['prompt', 'seed', 'training'],
    ]);
    assert.equal(encoder?.path, '../sasrec');
    assert.match(encoder?.sha256 ?? '', /^[0-9a-f]{64}$/);
    const { settings: alone } = readRecord(at('sasrec'));
    assert.deepEqual(Object.keys(alone).sort(), [
      ...['data', 'device', 'method', 'out', 'sasrec', 'seed'],
    ]);
    assert.ok(!('experts' in (readRecord(at('lora')).settings as { adapter?: object }).adapter!));
  });

  it('are resumed with the same settings in the words of today, and refuse others', async () => {
    const again = (rank: number) =>
      resolveSettings(
        {
          method: 'ilora',
          data: at('data'),
          out: at('ilora'),
          prompt: 'movie',
          dtype: 'float32',
          encoder: at('sasrec'),
          adapter: { rank, learning_rate: 0.01, targets: ['q_proj'] },
          training: {
            windows: 4,
            batch_size: 2,
            validate_every: 4,
            validation_rows: 1,
            workers: 1,
          },
        },
        'test',
      );
    // The base of the fixture lay elsewhere; where it lies is no part of what is compared.
    const options = { shared: { dataset }, basePath: at('model'), resume: true };
    await assert.rejects(trainRun(again(8), options, hooks()), {
      code: 'settings',
      message: /expected the settings the run was begun with/,
    });
    const run = await trainRun(again(4), options, hooks());
    assert.equal(run.summary?.steps, 2);
    run.model.release?.();
  });

  it('of sequence models were validated on the split’s own rows, and are not gone on with otherwise', async () => {
    const { settings } = readRecord(at('sasrec'));
    const { sasrec: section } = settings as unknown as { sasrec: Record<string, unknown> };
    assert.equal(section.validationWindows, 0);
    const again = (validationWindows?: number) => {
      const { validationWindows: _, ...kept } = section;
      const sasrec = { ...kept, ...(validationWindows !== undefined && { validationWindows }) };
      return resolveSettings({ ...settings, data: at('data'), out: at('sasrec'), sasrec }, 'test');
    };
    const options = { shared: { dataset }, resume: true };
    await assert.rejects(trainRun(again(), options, hooks()), {
      code: 'settings',
      message: /expected the settings the run was begun with/,
    });
    const { summary } = await trainRun(again(0), options, hooks());
    assert.ok((summary?.steps ?? 0) > 0);
  });

  it('that are damaged are refused, not guessed at', async () => {
    cpSync(at('sasrec'), at('damaged'), { recursive: true });
    const text = readFileSync(at('damaged/run.json'), 'utf8');
    writeFileSync(at('damaged/run.json'), text.replace('"softmax"', '"bce"'));
    await assert.rejects(openRun(at('damaged'), { shared: { dataset } }), {
      code: 'format',
      message: /damaged or edited/,
    });
  });
});
