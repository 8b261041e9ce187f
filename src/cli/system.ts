/**
 * What machine this is, and what to type on it to install a prerequisite.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** The operating system, as far as installing things is concerned. */
export interface System {
  family: 'debian' | 'fedora' | 'macos' | 'other';
  /** As the system calls itself. */
  name: string;
  isRoot: boolean;
  /** Version of the GNU C library; missing elsewhere. */
  glibc?: string;
}

/** What can be missing. */
export type Prerequisite = 'compiler' | 'pip' | 'blas' | 'libtorch' | 'allocator';

const PACKAGES: Record<'debian' | 'fedora', Record<Prerequisite, readonly string[]>> = {
  debian: {
    compiler: ['g++'],
    pip: ['python3-pip'],
    blas: ['libopenblas0-pthread'],
    libtorch: ['libtorch-dev', 'libopenblas0-pthread'],
    allocator: ['libtcmalloc-minimal4'],
  },
  fedora: {
    compiler: ['gcc-c++'],
    pip: ['python3-pip'],
    blas: ['openblas-threads'],
    libtorch: ['python3-torch-devel', 'openblas-threads'],
    allocator: ['gperftools-libs'],
  },
};

const IN_WORDS: Record<Prerequisite, string> = {
  compiler: 'install a C++ compiler that knows C++20, or name one with CXX',
  pip: 'install Python 3 with pip, or name one with PYTHON',
  blas: 'install OpenBLAS as the BLAS of the system',
  libtorch: 'ilora setup --from wheel',
  allocator: 'install gperftools (libtcmalloc)',
};

const ON_MACOS: Partial<Record<Prerequisite, string>> = {
  compiler: 'xcode-select --install',
  pip: 'brew install python',
};

/** Reads what the system says of itself. */
export function describeSystem(): System {
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'darwin')
    return { family: 'macos', name: firstLine('sw_vers', ['-productVersion'], 'macOS '), isRoot };
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (key: string): string =>
    new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(release)?.[1] ?? '';
  const kinds = `${field('ID')} ${field('ID_LIKE')}`.split(' ');
  const family = kinds.includes('debian')
    ? 'debian'
    : kinds.includes('fedora') || kinds.includes('rhel')
      ? 'fedora'
      : 'other';
  const glibc = /glibc ([\d.]+)/.exec(firstLine('getconf', ['GNU_LIBC_VERSION']))?.[1];
  return { family, name: field('PRETTY_NAME') || process.platform, isRoot, glibc };
}

/** What to type on this system to install something. */
export function installCommand(what: Prerequisite, { family, isRoot }: System): string {
  if (family === 'macos') return ON_MACOS[what] ?? IN_WORDS[what];
  if (family === 'other') return IN_WORDS[what];
  const program = family === 'debian' ? 'apt-get install -y' : 'dnf install -y';
  return `${isRoot ? '' : 'sudo '}${program} ${PACKAGES[family][what].join(' ')}`;
}

/** Debian's packages that bring it. */
export function debianPackages(what: Prerequisite): readonly string[] {
  return PACKAGES.debian[what];
}

/** First line a program prints with these arguments, or nothing when it does not run. */
export function firstLine(program: string, args: readonly string[], prefix = ''): string {
  const { status, stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? prefix + (stdout.trim().split('\n')[0] ?? '') : '';
}

/** Whether the system's BLAS is the reference one, some hundred times slower than OpenBLAS. */
export function hasReferenceBlas(): boolean {
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const path = join('/usr/lib', triplet, 'libblas.so.3');
  return existsSync(path) && /\/blas\/libblas\.so/.test(realpathSync(path));
}

/** Whether tcmalloc is where the launcher looks for it. */
export function hasFastAllocator(): boolean {
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  return [`/usr/lib/${triplet}`, '/usr/lib64', '/usr/lib'].some((folder) =>
    ['libtcmalloc_minimal.so.4', 'libtcmalloc.so.4'].some((name) => existsSync(join(folder, name))),
  );
}
