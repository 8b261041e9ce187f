/** Small valid files, made by code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SAFETENSORS_DTYPES,
  type SafetensorsDtype,
  writeSafetensors,
} from '../../src/weights/index.js';

/** Bytes of a safetensors file whose values are small numbers. */
export function safetensorsBytes(
  tensors: readonly { name: string; dtype: SafetensorsDtype; shape: readonly number[] }[],
  metadata: Record<string, string> = {},
): Buffer {
  return inFolder((folder) => {
    const path = join(folder, 'made.safetensors');
    const data = tensors.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape,
      data: Buffer.alloc(shape.reduce((a, b) => a * b, 1) * SAFETENSORS_DTYPES[dtype]),
    }));
    writeSafetensors(path, data, metadata);
    return readFileSync(path);
  });
}

/** Hands out a new folder and removes it. */
export function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ilora-fuzz-seed-'));
  const end = (): void => rmSync(folder, { recursive: true, force: true });
  let result: T;
  try {
    result = use(folder);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as T;
  end();
  return result;
}
