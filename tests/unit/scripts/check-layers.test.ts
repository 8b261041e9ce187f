/** The layer rule on made-up files: each kind of violation is found and named, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerProblems } from '../../../scripts/layers.js';

const problems = (files: Record<string, string>): string[] =>
  layerProblems(new Map(Object.entries(files)));
const HEADER = `/**
 * Here: a room.
 * May use: what is below.
 * Used by: what is above.
 */
`;

test('imports from lower layers are fine, through index.ts within src and any file from outside', () => {
  assert.deepEqual(
    problems({
      'src/training/loop.ts': "import { a } from '../recommenders/index.js';",
      'src/training/order.ts': "import { b } from './loop.js';",
      'prove/resume.ts': "import { c } from '../harness/index.js';",
      'bench/ours/work.ts': "import { d } from '../../src/training/order.js';",
      'prove/fuzz/run.ts': "import { e } from '../../tests/support/models.js';",
      'tests/unit/prove.test.ts': "import { f } from '../../prove/resume.js';",
      'harness/program.ts': "import { g } from '../bin/environment.js';",
    }),
    [],
  );
});

test('an upward import is found, also of types and within import()', () => {
  assert.deepEqual(
    problems({
      'src/tensor/a.ts': "import type { A } from '../training/index.js';",
      'src/training/b.ts': "const b = await import('../cli/index.js');",
      'src/cli/c.ts': "import { c } from '../../harness/index.js';",
      'harness/d.ts': "import { d } from '../bench/train.js';",
      'harness/e.ts': "export * from '../prove/resume.js';",
    }),
    [
      'src/tensor/a.ts: src/tensor (layer 1) imports src/training (layer 6)',
      'src/training/b.ts: src/training (layer 6) imports src/cli (layer 9)',
      'src/cli/c.ts: src/cli (layer 9) imports harness (layer 11)',
      'harness/d.ts: harness (layer 11) imports bench (layer 12)',
      'harness/e.ts: harness (layer 11) imports prove (layer 12)',
    ],
  );
});

test('rooms of one layer do not import each other', () => {
  assert.deepEqual(
    problems({
      'src/lora/a.ts': "import { a } from '../llama/index.js';",
      'prove/b.ts': "import { b } from '../bench/train.js';",
      'bench/c.ts': "import '../prove/resume.js';",
    }),
    [
      'src/lora/a.ts: src/lora (layer 4) imports src/llama (layer 4)',
      'prove/b.ts: prove (layer 12) imports bench (layer 12)',
      'bench/c.ts: bench (layer 12) imports prove (layer 12)',
    ],
  );
});

test('a ring is found in any folder, whichever way the files import; within src types make none', () => {
  const ring = {
    'prove/a.ts': "import { b } from './b.js';",
    'prove/b.ts': "import './c.js';",
    'prove/c.ts': "const a = await import('./a.js');",
  };
  assert.deepEqual(problems(ring), [
    'import ring: prove/a.ts -> prove/b.ts -> prove/c.ts -> prove/a.ts',
  ]);
  const typed = { ...ring, 'prove/b.ts': "import type { C } from './c.js';" };
  assert.equal(problems(typed).length, 1);
  assert.deepEqual(
    problems({
      'src/nn/a.ts': "import { b } from './b.js';",
      'src/nn/b.ts': "import type { A } from './a.js';",
    }),
    [],
  );
});

test('within src other rooms are entered through index.ts', () => {
  assert.deepEqual(
    problems({ 'src/training/a.ts': "import { a } from '../data/store/manifest.js';" }),
    ['src/training/a.ts: imports src/data/store/manifest.ts, not src/data/index.ts'],
  );
});

test('the entries of the addon are imported where it is said why, and nowhere else', () => {
  const own = "import { native } from '../../src/tensor/native.js';";
  assert.deepEqual(
    problems({
      'prove/boundary/body.ts': own,
      'bench/ours/work.ts': own,
      'src/tensor/call.ts': "import { native } from './native.js';",
    }),
    [
      'bench/ours/work.ts: imports src/tensor/native.ts and is not among those that must (scripts/layers.ts)',
    ],
  );
  assert.deepEqual(problems({ 'prove/boundary/body.ts': 'export {};' }), [
    'prove/boundary/body.ts: need not be among those that import src/tensor/native.ts (scripts/layers.ts)',
  ]);
});

test('a room without a layer, an addon and the terminal are found', () => {
  assert.deepEqual(
    problems({
      'src/magic/a.ts': "import { a } from '../errors/index.js';",
      'src/data/b.ts': "import b from './b.node';",
      'src/data/c.ts': 'console.log(process.argv);',
      'src/data/d.ts': 'process.dlopen(module, path);',
    }),
    [
      'src/magic/a.ts: its folder has no layer',
      'src/data/b.ts: imports an addon directly',
      'src/data/c.ts: only cli may read arguments or the environment and write to the terminal',
      'src/data/d.ts: only tensor/native.ts may load the addon',
    ],
  );
});

test('the front of a room says what is here, what it may use and who uses it', () => {
  const front = { 'src/training/index.ts': "export { train } from './loop.js';\n" };
  assert.match(problems(front)[0] ?? '', /^src\/training\/index\.ts: expected a comment of three/);
  const text = HEADER + front['src/training/index.ts'];
  assert.deepEqual(problems({ 'src/training/index.ts': text }), []);
});
