/**
 * Writes docs/methods.md: the registry as a table.
 *
 * `npm run docs:methods`; a test compares what is there with what this would write.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { methodsPage } from './methods-page.js';

writeFileSync(resolve(import.meta.dirname, '..', 'docs', 'methods.md'), methodsPage());
