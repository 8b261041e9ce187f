/**
 * Finds libtorch: `LIBTORCH`, then what `ilora setup` put in the cache, then the Python package
 * `torch`, then the system's. Nothing is downloaded here.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IloraError, mismatch } from '../errors/index.js';
import type { EngineEnvironment } from './environment.js';

/** An installation of libtorch that can be compiled against. */
export interface Libtorch {
  /** Which of the places it was found at. */
  source: 'LIBTORCH' | 'setup' | 'python' | 'system';
  version: string;
  includeDirs: readonly string[];
  libDir: string;
  /** Whether CUDA kernels lie beside it. */
  hasCudaLibrary: boolean;
}

/** Oldest version whose dispatcher and schemas the engine was tried with. */
export const OLDEST_LIBTORCH = '1.13';

const DEBIAN_FOLDER = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
const HINT = 'run `ilora setup` to install it, or `ilora doctor` to see what was tried';

/** A place where libtorch was looked for. */
export interface LibtorchPlace {
  source: Libtorch['source'];
  /** Folder, program or variable that was asked. */
  where: string;
  found?: Libtorch;
  /** Why what lies there cannot be used. */
  problem?: string;
}

/** The first installation in order of preference. @throws IloraError `setup` when there is none */
export function findLibtorch(environment: EngineEnvironment): Libtorch {
  const refused: string[] = [];
  for (const { source, found, problem } of searchLibtorch(environment)) {
    if (found !== undefined) return found;
    if (source === 'LIBTORCH')
      throw mismatch('setup', {
        where: 'LIBTORCH',
        expected: 'a folder with include/ATen and lib/libtorch_cpu.so',
        got: problem ?? environment.libtorch,
        hint: 'unset it or point it at libtorch',
      });
    if (problem !== undefined) refused.push(problem);
  }
  throw new IloraError(
    'setup',
    `engine: expected libtorch ${OLDEST_LIBTORCH} or newer, found ${refused.join(', ') || 'none'} — ${HINT}`,
  );
}

/** The places in order of preference, each looked at when it is asked for; `LIBTORCH` stands alone. */
export function* searchLibtorch(environment: EngineEnvironment): Generator<LibtorchPlace> {
  const { libtorch, python } = environment;
  if (libtorch !== undefined) {
    yield place('LIBTORCH', libtorch, inspect(libtorch, 'LIBTORCH'));
    return;
  }
  yield place('setup', setupDir(environment), fromSetup(environment));
  yield place('python', python, fromPython(environment));
  yield place('system', 'the usual folders of the system', inspectSystem());
}

function place(source: Libtorch['source'], where: string, found?: Libtorch): LibtorchPlace {
  if (found === undefined || !isOlder(found.version, OLDEST_LIBTORCH))
    return { source, where, found };
  return { source, where, problem: `libtorch ${found.version} in ${found.libDir}` };
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, undefined, { numeric: true }) < 0;
}

/** Folder where `ilora setup` keeps its libtorch. */
export function setupDir({ cacheDir }: EngineEnvironment): string {
  return join(cacheDir, 'libtorch');
}

function fromSetup(environment: EngineEnvironment): Libtorch | undefined {
  const folder = setupDir(environment);
  if (!existsSync(folder)) return undefined;
  const versions = readdirSync(folder).filter((name) => /^\d/.test(name));
  versions.sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));
  for (const version of versions) {
    const found = inspect(join(folder, version, 'torch'), 'setup');
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Asks Python where `torch` lies, without importing it. */
function fromPython({ python }: EngineEnvironment): Libtorch | undefined {
  const program =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  try {
    const output = execFileSync(python, ['-c', program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    });
    return output.trim() === '' ? undefined : inspect(output.trim(), 'python');
  } catch {
    return undefined; // no Python is as good as a Python without torch
  }
}

function inspectSystem(): Libtorch | undefined {
  const libDirs = [
    join('/usr/lib', DEBIAN_FOLDER),
    '/usr/lib64',
    '/usr/lib',
    '/usr/local/lib',
    '/opt/homebrew/lib',
  ];
  for (const libDir of libDirs) {
    for (const include of ['/usr/include', '/usr/local/include', '/opt/homebrew/include']) {
      const found = assemble({ include, libDir, source: 'system' });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function inspect(root: string, source: Libtorch['source']): Libtorch | undefined {
  const folders = ['lib', 'lib64', join('lib', DEBIAN_FOLDER)];
  for (const folder of folders) {
    const found = assemble({ include: join(root, 'include'), libDir: join(root, folder), source });
    if (found !== undefined) return found;
  }
  return undefined;
}

function assemble(place: {
  include: string;
  libDir: string;
  source: Libtorch['source'];
}): Libtorch | undefined {
  const { include, libDir, source } = place;
  const extension = process.platform === 'darwin' ? 'dylib' : 'so';
  if (!existsSync(join(libDir, `libtorch_cpu.${extension}`))) return undefined;
  if (!existsSync(join(include, 'ATen', 'Context.h'))) return undefined;
  const api = join(include, 'torch', 'csrc', 'api', 'include');
  const version = readVersion(include, api);
  if (version === undefined) return undefined;
  return {
    source,
    version,
    includeDirs: [include, api],
    libDir,
    hasCudaLibrary: existsSync(join(libDir, `libtorch_cuda.${extension}`)),
  };
}

function readVersion(include: string, api: string): string | undefined {
  const headers = [
    join(include, 'torch', 'headeronly', 'version.h'),
    join(api, 'torch', 'version.h'),
  ];
  for (const header of headers) {
    if (!existsSync(header)) continue;
    const text = readFileSync(header, 'utf8');
    const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => new RegExp(`#define TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1],
    );
    if (parts.every((part) => part !== undefined)) return parts.join('.');
  }
  return undefined;
}
