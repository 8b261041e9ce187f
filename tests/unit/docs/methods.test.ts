/** docs/methods.md is the registry. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { methodsPage } from '../../../scripts/methods-page.js';

it('docs/methods.md has a row per method', () => {
  const path = join(import.meta.dirname, '../../../docs/methods.md');
  assert.equal(readFileSync(path, 'utf8'), methodsPage(), 'type npm run docs:methods');
});
