/**
 * Opens a base model with its tokenizer.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IloraError, internal } from '../../errors/index.js';
import { fileError, hashFile } from '../../files/index.js';
import { Llama } from '../../llama/index.js';
import {
  type Device,
  type DType,
  engineEnvironment,
  noticeEngine,
  preferredDtype,
  prepareDevice,
} from '../../tensor/index.js';
import { openTokenizer, type Tokenizer } from '../../text/index.js';
import {
  describeModel,
  type ModelDescription,
  openConverted,
  openWeights,
  type WeightSource,
} from '../../weights/index.js';

/** A frozen language model, ready to be used. */
export interface Base {
  model: Llama;
  tokenizer: Tokenizer;
  path: string;
  dtype: DType;
}

export interface BaseOptions {
  device: Device;
  /** `auto` takes the faster one on this machine. */
  dtype: 'auto' | 'float32' | 'bfloat16';
  /** `hashModel` of the path, where it is known already. */
  sha256?: string;
  /** Folder of converted copies, or false for none; by default that of the cache. */
  converted?: string | false;
  /** Told what was done, for measurements. */
  onStep?: (done: 'header' | 'hash' | 'weights' | 'tokenizer') => void;
}

/**
 * @param path a GGUF file or a Hugging Face folder
 * @throws IloraError `file` or `format`
 */
export function openBase(path: string, options: BaseOptions): Base {
  const { device, onStep = () => undefined } = options;
  prepareDevice(device);
  const dtype = baseDtype(options.dtype, device);
  const source = openWeights(path);
  onStep('header');
  const weights = convertedOf(source, dtype, options);
  try {
    const model = new Llama(weights.config, (key) => weights.load(key, { dtype, device }));
    onStep('weights');
    const tokenizer = openTokenizer(source.tokenizer);
    onStep('tokenizer');
    return { model, tokenizer, path, dtype };
  } finally {
    weights.close();
    source.close();
  }
}

/**
 * What a base is, and all that keeps it from serving as one: the same checks as `openBase`, the tokenizer's included,
 * without its weights.
 *
 * @throws IloraError `file`, or `format` where its headers cannot be read
 */
export function examineBase(path: string): ModelDescription {
  const description = describeModel(path);
  const { config, tokenizer, problems } = description;
  if (config === undefined || problems.length > 0) return description;
  try {
    const { vocabSize } = openTokenizer(tokenizer);
    if (vocabSize <= config.vocabSize) return description;
    const got = `tokenizer: expected at most ${config.vocabSize} tokens, as the embeddings have, got ${vocabSize}`;
    return { ...description, problems: [got] };
  } catch (error) {
    if (error instanceof IloraError) return { ...description, problems: [error.message] };
    throw error;
  }
}

/**
 * Other modules over the tensors of a base that carries no adapter, so that each of several adapters has a place of
 * its own: an adapter replaces the layers of the modules that it sits on.
 */
export function besideBase(base: Base): Base {
  const tensors = new Map(base.model.namedTensors());
  const model = new Llama(base.model.config, (key) => {
    const tensor = tensors.get(key);
    if (tensor === undefined) throw internal(`a base without ${key}: it carries an adapter`);
    return tensor;
  });
  return { ...base, model };
}

/** Bases that several models use at a time: each is opened once, and each model has modules of its own over it. */
export class BasePool {
  readonly #open = new Map<string, Base>();

  /** @throws IloraError `file` or `format` */
  get(path: string, options: Pick<BaseOptions, 'device' | 'dtype'>): Base {
    const key = [resolve(path), options.device, options.dtype].join('\n');
    const base = this.#open.get(key) ?? openBase(path, options);
    this.#open.set(key, base);
    return besideBase(base);
  }
}

/** Smaller files are converted in no time. */
const LEAST_BYTES = 1 << 24;

/** A GGUF file's converted copy, so that its blocks are unpacked once only; other files are mapped as they are. */
function convertedOf(
  source: WeightSource,
  dtype: DType,
  { sha256, converted = convertedDir(), onStep }: BaseOptions,
): WeightSource {
  const isSmall = source.kind !== 'gguf' || statSync(source.path).size < LEAST_BYTES;
  if (isSmall || converted === false) return source;
  const hash = sha256 ?? hashModel(source.path);
  onStep?.('hash');
  return openConverted(source, {
    folder: converted,
    sha256: hash,
    dtype,
    onNotice: noticeEngine,
  });
}

/** Folder of converted copies; false where `ILORA_CONVERTED` is 0. */
export function convertedDir(): string | false {
  const { cacheDir, withoutConverted } = engineEnvironment();
  return !withoutConverted && join(cacheDir, 'converted');
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
