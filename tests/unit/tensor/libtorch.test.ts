/** Where libtorch is looked for, with folders that only look like one. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type EngineEnvironment, findLibtorch, searchLibtorch } from '../../../src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'libtorch-'));
after(() => rmSync(folder, { recursive: true }));
const extension = process.platform === 'darwin' ? 'dylib' : 'so';

/** A folder with what is looked at: headers that name the version, and a library. */
function pretend(root: string, version: string): string {
  const [major, minor, patch] = version.split('.');
  for (const part of ['include/ATen', 'include/torch/headeronly', 'lib'])
    mkdirSync(join(root, part), { recursive: true });
  writeFileSync(join(root, 'include', 'ATen', 'Context.h'), '');
  writeFileSync(
    join(root, 'include', 'torch', 'headeronly', 'version.h'),
    `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  );
  writeFileSync(join(root, 'lib', `libtorch_cpu.${extension}`), '');
  return root;
}

function environment(parts: Partial<EngineEnvironment> = {}): EngineEnvironment {
  const cacheDir = mkdtempSync(join(folder, 'cache-'));
  return { python: join(folder, 'no-python'), compiler: 'c++', cacheDir, ...parts };
}

test('LIBTORCH comes before what setup installed', () => {
  const given = environment({ libtorch: pretend(join(folder, 'own'), '2.4.1') });
  pretend(join(given.cacheDir, 'libtorch', '2.15.0', 'torch'), '2.15.0');
  const { source, version, libDir } = findLibtorch(given);
  assert.deepEqual({ source, version }, { source: 'LIBTORCH', version: '2.4.1' });
  assert.equal(libDir, join(folder, 'own', 'lib'));
});

test('the newest of what setup installed is taken, by number', () => {
  const given = environment();
  for (const version of ['2.9.0', '2.15.0', '2.10.1'])
    pretend(join(given.cacheDir, 'libtorch', version, 'torch'), version);
  assert.equal(findLibtorch(given).version, '2.15.0');
});

test('a set-up that was not finished is not seen', () => {
  const given = environment();
  pretend(join(given.cacheDir, 'libtorch', '.partial-1', 'torch'), '2.15.0');
  mkdirSync(join(given.cacheDir, 'libtorch', '2.16.0', 'torch', 'lib'), { recursive: true });
  const places = [...searchLibtorch(given)];
  assert.equal(places.find(({ source }) => source === 'setup')?.found, undefined);
});

test('CUDA kernels beside it are seen', () => {
  const root = pretend(join(folder, 'cuda'), '2.15.0');
  assert.equal(findLibtorch(environment({ libtorch: root })).hasCudaLibrary, false);
  writeFileSync(join(root, 'lib', `libtorch_cuda.${extension}`), '');
  assert.equal(findLibtorch(environment({ libtorch: root })).hasCudaLibrary, true);
});

test('a LIBTORCH without libtorch is an error, whatever else is there', () => {
  const given = environment({ libtorch: join(folder, 'nothing') });
  pretend(join(given.cacheDir, 'libtorch', '2.15.0', 'torch'), '2.15.0');
  assert.throws(() => findLibtorch(given), {
    code: 'setup',
    message: /^LIBTORCH: expected a folder with .*, got ".*nothing" — unset it/,
  });
});

test('an older one than the engine knows is named and refused', () => {
  const libtorch = pretend(join(folder, 'old'), '1.8.2');
  assert.throws(() => findLibtorch(environment({ libtorch })), {
    code: 'setup',
    message: /1\.8\.2/,
  });
  const [place] = searchLibtorch(environment({ libtorch }));
  assert.equal(place?.found, undefined);
  assert.match(place?.problem ?? '', /libtorch 1\.8\.2 in /);
});
