/**
 * Opens a base model with its tokenizer.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileError, openWeights } from '../checkpoint/index.js';
import { Llama } from '../llama/index.js';
import { type Device, type DType, preferredDtype, prepareDevice } from '../tensor/index.js';
import { openTokenizer, type Tokenizer } from '../text/index.js';
import { hashFile } from './file-hash.js';

/** A frozen language model, ready to be used. */
export interface Base {
  model: Llama;
  tokenizer: Tokenizer;
  path: string;
  dtype: DType;
}

/**
 * @param path a GGUF file or a Hugging Face folder
 * @param dtype `auto` takes the faster one on this machine
 * @throws IloraError `file` or `format`
 */
export function openBase(
  path: string,
  { device, dtype }: { device: Device; dtype: 'auto' | 'float32' | 'bfloat16' },
): Base {
  prepareDevice(device);
  const source = openWeights(path);
  try {
    const kind = baseDtype(dtype, device);
    const model = new Llama(source.config, (key) => source.load(key, { dtype: kind, device }));
    return { model, tokenizer: openTokenizer(source.tokenizer), path, dtype: kind };
  } finally {
    source.close();
  }
}

/** What `auto` stands for on a device. */
export function baseDtype(dtype: 'auto' | 'float32' | 'bfloat16', device: Device): DType {
  return dtype === 'auto' ? preferredDtype(device) : dtype;
}

/** sha256 over a model's weight files and config, by name. @throws IloraError `file` */
export function hashModel(path: string): string {
  let names: string[];
  try {
    if (!statSync(path).isDirectory()) return hashFile(path);
    names = readdirSync(path).sort();
  } catch (error) {
    throw fileError(path, 'a model file or folder', error);
  }
  const total = createHash('sha256');
  for (const name of names)
    if (/\.(safetensors|json)$/.test(name)) total.update(`${name} ${hashFile(join(path, name))}\n`);
  return total.digest('hex');
}
