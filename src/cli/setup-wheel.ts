/**
 * libtorch out of PyTorch's wheel for Python: downloaded by pip, unpacked without Python's parts.
 *
 * pip only downloads: nothing of the wheels is run or installed into a Python, and the Python at
 * hand may be of any version. Everything happens in a folder beside the final one, which is renamed
 * at the end and removed on every other way out.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IloraError, mismatch } from '../errors/index.js';
import {
  folderBytes,
  pipDownload,
  removeAbandoned,
  replaceFolder,
  unpackZip,
} from '../files/index.js';
import { type EngineEnvironment, setupDir } from '../tensor/index.js';
import { firstLine, type System } from './system.js';

/** The version `ilora setup` installs. */
export const WHEEL_VERSION = '2.15.0';

/** Options of {@link installWheel}. */
export interface WheelOptions {
  environment: EngineEnvironment;
  system: System;
  /** Keep the CUDA kernels and get the libraries they need. */
  cuda: boolean;
  signal: AbortSignal;
  say: (text: string) => void;
}

/** What {@link installWheel} did. */
export interface InstalledWheel {
  folder: string;
  wheels: string[];
  downloadBytes: number;
  diskBytes: number;
}

/** What it takes, for the announcement: bytes down the line, bytes kept, bytes needed meanwhile. */
export function wheelSizes({
  cuda,
}: {
  cuda: boolean;
}): Record<'down' | 'kept' | 'needed', number> {
  if (process.platform === 'darwin') return { down: 0.1e9, kept: 0.3e9, needed: 0.6e9 };
  return cuda
    ? { down: 2.7e9, kept: 4.1e9, needed: 7e9 }
    : { down: 0.55e9, kept: 0.5e9, needed: 1.2e9 };
}

/** Where the wheel's libtorch goes. */
export function wheelFolder(environment: EngineEnvironment): string {
  return join(setupDir(environment), WHEEL_VERSION);
}

/** Refuses machines that PyTorch has no wheel for. @throws IloraError `setup` */
export function requireWheelPlatform({ glibc }: System): void {
  const { platform, arch } = process;
  const hasWheel =
    (platform === 'darwin' && arch === 'arm64') ||
    (platform === 'linux' && (arch === 'x64' || arch === 'arm64') && minor(glibc) >= OLDEST_GLIBC);
  if (hasWheel) return;
  throw mismatch('setup', {
    where: 'ilora setup',
    expected: `Linux with glibc 2.${OLDEST_GLIBC} or newer, or macOS on Apple silicon`,
    got: `${platform} ${arch}${platform === 'linux' ? `, glibc ${glibc ?? 'missing'}` : ''}`,
    hint: 'build or get libtorch another way and set LIBTORCH to its folder',
  });
}

/** Downloads, unpacks and tries it. @throws IloraError `setup`; AbortError when stopped */
export async function installWheel(given: WheelOptions): Promise<InstalledWheel> {
  const options = { ...given, environment: withInterpreter(given.environment) };
  const { environment, cuda, say } = options;
  const target = wheelFolder(environment);
  const work = join(setupDir(environment), `.partial-${process.pid}`);
  await removeAbandoned(setupDir(environment), /^\.(?:partial|old)-(\d+)$/);
  await mkdir(work, { recursive: true });
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  process.on('exit', remove); // a second Ctrl-C ends the process at once
  try {
    await requireSpace(work, wheelSizes({ cuda }).needed);
    const root = join(work, 'root');
    await fetchWheels([`torch==${WHEEL_VERSION}`], {
      ...options,
      work,
      root,
      keep: keepOfTorch(cuda),
    });
    if (cuda)
      await fetchWheels(await cudaRequirements(root), {
        ...options,
        work,
        root,
        keep: [LIBRARIES, LICENCES],
      });
    await addMissingLibraries({ ...options, work, root });
    const wheels = await readdir(join(work, 'wheels'));
    const downloadBytes = await folderBytes(join(work, 'wheels'));
    const diskBytes = await folderBytes(root);
    const facts = { wheels, cuda, downloadBytes, diskBytes, date: new Date().toISOString() };
    await writeFile(join(root, 'setup.json'), `${JSON.stringify(facts, null, 2)}\n`);
    await replaceFolder(target, root, join(work, 'replaced'));
    say(`unpacked into ${target}`);
    return { folder: target, wheels, downloadBytes, diskBytes };
  } finally {
    remove();
    process.off('exit', remove);
  }
}

const OLDEST_GLIBC = 28;
const LIBRARIES = /\.so(\.\d+)*$/;
const LICENCES = /\.dist-info\/(METADATA|LICEN[CS]E|NOTICE|licenses\/)/;

/** Which files of torch's wheel are kept: headers, libraries, licences; none of Python's. */
function keepOfTorch(cuda: boolean): RegExp[] {
  const skipped = cuda
    ? 'torch_python'
    : 'torch_cuda|torch_python|torch_nvshmem|torch_global_deps|c10_cuda|caffe2|shm|torch\\.';
  return [
    /^torch\/include\//,
    new RegExp(`^torch/lib/(?!lib(${skipped}))[^/]*\\.(so(\\.\\d+)*|dylib)$`),
    /^torch\.libs\//,
    /^torch\/version\.py$/,
    /^torch-[^/]*\.dist-info\/(METADATA|LICEN[CS]E|NOTICE|licenses\/)/,
  ];
}

interface FetchOptions extends WheelOptions {
  work: string;
  root: string;
  /** Which files are unpacked, by their names. */
  keep: readonly RegExp[];
}

/** Downloads wheels with their dependencies (torch: without) and unpacks what is kept of them. */
async function fetchWheels(requirements: readonly string[], options: FetchOptions): Promise<void> {
  const { environment, system, work, root, keep, signal, say } = options;
  const folder = join(work, 'wheels');
  say(`downloading ${requirements.join(' ')} with pip ...`);
  const wheels = await pipDownload({
    python: environment.python,
    requirements,
    folder,
    withDependencies: requirements[0]?.startsWith('torch') !== true,
    flags: [...PYTHON_TAGS, ...platformTags(system)],
    otherWay: 'set LIBTORCH to a libtorch at hand',
    env: process.env,
    isShown: true,
    signal,
  });
  for (const wheel of wheels) {
    const path = join(folder, wheel);
    say(`unpacking ${wheel} (${Math.ceil(statSync(path).size / 1e6)} MB) ...`);
    const isWanted = (name: string): boolean => keep.some((pattern) => pattern.test(name));
    await unpackZip(path, root, { isWanted, signal });
  }
}

/** A Python that PyTorch has wheels for; their libraries are the same for all. */
const PYTHON_TAGS = ['--python-version', '3.12', '--implementation', 'cp'].concat(
  ['cp312', 'none'].flatMap((abi) => ['--abi', abi]),
);

/** pip's names of the platforms whose wheels run here. */
function platformTags({ glibc }: System): string[] {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const names =
    process.platform === 'darwin'
      ? [14, 13, 12, 11].map((version) => `macosx_${version}_0_arm64`)
      : Array.from({ length: minor(glibc) - 16 }, (_, i) => `manylinux_2_${17 + i}_${machine}`);
  if (process.platform === 'linux') names.push(`manylinux2014_${machine}`);
  return names.flatMap((name) => ['--platform', name]);
}

/** What torch's own metadata says it needs of CUDA. */
async function cudaRequirements(root: string): Promise<string[]> {
  const metadata = await readFile(
    join(root, `torch-${WHEEL_VERSION}.dist-info`, 'METADATA'),
    'utf8',
  );
  return [...metadata.matchAll(/^Requires-Dist: ((?:nvidia-|cuda-toolkit)[^;\n]*)/gm)].map(
    ([, requirement]) => requirement!.trim(),
  );
}

/**
 * Libraries without which libtorch_cpu does not load, one after the other: on Linux the wheel's CPU
 * part is linked against CUDA's runtime and profiler although it does not use them.
 */
async function addMissingLibraries(options: Omit<FetchOptions, 'keep'>): Promise<void> {
  const { environment, root } = options;
  const extension = process.platform === 'darwin' ? 'dylib' : 'so';
  const library = join(root, 'torch', 'lib', `libtorch_cpu.${extension}`);
  for (let missing = ''; ; ) {
    const { status, stderr } = spawnSync(
      environment.python,
      ['-c', 'import ctypes, sys; ctypes.CDLL(sys.argv[1])', library],
      { encoding: 'utf8' },
    );
    if (status === 0) return;
    const name = /OSError: (lib\S+?): cannot open shared object/.exec(stderr)?.[1];
    const requirement = name === undefined || name === missing ? undefined : cudaPackage(name);
    if (name === undefined || requirement === undefined)
      throw new IloraError(
        'setup',
        `ilora setup: the downloaded libtorch does not load: ${stderr.trim().split('\n').at(-1)}`,
      );
    missing = name;
    const missingOne = new RegExp(`/lib/${name.replaceAll('.', '\\.')}$`);
    await fetchWheels([requirement], { ...options, keep: [missingOne, LICENCES] });
  }
}

function cudaPackage(library: string): string | undefined {
  const [, name = '', major = ''] = /^lib(cudart|cupti)\.so\.(\d+)$/.exec(library) ?? [];
  const names: Record<string, string> = {
    cudart: 'nvidia-cuda-runtime',
    cupti: 'nvidia-cuda-cupti',
  };
  if (names[name] === undefined) return undefined;
  const version = Number(major);
  return version < 13 ? `${names[name]}-cu${major}` : `${names[name]}>=${major},<${version + 1}`;
}

/** The interpreter itself: what is called `python3` may be a script that outlives being stopped. */
function withInterpreter(environment: EngineEnvironment): EngineEnvironment {
  const python = firstLine(environment.python, ['-c', 'import sys; print(sys.executable)']);
  return { ...environment, python: python || environment.python };
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes)
    throw mismatch('setup', {
      where: folder,
      expected: `${gigabytes(bytes)} free`,
      got: gigabytes(free),
      hint: 'make room, or name another place with ILORA_CACHE',
    });
}

function minor(glibc: string | undefined): number {
  return Number(/^2\.(\d+)/.exec(glibc ?? '')?.[1] ?? 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
