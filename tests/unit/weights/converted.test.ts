/** Converted copies: same values as without them, damage noticed, never a failure. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type DType, liveTensors } from '../../../src/tensor/index.js';
import {
  clearConverted,
  listConverted,
  openConverted,
  openWeights,
  type WeightSource,
} from '../../../src/weights/index.js';

const gguf = join(import.meta.dirname, '../../fixtures/weights/tiny-llama.gguf');
const root = mkdtempSync(join(tmpdir(), 'ilora-converted-'));
after(() => rmSync(root, { recursive: true }));

/** All values of a model as they are used, and what was said on the way to them. */
function load(folder: string | undefined, dtype: DType = 'bfloat16', sha256 = 'ab'.repeat(32)) {
  const notices: string[] = [];
  const source = openWeights(gguf);
  const onNotice = (text: string) => notices.push(text);
  const weights: WeightSource =
    folder === undefined ? source : openConverted(source, { folder, sha256, dtype, onNotice });
  const values = Object.fromEntries(
    weights.names().map((name) => {
      const tensor = weights.load(name, { dtype });
      const found = [tensor.dtype, tensor.shape, tensor.toTypedArray()];
      tensor.dispose();
      return [name, found];
    }),
  );
  weights.close();
  return { values, notices, isConverted: weights !== source };
}

test('first and second load equal an unconverted one bit for bit, and leave no tensor alive', () => {
  const folder = join(root, 'equal');
  const before = liveTensors();
  const plain = load(undefined);
  const first = load(folder);
  const second = load(folder);
  assert.deepEqual(first.values, plain.values);
  assert.deepEqual(second.values, plain.values);
  assert.ok(first.isConverted && second.isConverted);
  assert.equal(first.notices.length, 1);
  assert.match(first.notices[0] ?? '', /converting .*tiny-llama.gguf to bfloat16 once; kept in/);
  assert.deepEqual(second.notices, []);
  assert.equal(liveTensors(), before);
});

test('another type and another model are other entries', () => {
  const folder = join(root, 'entries');
  load(folder);
  assert.deepEqual(load(folder, 'float32').values, load(undefined, 'float32').values);
  load(folder, 'bfloat16', 'cd'.repeat(32));
  assert.equal(listConverted(folder).length, 3);
  clearConverted(folder);
  assert.deepEqual(listConverted(folder), []);
  clearConverted(folder);
});

test('a flipped byte anywhere in the copy or its seal is noticed, and the copy made anew', () => {
  const folder = join(root, 'damaged');
  const whole = load(folder);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const step = Math.ceil(bytes.length / 60);
    for (let at = 0; at < bytes.length - 1; at += step) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(path, damaged);
      const again = load(folder);
      const place = `${name}, byte ${at}`;
      assert.match(again.notices.join(), /expected .* — converting it anew/, place);
      assert.deepEqual(again.values, whole.values, place);
      assert.ok(readFileSync(path).equals(bytes), place);
    }
  }
});

test('a copy that was cut off, lost its seal or swapped two words is made anew', () => {
  const folder = join(root, 'torn');
  load(folder);
  const [{ path } = { path: '' }] = listConverted(folder);
  const bytes = readFileSync(path);
  const swapped = Buffer.from(bytes);
  bytes.copy(swapped, bytes.length - 512, bytes.length - 256, bytes.length - 248);
  bytes.copy(swapped, bytes.length - 256, bytes.length - 512, bytes.length - 504);
  for (const damage of [
    () => writeFileSync(path, bytes.subarray(0, -64)),
    () => writeFileSync(path, ''),
    () => writeFileSync(path, swapped),
    () => rmSync(path),
    () => rmSync(`${path}.seal`),
  ]) {
    damage();
    assert.ok(load(folder).isConverted);
    assert.ok(readFileSync(path).equals(bytes));
    assert.deepEqual(load(folder).notices, []);
  }
});

test('where no copy can be kept, the model is loaded without one', () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  const locked = join(root, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o500);
  const isRoot = process.getuid?.() === 0; // whom no mode of a folder keeps out
  for (const folder of [join(file, 'below'), ...(isRoot ? [] : [locked])]) {
    const { values, notices, isConverted } = load(folder);
    assert.ok(!isConverted);
    assert.match(notices.at(-1) ?? '', /going on without a converted copy/);
    assert.deepEqual(values, load(undefined).values);
  }
});
