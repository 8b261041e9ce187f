/** The launcher `bin/ilora.js`, with a command line that only says how it was started. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const bin = join(import.meta.dirname, '..', '..', '..', 'bin');
const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
after(() => rmSync(folder, { recursive: true }));

const echo = `
const { LD_PRELOAD, OMP_WAIT_POLICY, GOMP_SPINCOUNT } = process.env;
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), LD_PRELOAD, OMP_WAIT_POLICY, GOMP_SPINCOUNT }));
process.exitCode = Number(process.argv[2] ?? 0);
`;
const sleeper = `
process.on('SIGTERM', () => { console.log('SIGTERM'); process.exit(7); });
process.on('SIGINT', () => { console.log('SIGINT'); process.exit(8); });
setInterval(() => undefined, 1000);
console.log('ready');
`;

/** A package that holds the launcher and this program as its built command line. */
function packageWith(program: string): string {
  const root = mkdtempSync(join(folder, 'package-'));
  mkdirSync(join(root, 'dist', 'cli'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  cpSync(bin, join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'dist', 'cli', 'main.js'), program);
  return join(root, 'bin', 'ilora.js');
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  });
}

test('arguments, working folder and exit code pass through', () => {
  const { status, stdout } = run(packageWith(echo), ['5', '--flag', 'a b']);
  const said = JSON.parse(stdout);
  assert.equal(status, 5);
  assert.deepEqual(said.args, ['5', '--flag', 'a b']);
  assert.equal(said.cwd, folder);
});

test('starts through a link as package managers make it', () => {
  const link = join(folder, 'ilora');
  symlinkSync(packageWith(echo), link);
  const { status, stdout } = run(link, []);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout).args, []);
});

test('what the user has set is left alone, be it nothing', () => {
  const { stdout, stderr } = run(packageWith(echo), [], {
    LD_PRELOAD: '',
    OMP_WAIT_POLICY: 'ACTIVE',
  });
  const said = JSON.parse(stdout);
  assert.equal(said.LD_PRELOAD, '');
  assert.equal(said.OMP_WAIT_POLICY, 'ACTIVE');
  assert.equal(said.GOMP_SPINCOUNT, undefined);
  assert.equal(stderr, '');
});

test('waiting threads spin for a moment only, and tcmalloc is loaded where it is installed', () => {
  const { stdout } = run(packageWith(echo), []);
  const said = JSON.parse(stdout);
  assert.equal(said.GOMP_SPINCOUNT, '20000');
  if (said.LD_PRELOAD !== undefined) {
    assert.match(said.LD_PRELOAD, /libtcmalloc/);
    assert.ok(existsSync(said.LD_PRELOAD));
  }
});

test('SIGTERM is passed on and the exit code of what it does comes back', async () => {
  const child = spawn(process.execPath, [packageWith(sleeper)], { stdio: ['ignore', 'pipe', 2] });
  const ended = outcome(child);
  child.stdout?.once('data', () => child.kill('SIGTERM'));
  const { code, text } = await ended;
  assert.equal(code, 7);
  assert.equal(text, 'ready\nSIGTERM\n');
});

test('Ctrl-C, a SIGINT to the whole group, reaches the command line once', async () => {
  const child = spawn(process.execPath, [packageWith(sleeper)], {
    stdio: ['ignore', 'pipe', 2],
    detached: true, // a process group of its own
  });
  const ended = outcome(child);
  child.stdout?.once('data', () => process.kill(-child.pid!, 'SIGINT'));
  const { code, text } = await ended;
  assert.equal(code, 8);
  assert.equal(text, 'ready\nSIGINT\n');
});

test('death by a signal is told as 128 and the number of the signal', () => {
  const { status } = run(
    packageWith("process.kill(process.pid, 'SIGKILL'); setTimeout(() => {}, 1e4);"),
    [],
  );
  assert.equal(status, 137);
});

test('without built files and without tools the message says what to type', () => {
  const program = packageWith(echo);
  rmSync(join(program, '..', '..', 'dist'), { recursive: true });
  const { status, stderr } = run(program, []);
  assert.equal(status, 1);
  assert.match(stderr, /expected dist\/ or the development tools .* "npm install"/);
});

function outcome(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
}
