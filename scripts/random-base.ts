/**
 * A base whose weights say nothing: every matrix of a GGUF file with its blocks of quantised values in random order.
 *
 * `npx tsx scripts/random-base.ts BASE.gguf OUT.gguf [SEED]`
 *
 * Each matrix keeps its shape and the distribution of its values; vectors (norms) stay. A control of what pretraining
 * is worth: see runs/next-item-random.yaml.
 */
import { copyFileSync, openSync, readSync, writeSync } from 'node:fs';
import { Random } from '../src/random/index.js';
import { GGML_TYPES } from '../src/weights/ggml-type.js';
import { openGguf } from '../src/weights/index.js';

const [from, to, seed = '1'] = process.argv.slice(2);
if (from === undefined || to === undefined)
  throw new Error('usage: random-base.ts BASE.gguf OUT.gguf [SEED]');
copyFileSync(from, to);
const file = openSync(to, 'r+');
const types = new Map([...GGML_TYPES.values()].map((type) => [type.name as string, type]));
for (const [i, { dtype, shape, offset, byteLength }] of [
  ...openGguf(from).tensors.values(),
].entries()) {
  const size = types.get(dtype)?.blockBytes;
  if (size === undefined) throw new Error(`${from}: no blocks of type ${dtype} are known`);
  if (shape.length < 2) continue;
  const bytes = Buffer.alloc(byteLength);
  readSync(file, bytes, 0, byteLength, offset);
  const order = new Random(Number(seed), 'random-base', i).permutation(byteLength / size);
  const mixed = Buffer.alloc(byteLength);
  for (const [place, block] of order.entries())
    bytes.copy(mixed, place * size, block * size, (block + 1) * size);
  writeSync(file, mixed, 0, byteLength, offset);
}
