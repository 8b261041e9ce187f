/**
 * What the launcher adds to the environment of a process that computes; the benchmarks give it to all they compare.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Variables to be set where the user has not set them. */
export function engineAdditions() {
  // Threads that wait for the others of an operator spin for some microseconds, as long as the next operator is
  // usually away, and then sleep. Sleeping at once costs a fifth of the speed; spinning on makes a busy machine (a
  // second run, a server) several times slower.
  // (ATEN_CPU_CAPABILITY stays unset: libtorch's own choice was as fast as avx512 or avx2.)
  const additions = 'OMP_WAIT_POLICY' in process.env ? {} : { GOMP_SPINCOUNT: '20000' };
  const preload = allocator();
  return preload === undefined ? additions : { ...additions, LD_PRELOAD: preload };
}

/**
 * tcmalloc, where it is installed: the C library's allocator gives the large blocks of every
 * operator back to the system and takes them anew, page by page.
 */
function allocator() {
  if (process.platform !== 'linux') return undefined;
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  for (const folder of [`/usr/lib/${machine}-linux-gnu`, '/usr/lib64', '/usr/lib'])
    for (const name of ['libtcmalloc_minimal.so.4', 'libtcmalloc.so.4']) {
      const path = join(folder, name);
      if (existsSync(path) && isForThisMachine(path)) return path;
    }
  return undefined;
}

/** Whether a library is of this machine's kind; the loader complains on every start about others. */
function isForThisMachine(path) {
  const header = Buffer.alloc(20);
  const file = openSync(path, 'r');
  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  const [is64Bit, machine] = [header[4] === 2, header.readUInt16LE(18)];
  return (
    header.toString('latin1', 0, 4) === '\x7fELF' &&
    is64Bit &&
    machine === ELF_MACHINES[process.arch]
  );
}

const ELF_MACHINES = { x64: 62, arm64: 183 };
