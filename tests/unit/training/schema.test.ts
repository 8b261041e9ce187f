/**
 * The published JSON Schema is the one the settings are checked with.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { studySettings } from '../../../src/studies/index.js';
import { readDocument, readSettings, settingsJsonSchema } from '../../../src/training/index.js';

const root = join(import.meta.dirname, '..', '..', '..');

it('docs/settings.schema.json is what `ilora train --schema` prints', () => {
  const published = JSON.parse(readFileSync(join(root, 'docs', 'settings.schema.json'), 'utf8'));
  assert.deepEqual(published, JSON.parse(JSON.stringify(settingsJsonSchema())));
});

const presets = readdirSync(join(root, 'presets'));
for (const file of presets.filter((name) => name.startsWith('movielens-')))
  it(`presets/${file} is valid`, () => {
    const name = /^movielens-([a-z0-9-]+?)(-long)?\.yaml$/.exec(file)?.[1];
    assert.equal(readSettings(join(root, 'presets', file)).method, name);
  });

for (const file of [
  'presets/quickstart.yaml',
  'presets/quickstart-smoke.yaml',
  'runs/movielens.yaml',
])
  it(`${file} is a valid study`, () => {
    const document = { data: 'd', out: 'o', ...readDocument(join(root, file)) };
    const { variants } = studySettings(document, file);
    assert.deepEqual(
      variants.map(({ name, runs }) => [name, runs.map((run) => run.name)]),
      variants.map(({ method }) => [method.name, [method.name]]),
    );
  });

it('runs/next-item.yaml is a valid study of several seeds, about its main row', () => {
  const document = readDocument(join(root, 'runs', 'next-item.yaml'));
  const { variants, main, protocols } = studySettings(document, 'runs/next-item.yaml');
  assert.deepEqual([main.name, protocols], ['streaming-ilora', ['window', 'history']]);
  const seedsOf = (name: string) => variants.find((variant) => variant.name === name)?.runs.length;
  assert.deepEqual(['popularity', 'sasrec', 'streaming-lora', 'blend'].map(seedsOf), [1, 4, 4, 3]);
});
