/** `ilora doctor`, as a user starts it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
after(() => rmSync(folder, { recursive: true }));

interface Check {
  name: string;
  status: string;
  detail: string;
  fix?: string;
}

function doctor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const program = ['--import', 'tsx', join(root, 'src', 'cli', 'main.ts'), 'doctor', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

test('where the engine works the exit code is 0 and the facts are in the document', () => {
  const { status, stdout, stderr } = doctor(['--json']);
  assert.equal(status, 0, stderr);
  const { ok, checks, libtorch, engine, cache } = JSON.parse(stdout);
  assert.equal(ok, true);
  assert.match(libtorch.version, /^\d+\.\d+/);
  assert.equal(engine.speeds.length, 2);
  for (const { gflops } of engine.speeds) assert.ok(gflops > 0);
  assert.ok(cache.free_bytes > 0);
  const names = (checks as Check[]).map(({ name }) => name);
  for (const name of ['node', 'compiler', 'pip', 'libtorch', 'addon', 'threads', 'cuda', 'cache'])
    assert.ok(names.includes(name), name);
  assert.ok((checks as Check[]).every(({ status }) => status !== 'fail'));
});

test('without libtorch it says so, names the fix and exits with 1', () => {
  const { status, stdout, stderr } = doctor([], { LIBTORCH: join(folder, 'none') });
  assert.equal(status, 1);
  assert.match(stdout, /^fail libtorch {4}LIBTORCH \(.*none\): none\n +→ unset LIBTORCH/m);
  assert.match(stderr, /the engine does not work yet/);
  assert.doesNotMatch(stdout + stderr, /\n {4}at /);
});

test('without compiler and Python each of them has a line with its fix', () => {
  const missing = join(folder, 'missing');
  const { status, stdout } = doctor(['--json'], {
    LIBTORCH: join(folder, 'none'),
    CXX: missing,
    PYTHON: missing,
  });
  assert.equal(status, 1);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  assert.equal(ok, false);
  for (const name of ['compiler', 'pip']) {
    const check = checks.find((line) => line.name === name);
    assert.equal(check?.status, 'fail');
    assert.ok(check?.detail.includes(missing));
    assert.ok(check?.fix);
  }
});
