/**
 * The published JSON Schema is the one the settings are checked with.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { readSettings, settingsJsonSchema } from '../../../src/training/index.js';

const root = join(import.meta.dirname, '..', '..', '..');

it('docs/settings.schema.json is what `ilora train --schema` prints', () => {
  const published = JSON.parse(readFileSync(join(root, 'docs', 'settings.schema.json'), 'utf8'));
  assert.deepEqual(published, JSON.parse(JSON.stringify(settingsJsonSchema())));
});

for (const file of readdirSync(join(root, 'presets'))) {
  const name = /^movielens-(.*)\.yaml$/.exec(file)?.[1];
  if (name === undefined) continue; // settings of a study
  it(`presets/${file} is valid`, () => {
    assert.equal(readSettings(join(root, 'presets', file)).method, name);
  });
}
