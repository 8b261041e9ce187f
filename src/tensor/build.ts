/**
 * Compiles the addon on first use and caches it per libtorch, compiler flags and source.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { IloraError } from '../errors/index.js';
import type { EngineEnvironment } from './environment.js';
import type { Libtorch } from './libtorch.js';

const SOURCE = join(import.meta.dirname, '..', '..', 'native', 'door.cpp');

/** Path of the compiled addon for this libtorch, whether or not it exists yet. */
export function addonPath(libtorch: Libtorch, environment: EngineEnvironment): string {
  const key = createHash('sha256')
    .update(JSON.stringify([compilerArguments(libtorch), process.arch, process.platform]))
    .update(readFileSync(SOURCE))
    .digest('hex')
    .slice(0, 16);
  return join(environment.cacheDir, 'addon', `libtorch-${libtorch.version}-${key}`, 'ilora.node');
}

/**
 * The addon's path, compiled now if it is not cached.
 * @param onBuild told once, before a compilation starts
 * @throws IloraError `setup` with the compiler's own words when it cannot be built
 */
export function ensureAddon(
  libtorch: Libtorch,
  environment: EngineEnvironment,
  onBuild: (message: string) => void,
): string {
  const path = addonPath(libtorch, environment);
  if (existsSync(path)) return path;
  onBuild(`compiling the engine's addon for libtorch ${libtorch.version} (once, about 15 s) ...`);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const result = spawnSync(
    environment.compiler,
    [...compilerArguments(libtorch), '-o', temporary],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  if (result.error !== undefined || result.status !== 0) {
    rmSync(temporary, { force: true });
    const missing = (result.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    const reason = missing
      ? `expected a C++ compiler "${environment.compiler}", found none — install one (Debian: apt-get install g++) or set CXX`
      : `the addon did not compile with ${environment.compiler}:\n${tail(result.stderr)}`;
    throw new IloraError('setup', `engine: ${reason}`, { compiler: environment.compiler });
  }
  renameSync(temporary, path); // two processes may build at once; either result is good
  return path;
}

function compilerArguments(libtorch: Libtorch): string[] {
  const headers = join(packageDir('node-api-headers'), 'include');
  const wrapper = packageDir('node-addon-api');
  const [major = 0, minor = 0] = libtorch.version.split('.').map(Number);
  const standard = major > 2 || (major === 2 && minor >= 9) ? 'c++20' : 'c++17';
  const link =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup', `-Wl,-rpath,${libtorch.libDir}`]
      : [`-Wl,--disable-new-dtags,-rpath,${libtorch.libDir}`, '-Wl,--allow-shlib-undefined'];
  return [
    '-O1',
    `-std=${standard}`,
    '-fPIC',
    '-shared',
    '-w',
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    // A worker that is ended in the middle of a call cannot be thrown at any more.
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    `-D_GLIBCXX_USE_CXX11_ABI=${usesNewStrings(libtorch) ? 1 : 0}`,
    ...[headers, wrapper, ...libtorch.includeDirs].map((folder) => `-I${folder}`),
    SOURCE,
    `-L${libtorch.libDir}`,
    '-ltorch_cpu',
    '-lc10',
    ...link,
  ];
}

function packageDir(name: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

/** Python wheels before 2.6 were built with the old C++ string layout; the addon must match. */
function usesNewStrings(libtorch: Libtorch): boolean {
  const library = join(libtorch.libDir, 'libc10.so');
  if (!existsSync(library)) return true;
  return readFileSync(library).includes('torchCheckFailEPKcS2_jRKNSt7__cxx11');
}

function tail(text: string | null): string {
  return (text ?? '').trim().split('\n').slice(0, 12).join('\n');
}
