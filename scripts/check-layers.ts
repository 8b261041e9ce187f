/**
 * Checks the layer rule: a folder of src/ imports only from folders of lower layers, through their
 * index.ts, and never in a ring; only tensor/native.ts touches the addon.
 *
 * `npm run layers`; exits with 1 and one line per violation.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Layer of each folder of src/. Folders of one layer may not import each other. */
const LAYERS: Record<string, number> = {
  errors: 0,
  random: 1,
  files: 1,
  tensor: 1,
  nn: 2,
  optim: 2,
  weights: 3,
  text: 3,
  data: 3,
  llama: 4,
  lora: 4,
  recommenders: 5,
  training: 6,
  evaluation: 6,
  analysis: 7,
  audit: 8,
  studies: 8,
  cli: 9,
};

const root = resolve(import.meta.dirname, '..', 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const problems: string[] = [];
const edges = new Map<string, Set<string>>();

for (const file of files) {
  const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
  const text = readFileSync(join(root, file), 'utf8');
  const targets = new Set<string>();
  edges.set(file, targets);
  if (folder !== '' && LAYERS[folder] === undefined)
    problems.push(`${file}: folder "${folder}" has no layer`);
  for (const match of text.matchAll(
    /(import|export)\s+(type\s+)?[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g,
  )) {
    const isTypeOnly = match[2] !== undefined;
    const specifier = match[3] ?? match[4] ?? '';
    if (specifier.endsWith('.node')) problems.push(`${file}: imports an addon directly`);
    if (!specifier.startsWith('.')) continue;
    const target = relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '.ts');
    const targetFolder = target.includes('/') ? target.slice(0, target.indexOf('/')) : '';
    if (!isTypeOnly) targets.add(target);
    if (folder === targetFolder || folder === '') continue;
    if (target.startsWith('..')) problems.push(`${file}: imports ${specifier} from outside src/`);
    else if (!/^[^/]+\/index\.ts$/.test(target))
      problems.push(`${file}: imports ${target}, not ${targetFolder}/index.ts`);
    else if ((LAYERS[targetFolder] ?? 99) >= (LAYERS[folder] ?? -1))
      problems.push(
        `${file}: ${folder} (layer ${LAYERS[folder]}) imports ${targetFolder} (layer ${LAYERS[targetFolder]})`,
      );
  }
  if (file !== 'tensor/native.ts' && /createRequire\([^)]*\)\(|process\.dlopen/.test(text))
    problems.push(`${file}: only tensor/native.ts may load the addon`);
  if (
    !/^(cli\/|tensor\/environment)/.test(file) &&
    /process\.(argv|stdout|stderr|env)\b/.test(text)
  )
    problems.push(
      `${file}: only cli may read arguments or the environment and write to the terminal`,
    );
}

const state = new Map<string, 'open' | 'done'>();
function visit(file: string, trail: string[]): void {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    problems.push(`import ring: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`);
    return;
  }
  state.set(file, 'open');
  for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
  state.set(file, 'done');
}
for (const file of edges.keys()) visit(file, []);

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`layers: ${files.length} files, no violation`);
