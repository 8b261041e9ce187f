/** Compilation of the addon: its cache key and its failures. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { addonPath, ensureAddon, type Libtorch } from '../../../src/tensor/index.js';

const cacheDir = mkdtempSync(join(tmpdir(), 'build-'));
after(() => rmSync(cacheDir, { recursive: true }));
const environment = { python: 'python3', compiler: 'c++', cacheDir };
const libtorch: Libtorch = {
  source: 'LIBTORCH',
  version: '2.15.0',
  includeDirs: [join(cacheDir, 'include')],
  libDir: join(cacheDir, 'lib'),
  hasCudaLibrary: false,
};

test('each libtorch has an addon of its own, always the same one', () => {
  const path = addonPath(libtorch, environment);
  assert.equal(addonPath({ ...libtorch }, environment), path);
  assert.notEqual(addonPath({ ...libtorch, version: '2.14.0' }, environment), path);
  assert.notEqual(addonPath({ ...libtorch, libDir: '/elsewhere' }, environment), path);
  assert.ok(path.startsWith(join(cacheDir, 'addon')));
});

test('a missing compiler is named, with what to install', () => {
  const notices: string[] = [];
  const compiler = join(cacheDir, 'no-compiler');
  assert.throws(
    () => ensureAddon(libtorch, { ...environment, compiler }, (text) => notices.push(text)),
    {
      code: 'setup',
      message: /expected a C\+\+ compiler ".*no-compiler", found none — install one/,
    },
  );
  assert.equal(notices.length, 1);
});

test('a failed compilation shows the words of the compiler and leaves nothing', () => {
  const compiler = join(cacheDir, 'compiler');
  writeFileSync(compiler, '#!/bin/sh\necho "door.cpp:1: error: no such thing" >&2\nexit 1\n');
  chmodSync(compiler, 0o755);
  assert.throws(() => ensureAddon(libtorch, { ...environment, compiler }, () => undefined), {
    code: 'setup',
    message: /the addon did not compile with .*compiler:\ndoor\.cpp:1: error: no such thing/,
  });
  const path = addonPath(libtorch, environment);
  assert.equal(existsSync(path), false);
  assert.deepEqual(readdirSync(dirname(path)), []);
});
