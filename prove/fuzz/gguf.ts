/** GGUF files: metadata, directory, and every tensor of the eleven types that can be read. */
import { join } from 'node:path';
import { DEQUANTIZABLE, dequantize, openGguf, readTensorBytes } from '../../src/weights/index.js';
import { type Case, caseOf } from './case.js';
import { GGUF, ggufBytes } from './gguf-file.js';
import { GGUF_TYPES, ggufModel } from './model-seed.js';
import type { Target } from './target.js';
import { MODEL_SOURCES, useModel } from './weights.js';

const FILE = 'model.gguf';

const target: Target = {
  name: 'gguf',
  sources: {
    'weights/gguf.ts': [],
    'weights/byte-cursor.ts': [],
    'weights/gguf-source.ts': [],
    'weights/gguf-config.ts': [],
    'weights/dequantize.ts': [],
    'weights/stored-tensor.ts': [],
    ...MODEL_SOURCES,
  },
  async seeds() {
    const kinds = ggufBytes(
      [
        ['general.alignment', [GGUF.u32, 32]],
        ['t.list', [GGUF.list, [1, 2, 3], GGUF.i32]],
        ['t.floats', [GGUF.list, [1, 2, 3], GGUF.f32]],
        ['t.ids', [GGUF.list, [1, 2, 3], GGUF.u32]],
        ['t.wide', [GGUF.list, [1, 2, 3], GGUF.u64]],
        ['t.flags', [GGUF.list, [true, false], GGUF.bool]],
      ],
      GGUF_TYPES.map((type, i) => ({ name: `tensor.${i}`, shape: [1, 256], type })),
    );
    return [...GGUF_TYPES.map((type) => seed(ggufModel(type))), seed(kinds)];
  },
  read(folder) {
    const path = join(folder, FILE);
    const { tensors, metadata } = openGguf(path);
    for (const tensor of tensors.values()) {
      const bytes = readTensorBytes(path, tensor);
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      if (!DEQUANTIZABLE.includes(tensor.dtype)) continue;
      const values = dequantize(`${path}: ${tensor.name}`, { type: tensor.dtype, bytes, count });
      if (values.length !== count) throw new Error(`${tensor.name}: ${values.length} values`);
    }
    if (metadata.has('general.architecture')) useModel(path, false);
  },
  async heavy() {
    const head = (...parts: (number | bigint)[]): Buffer =>
      Buffer.concat([
        Buffer.from('GGUF'),
        ...parts.map((part) =>
          Buffer.from(
            typeof part === 'bigint' ? BigUint64Array.of(part).buffer : Uint32Array.of(part).buffer,
          ),
        ),
      ]);
    const key = Buffer.concat([head(1n).subarray(4), Buffer.from('k')]);
    const numbers = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
    const long = (value: bigint): Buffer => Buffer.from(BigUint64Array.of(value).buffer);
    const list = (of: number, count: number, body: Buffer): Buffer =>
      Buffer.concat([head(3, 0n, 1n), key, numbers(9), numbers(of), long(BigInt(count)), body]);
    return {
      'promises 2^40 tensors': seed(head(3, 1n << 40n, 0n)),
      'promises a text of 2^62 bytes': seed(Buffer.concat([head(3, 0n, 1n), long(1n << 62n)])),
      'promises a list of 2^32 numbers': seed(list(4, 2 ** 32, Buffer.alloc(64))),
      'a list of one million bytes': seed(list(0, 1 << 20, Buffer.alloc(1 << 20))),
      'a list of one million booleans': seed(list(7, 1 << 20, Buffer.alloc(1 << 20))),
      'a list of 500,000 empty texts': seed(list(8, 500_000, Buffer.alloc(4_000_000))),
      'a list of 500,000 wide numbers': seed(list(10, 500_000, Buffer.alloc(4_000_000))),
    };
  },
};
export default target;

function seed(bytes: Buffer): Case {
  return caseOf({ [FILE]: bytes });
}
