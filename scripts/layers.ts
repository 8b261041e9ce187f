/**
 * The layer rule as a function of the source: which folder may import which, and what else holds of imports.
 */
import { dirname, join } from 'node:path/posix';

/**
 * Layer of each room. A room imports only from rooms of lower layers, never sideways. The longest name that is in a
 * file's path says its room.
 */
export const LAYERS: Record<string, number> = {
  'src/errors': 0,
  'src/random': 1,
  'src/files': 1,
  'src/tensor': 1,
  'src/nn': 2,
  'src/optim': 2,
  'src/weights': 3,
  'src/text': 3,
  'src/data': 3,
  'src/llama': 4,
  'src/lora': 4,
  'src/recommenders': 5,
  'src/training': 6,
  'src/evaluation': 6,
  'src/analysis': 7,
  'src/audit': 8,
  'src/studies': 8,
  'src/cli': 9,
  src: 10, // src/index.ts, what the package exports
  bin: 10,
  harness: 11,
  'tests/support': 11, // tiny models and files, for whoever needs some
  prove: 12,
  bench: 12,
  scripts: 12,
  runs: 12,
  tests: 13,
};

/** The files outside src/tensor that import the addon's own entries, and why they must. */
export const BEHIND_THE_HANDLE: Record<string, string> = {
  'prove/boundary/body.ts': 'resets what a call may leave behind, and plants faults',
  'prove/boundary/target.ts': 'calls every entry of the addon, so that none is left out',
  'prove/boundary/value.ts': 'makes handles whose wrapper does not know that they are disposed',
  'tests/unit/tensor/refusal.test.ts':
    'what the addon itself refuses, without the wrapper before it',
};
const NATIVE = 'src/tensor/native.ts';

/** How the index.ts of a room begins. */
const HEADER = /^\/\*\*\n \* Here: .+\n \* May use: .+\n \* Used by: .+\n \*\/\n/;
const IMPORT =
  /^[ \t]*(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

interface Import {
  specifier: string;
  /** The file it leads to, as a key of the map; absent for packages. */
  target?: string;
  isTypeOnly: boolean;
}

/**
 * What breaks the rule, one line each.
 * @param files text by path from the root of the repository, with slashes
 */
export function layerProblems(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map([...files].map(([file, text]) => [file, importsOf(file, text)]));
  return [
    ...needlessExceptions(imports),
    ...[...files].flatMap(([file, text]) => [
      ...imports.get(file)!.flatMap((found) => importProblems(file, found)),
      ...(file.startsWith('src/') ? sourceProblems(file, text) : []),
      ...headerProblems(file, text),
    ]),
    ...rings(imports),
  ];
}

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? '';
    const target = specifier.startsWith('.')
      ? join(dirname(file), specifier).replace(/\.js$/, '.ts')
      : undefined;
    return { specifier, target, isTypeOnly: type !== undefined };
  });
}

/** Name of a file's room; a path that no room covers has none. */
function roomOf(file: string): string | undefined {
  const inSource = /^src\/[^/]+(?=\/)/.exec(file)?.[0];
  if (inSource !== undefined) return LAYERS[inSource] === undefined ? undefined : inSource;
  return Object.keys(LAYERS)
    .filter((room) => file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function importProblems(file: string, { specifier, target }: Import): string[] {
  if (specifier.endsWith('.node')) return [`${file}: imports an addon directly`];
  if (target === undefined) return [];
  const [own, other] = [roomOf(file), roomOf(target)];
  if (own === undefined) return [`${file}: its folder has no layer`];
  if (other === undefined) return [`${file}: imports ${target}, whose folder has no layer`];
  if (own === other) return [];
  const [layer, otherLayer] = [LAYERS[own] as number, LAYERS[other] as number];
  if (otherLayer >= layer)
    return [`${file}: ${own} (layer ${layer}) imports ${other} (layer ${otherLayer})`];
  if (target === NATIVE && !own.startsWith('src') && BEHIND_THE_HANDLE[file] === undefined)
    return [`${file}: imports ${NATIVE} and is not among those that must (scripts/layers.ts)`];
  // Those outside look into src: what is proved or timed is often an inner part.
  if (own.startsWith('src') && target !== `${other}/index.ts`)
    return [`${file}: imports ${target}, not ${other}/index.ts`];
  return [];
}

function needlessExceptions(imports: ReadonlyMap<string, readonly Import[]>): string[] {
  return Object.keys(BEHIND_THE_HANDLE)
    .filter((file) => imports.get(file)?.every(({ target }) => target !== NATIVE))
    .map((file) => `${file}: need not be among those that import ${NATIVE} (scripts/layers.ts)`);
}

/** What only some files of src/ may touch. */
function sourceProblems(file: string, text: string): string[] {
  const problems: string[] = [];
  if (file !== NATIVE && /createRequire\([^)]*\)\(|process\.dlopen/.test(text))
    problems.push(`${file}: only tensor/native.ts may load the addon`);
  if (
    !/^src\/(cli\/|tensor\/environment)/.test(file) &&
    /process\.(argv|stdout|stderr|env)\b/.test(text)
  )
    problems.push(
      `${file}: only cli may read arguments or the environment and write to the terminal`,
    );
  return problems;
}

function headerProblems(file: string, text: string): string[] {
  const room = /^(?:src\/(?:data\/)?[^/]+|harness)\/index\.ts$/.exec(file);
  if (room === null || HEADER.test(text)) return [];
  return [`${file}: expected a comment of three lines "Here: … May use: … Used by: …" at the top`];
}

/** Rings of files that need each other. Within src types may point back: they are gone when a program runs. */
function rings(imports: ReadonlyMap<string, readonly Import[]>): string[] {
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, trail: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`import ring: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    state.set(file, 'open');
    for (const { target, isTypeOnly } of imports.get(file) ?? [])
      if (target !== undefined && !(isTypeOnly && file.startsWith('src/')))
        visit(target, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}
