/**
 * The checks behind `ilora doctor`, each a line: what was looked at, how it stands, what to type.
 */
import { existsSync, readdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { folderBytes } from '../files/index.js';
import {
  addonPath,
  type EngineEnvironment,
  type Libtorch,
  type LibtorchPlace,
  processorName,
  searchLibtorch,
} from '../tensor/index.js';
import { type EngineReport, type EngineTrial, tryEngine } from './engine-report.js';
import {
  describeSystem,
  firstLine,
  hasFastAllocator,
  hasReferenceBlas,
  installCommand,
  type System,
} from './system.js';

/** One line. */
export interface Finding {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What to type or do. */
  fix?: string;
}

/** What `doctor --json` prints. */
export interface Examination {
  /** Whether the engine works. */
  ok: boolean;
  checks: Finding[];
  libtorch?: { source: Libtorch['source']; version: string; path: string };
  engine?: EngineReport;
  cache: { folder: string; bytes: Record<string, number>; freeBytes: number };
}

/** Below this a core runs plain loops, as the reference BLAS does, and no vector instructions. */
const SLOW_GFLOPS_PER_THREAD = 5;

/** Looks at everything; tries the engine where there is one. */
export async function examine(
  environment: EngineEnvironment,
  env: NodeJS.ProcessEnv,
): Promise<Examination> {
  const system = describeSystem();
  const places = [...searchLibtorch(environment)];
  const libtorch = places.find(({ found }) => found !== undefined)?.found;
  const hasAddon = libtorch !== undefined && existsSync(addonPath(libtorch, environment));
  const trial = libtorch === undefined ? undefined : await tryEngine(env);
  const engine = trial?.isWorking ? trial.report : undefined;
  const cache = await measureCache(environment.cacheDir);
  const checks = [
    nodeFinding(),
    systemFinding(system),
    machineFinding(),
    compilerFinding(environment, { system, isNeeded: engine === undefined }),
    pipFinding(environment, { system, isNeeded: libtorch === undefined }),
    ...places.map((place) => placeFinding(place, libtorch)),
    ...(libtorch === undefined ? [missingFinding()] : []),
    ...(trial === undefined ? [] : engineFindings(trial, { hasAddon, system, env })),
    cudaFinding(libtorch, engine),
    ...cacheFindings(cache),
  ];
  return {
    ok: engine !== undefined,
    checks,
    ...(libtorch && {
      libtorch: { source: libtorch.source, version: libtorch.version, path: libtorch.libDir },
    }),
    ...(engine && { engine }),
    cache,
  };
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isGood = major > 20 || (major === 20 && minor >= 19);
  return {
    name: 'node',
    status: isGood ? 'ok' : 'fail',
    detail: `${process.version} (${process.execPath})`,
    ...(!isGood && { fix: 'install Node.js 20.19 or newer' }),
  };
}

function systemFinding({ name, glibc, isRoot }: System): Finding {
  const isKnown = process.platform === 'linux' || process.platform === 'darwin';
  const library = glibc === undefined ? '' : `, glibc ${glibc}`;
  return {
    name: 'system',
    status: isKnown ? 'ok' : 'fail',
    detail: `${name}, ${process.platform} ${process.arch}${library}${isRoot ? ', root' : ''}`,
    ...(!isKnown && { fix: 'use Linux, macOS or the Windows Subsystem for Linux' }),
  };
}

function machineFinding(): Finding {
  const usable = availableParallelism();
  const share = usable < cpus().length ? ` (${usable} usable here)` : '';
  return {
    name: 'machine',
    status: 'ok',
    detail: `${processorName()}${share}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB memory`,
  };
}

function compilerFinding(
  { compiler }: EngineEnvironment,
  { system, isNeeded }: { system: System; isNeeded: boolean },
): Finding {
  const version = firstLine(compiler, ['--version']);
  if (version !== '') return { name: 'compiler', status: 'ok', detail: `${compiler}: ${version}` };
  return {
    name: 'compiler',
    status: isNeeded ? 'fail' : 'warn',
    detail: `"${compiler}" does not run; it compiles the addon for a new libtorch`,
    fix: installCommand('compiler', system),
  };
}

function pipFinding(
  { python }: EngineEnvironment,
  { system, isNeeded }: { system: System; isNeeded: boolean },
): Finding {
  const version = firstLine(python, ['-m', 'pip', '--version']);
  if (version !== '') return { name: 'pip', status: 'ok', detail: `${python}: ${version}` };
  return {
    name: 'pip',
    status: isNeeded ? 'fail' : 'warn',
    detail: `"${python} -m pip" does not run; it downloads libtorch, models and data`,
    fix: installCommand('pip', system),
  };
}

function placeFinding(place: LibtorchPlace, chosen: Libtorch | undefined): Finding {
  const { source, where, found, problem } = place;
  const name = 'libtorch';
  const from = source === where ? where : `${source} (${where})`;
  if (problem !== undefined)
    return { name, status: 'warn', detail: `${from}: ${problem} is too old` };
  if (found === undefined) {
    const isMistake = source === 'LIBTORCH';
    return {
      name,
      status: isMistake ? 'fail' : 'ok',
      detail: `${from}: none`,
      ...(isMistake && { fix: 'unset LIBTORCH, or name a folder with include/ and lib/' }),
    };
  }
  const use = found === chosen ? ' ← in use' : '';
  return { name, status: 'ok', detail: `${from}: ${found.version} in ${found.libDir}${use}` };
}

function missingFinding(): Finding {
  return {
    name: 'libtorch',
    status: 'fail',
    detail: 'none found: there is nothing to compute with',
    fix: 'ilora setup',
  };
}

function engineFindings(
  trial: EngineTrial,
  { hasAddon, system, env }: { hasAddon: boolean; system: System; env: NodeJS.ProcessEnv },
): Finding[] {
  if (!trial.isWorking)
    return [{ name: 'engine', status: 'fail', detail: trial.problem, fix: 'ilora setup --force' }];
  const { addon, threads, allocator, speeds, libtorch } = trial.report;
  const isSlowBlas = libtorch.source === 'system' && hasReferenceBlas();
  const settings = ['ATEN_CPU_CAPABILITY', 'OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'GOMP_SPINCOUNT']
    .filter((key) => env[key])
    .map((key) => `, ${key}=${env[key]}`)
    .join('');
  return [
    { name: 'addon', status: 'ok', detail: `${addon}${hasAddon ? '' : ' (compiled just now)'}` },
    { name: 'threads', status: 'ok', detail: `${threads}${settings}` },
    ...speeds.map(({ dtype, size, gflops }): Finding => {
      const isSlow = gflops < SLOW_GFLOPS_PER_THREAD * threads;
      return {
        name: dtype,
        status: isSlow ? 'warn' : 'ok',
        detail: `${gflops.toFixed(gflops < 10 ? 1 : 0)} GFLOP/s in a product of ${size.M}×${size.K}×${size.N}`,
        ...(isSlow && {
          fix: isSlowBlas
            ? installCommand('blas', system)
            : 'see whether other programs keep the processor busy',
        }),
      };
    }),
    allocatorFinding(allocator, system),
  ];
}

function allocatorFinding(allocator: EngineReport['allocator'], system: System): Finding {
  const name = 'allocator';
  if (allocator === 'tcmalloc') return { name, status: 'ok', detail: 'tcmalloc' };
  if (process.platform !== 'linux') return { name, status: 'ok', detail: "the system's" };
  return {
    name,
    status: 'warn',
    detail: "the C library's; tcmalloc makes training faster",
    fix: hasFastAllocator()
      ? 'start through the command "ilora", with LD_PRELOAD unset'
      : installCommand('allocator', system),
  };
}

function cudaFinding(libtorch: Libtorch | undefined, engine: EngineReport | undefined): Finding {
  const name = 'cuda';
  const hasGpu = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
  if (libtorch?.hasCudaLibrary !== true) {
    if (!hasGpu) return { name, status: 'ok', detail: 'no NVIDIA GPU, no CUDA kernels' };
    return {
      name,
      status: 'warn',
      detail: 'there is an NVIDIA GPU, and no CUDA kernels',
      fix: 'ilora setup --cuda',
    };
  }
  if (engine === undefined) return { name, status: 'warn', detail: 'kernels there, not tried' };
  const { isUsable, detail } = engine.cuda;
  if (isUsable) return { name, status: 'ok', detail: 'a GPU computes' };
  if (!hasGpu) return { name, status: 'ok', detail: 'no NVIDIA GPU; the kernels are there' };
  return {
    name,
    status: 'warn',
    detail,
    fix: 'see whether nvidia-smi works; then ilora setup --cuda --force',
  };
}

async function measureCache(folder: string): Promise<Examination['cache']> {
  const bytes: Record<string, number> = {};
  if (existsSync(folder))
    for (const item of readdirSync(folder, { withFileTypes: true }))
      if (item.isDirectory()) bytes[item.name] = await folderBytes(join(folder, item.name));
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return { folder, bytes, freeBytes: bavail * bsize };
}

function cacheFindings({ folder, bytes, freeBytes }: Examination['cache']): Finding[] {
  const parts = Object.entries(bytes).map(([name, size]) => `${name} ${megabytes(size)}`);
  const isFull = freeBytes < 2e9;
  return [
    {
      name: 'cache',
      status: isFull ? 'warn' : 'ok',
      detail: `${folder}: ${parts.join(', ') || 'empty'}; ${(freeBytes / 1e9).toFixed(1)} GB free`,
      ...(isFull && { fix: 'make room, or name another place with ILORA_CACHE' }),
    },
    ...(['models', 'downloads'] as const).flatMap((part): Finding[] => {
      const inside = join(folder, part);
      if (!existsSync(inside)) return [];
      return [{ name: part, status: 'ok', detail: readdirSync(inside).join(', ') || 'none' }];
    }),
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
