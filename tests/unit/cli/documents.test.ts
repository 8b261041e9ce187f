/** The published schemas of commands' documents. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { DOCUMENTS, documentJsonSchema } from '../../../src/cli/documents.js';

const folder = join(import.meta.dirname, '../../../docs/schemas');
const names = Object.keys(DOCUMENTS) as (keyof typeof DOCUMENTS)[];

it('docs/schemas holds one schema per document and nothing else', () => {
  const wanted = names.map((name) => `${name}.schema.json`);
  assert.deepEqual(readdirSync(folder).sort(), wanted.sort(), 'type npm run schemas');
});

for (const name of names)
  it(`${name}: published as it is checked, with snake_case keys`, () => {
    const path = join(folder, `${name}.schema.json`);
    const published = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(published, JSON.parse(JSON.stringify(documentJsonSchema(name))));
    for (const key of propertiesOf(published)) assert.match(key, /^[a-z][a-z0-9_]*$/);
  });

/** Names of all properties of a schema. */
function propertiesOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [
    ...(key === 'properties' ? Object.keys(value as object) : []),
    ...propertiesOf(value),
  ]);
}
