/**
 * Writes the JSON Schemas of settings and of all documents into docs/.
 *
 * `npm run schemas`; tests compare what is there with what this would write.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DOCUMENTS, documentJsonSchema } from '../src/cli/documents.js';
import { settingsJsonSchema } from '../src/training/index.js';

const docs = resolve(import.meta.dirname, '..', 'docs');
const write = (file: string, schema: unknown): void =>
  writeFileSync(join(docs, file), `${JSON.stringify(schema, null, 2)}\n`);

mkdirSync(join(docs, 'schemas'), { recursive: true });
write('settings.schema.json', settingsJsonSchema());
for (const name of Object.keys(DOCUMENTS) as (keyof typeof DOCUMENTS)[])
  write(join('schemas', `${name}.schema.json`), documentJsonSchema(name));
