/** Safetensors files: the header, every tensor's bytes, and tensors of those types the engine takes. */
import { join } from 'node:path';
import { scope } from '../../src/tensor/index.js';
import {
  openSafetensors,
  readTensorBytes,
  SAFETENSORS_DTYPES,
  type SafetensorsDtype,
} from '../../src/weights/index.js';
import { loadTensors } from '../../src/weights/tensor-file.js';
import { caseOf } from './case.js';
import { safetensorsBytes } from './seed.js';
import type { Target } from './target.js';

const FILE = 'model.safetensors';
const DTYPES = Object.keys(SAFETENSORS_DTYPES) as SafetensorsDtype[];

const target: Target = {
  name: 'safetensors',
  sources: {
    'weights/safetensors.ts': ['writeSafetensors', 'bytesOf'],
    'weights/stored-tensor.ts': ['asFloat32', 'findTensor'],
    'files/strict-json.ts': [],
    'weights/tensor-file.ts': ['saveTensors'],
  },
  async seeds() {
    const all = DTYPES.map((dtype, i) => ({ name: `t.${dtype}`, dtype, shape: [i % 3, 2] }));
    return [
      caseOf({ [FILE]: safetensorsBytes(all, { format: 'pt', note: 'é' }) }),
      caseOf({ [FILE]: safetensorsBytes([]) }),
      caseOf({
        [FILE]: safetensorsBytes([
          { name: 'a', dtype: 'F32', shape: [2, 3] },
          { name: 'b', dtype: 'F64', shape: [] },
          { name: '__proto__', dtype: 'I64', shape: [4] },
          { name: 'c', dtype: 'I32', shape: [0, 7] },
        ]),
      }),
    ];
  },
  read(folder) {
    const path = join(folder, FILE);
    const { tensors } = openSafetensors(path);
    for (const tensor of tensors.values())
      if (readTensorBytes(path, tensor).byteLength !== tensor.byteLength)
        throw new Error(`${tensor.name}: other bytes than promised`);
    // The engine's files hold four of the types.
    if (![...tensors.values()].every(({ dtype }) => ['F32', 'F64', 'I64', 'I32'].includes(dtype)))
      return;
    scope(() => {
      for (const tensor of loadTensors(path).tensors.values()) tensor.toTypedArray();
    });
  },
  async heavy() {
    const header = (json: string): Buffer => {
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(json.length));
      return Buffer.concat([head, Buffer.from(json)]);
    };
    const huge = Buffer.alloc(16);
    huge.writeBigUInt64LE(99_999_999n);
    const entry = (i: number): string => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`;
    return {
      'promises a header of 100 MB': caseOf({ [FILE]: huge }),
      'one million nested lists': caseOf({
        [FILE]: header(`{"a":${'['.repeat(1 << 20)}${']'.repeat(1 << 20)}}`),
      }),
      'a list of one million empty objects': caseOf({
        [FILE]: header(`{"a":[${'{},'.repeat(1 << 20)}{}]}`),
      }),
      'a text of four million characters': caseOf({
        [FILE]: header(`{"a":"${'\\u0041'.repeat(700_000)}"}`),
      }),
      '20,000 tensors without values': caseOf({
        [FILE]: header(`{${Array.from({ length: 20_000 }, (_, i) => entry(i)).join()}}`),
      }),
      'a shape of one million axes': caseOf({
        [FILE]: header(
          `{"a":{"dtype":"F32","shape":[${'1,'.repeat(1 << 20)}1],"data_offsets":[0,0]}}`,
        ),
      }),
    };
  },
};
export default target;
