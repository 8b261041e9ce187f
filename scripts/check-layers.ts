/**
 * Checks the layer rule of scripts/layers.ts over all TypeScript of the repository.
 *
 * `npm run layers`; exits with 1 and one line per violation.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LAYERS, layerProblems } from './layers.js';

const root = resolve(import.meta.dirname, '..');
const folders = new Set(Object.keys(LAYERS).map((room) => room.split('/')[0] as string));
const files = new Map<string, string>();
for (const folder of folders)
  if (existsSync(join(root, folder)))
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.ts') && !/(^|\/)\.|(^|\/)node_modules\//.test(file))
        files.set(`${folder}/${file}`, readFileSync(join(root, folder, file), 'utf8'));

const problems = layerProblems(files);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`layers: ${files.size} files, no violation`);
