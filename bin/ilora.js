#!/usr/bin/env node
/**
 * Starts the command line in a child process whose environment makes libtorch fast.
 *
 * An allocator can only be put in place before a process starts; hence the child. What the user has
 * set, be it to nothing (`LD_PRELOAD= ilora ...`), is left alone.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Node's arguments that run the command line: what was built if it is up to date, else the sources. */
function entry() {
  const built = join(root, 'dist', 'cli', 'main.js');
  const source = join(root, 'src', 'cli', 'main.ts');
  const isBuilt = existsSync(built);
  if (isBuilt && !(existsSync(source) && newest(join(root, 'src')) > statSync(built).mtimeMs))
    return [built];
  let tsx;
  try {
    tsx = import.meta.resolve('tsx');
  } catch {
    if (isBuilt) return [built]; // no development tools here: what was built is all there is
    console.error(
      `ilora: expected dist/ or the development tools in ${root}, got neither — run "npm install" there`,
    );
    process.exit(1);
  }
  return ['--import', tsx, source];
}

function newest(folder) {
  let latest = 0;
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    latest = Math.max(latest, item.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
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

// Threads that wait for the others of an operator sleep in place of spinning: it costs next to
// nothing on an idle machine, and makes a busy one (a second run, a server) several times faster.
// (ATEN_CPU_CAPABILITY stays unset: libtorch's own choice was as fast as avx512 or avx2.)
const additions = { OMP_WAIT_POLICY: 'PASSIVE' };
const preload = allocator();
if (preload !== undefined) additions.LD_PRELOAD = preload;

const child = spawn(process.execPath, [...process.execArgv, ...entry(), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...additions, ...process.env },
});
// A Ctrl-C typed at a terminal reaches the child by itself too; it takes two in a row as one.
for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`ilora: ${process.execPath} does not start: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
