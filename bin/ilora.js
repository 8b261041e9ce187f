#!/usr/bin/env node
/**
 * Starts the command line in a child process whose environment makes libtorch fast.
 *
 * An allocator can only be put in place before a process starts; hence the child. What the user has
 * set, be it to nothing (`LD_PRELOAD= ilora ...`), is left alone.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineAdditions } from './environment.js';

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

const child = spawn(process.execPath, [...process.execArgv, ...entry(), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...engineAdditions(), ...process.env },
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
