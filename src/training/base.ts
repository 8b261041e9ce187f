/**
 * Opens a base model with its tokenizer.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openWeights } from '../checkpoint/index.js';
import { Llama } from '../llama/index.js';
import { type Device, type DType, preferredDtype, prepareDevice } from '../tensor/index.js';
import { openTokenizer, type Tokenizer } from '../text/index.js';

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
    const kind = dtype === 'auto' ? preferredDtype(device) : dtype;
    const model = new Llama(source.config, (key) => source.load(key, { dtype: kind, device }));
    return { model, tokenizer: openTokenizer(source.tokenizer), path, dtype: kind };
  } finally {
    source.close();
  }
}

/** sha256 over a model's weight files and config, by name. */
export function hashModel(path: string): string {
  if (!statSync(path).isDirectory()) return hashFile(path);
  const total = createHash('sha256');
  for (const name of readdirSync(path).sort()) {
    if (/\.(safetensors|json)$/.test(name)) total.update(`${name} ${hashFile(join(path, name))}\n`);
  }
  return total.digest('hex');
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const block = Buffer.alloc(1 << 22);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block))
      hash.update(block.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
