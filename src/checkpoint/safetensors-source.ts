/** Weights of a Hugging Face folder; mapped where type and device already fit. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mismatch } from '../errors/index.js';
import {
  bitcast,
  cast,
  DTYPE_BYTES,
  type DType,
  keep,
  mapFile,
  narrow,
  reshape,
  scope,
  Tensor,
  toDevice,
} from '../tensor/index.js';
import { readHfConfig } from './hf-config.js';
import { type ConfigFacts, expectedShapes, type ModelConfig } from './model-config.js';
import { openSafetensorsFolder, type ShardedTensor } from './sharded.js';
import { findTensor, readTensorBytes, type StoredTensor } from './stored-tensor.js';
import {
  checkModel,
  type LoadOptions,
  type TokenizerSource,
  type WeightSource,
} from './weight-source.js';

/** Engine types of the file types that a base's weights may have. */
const WEIGHT_DTYPES: Readonly<Record<string, DType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** What stands in a folder, before anything is refused. */
export interface SafetensorsFacts {
  facts: ConfigFacts;
  /** By key without the leading `model.`. */
  tensors: ReadonlyMap<string, ShardedTensor>;
  tokenizer: TokenizerSource;
}

/** Reads config and headers of a folder. */
export function readSafetensorsFacts(folder: string): SafetensorsFacts {
  const tensors = new Map<string, ShardedTensor>();
  for (const [name, tensor] of openSafetensorsFolder(folder)) {
    const key = name.replace(/^model\./, '');
    if (tensors.has(key))
      throw mismatch('format', { where: `${folder}: ${name}`, expected: 'one', got: 'two of it' });
    tensors.set(key, { ...tensor, name: key });
  }
  const facts = readHfConfig(folder, tensors.has('lm_head.weight'));
  return { facts, tensors, tokenizer: findTokenizer(folder) };
}

/** The weights of a Hugging Face folder. */
export class SafetensorsSource implements WeightSource {
  readonly kind = 'safetensors';
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerSource;
  readonly #tensors: ReadonlyMap<string, ShardedTensor>;
  /** Each file's bytes, mapped on first use. */
  readonly #maps = new Map<string, Tensor>();

  constructor(readonly path: string) {
    const { facts, tensors, tokenizer } = readSafetensorsFacts(path);
    this.config = checkModel(path, facts, tensors);
    this.#tensors = tensors;
    this.tokenizer = tokenizer;
  }

  names(): string[] {
    return [...expectedShapes(this.config).keys()];
  }

  stored(name: string): StoredTensor {
    return this.#find(name);
  }

  load(name: string, { dtype, device = 'cpu' }: LoadOptions = {}): Tensor {
    const tensor = this.#find(name);
    const storedDtype = WEIGHT_DTYPES[tensor.dtype];
    if (storedDtype === undefined)
      throw mismatch('format', {
        where: `${tensor.path}: ${name}`,
        expected: `a type of ${Object.keys(WEIGHT_DTYPES).join(', ')}`,
        got: tensor.dtype,
      });
    return scope(() => {
      const bytes = this.#bytes(tensor, DTYPE_BYTES[storedDtype]);
      const values = reshape(bitcast(bytes, storedDtype), tensor.shape);
      const wanted = dtype ?? storedDtype;
      return device === 'cpu' ? cast(values, wanted) : toDevice(values, device, wanted);
    });
  }

  close(): void {
    for (const map of this.#maps.values()) map.dispose();
    this.#maps.clear();
  }

  #find(name: string): ShardedTensor {
    return findTensor(this.path, this.#tensors, name) as ShardedTensor;
  }

  /** A view of the mapped file, or a copy where a foreign writer left the tensor unaligned. */
  #bytes(tensor: ShardedTensor, elementBytes: number): Tensor {
    const { path, offset, byteLength } = tensor;
    if (offset % elementBytes !== 0) return Tensor.from(readTensorBytes(path, tensor));
    let map = this.#maps.get(path);
    if (map === undefined) {
      map = keep(mapFile(path, statSync(path).size));
      this.#maps.set(path, map);
    }
    return narrow(map, 0, offset, byteLength);
  }
}

function findTokenizer(folder: string): TokenizerSource {
  const tokenizerJson = join(folder, 'tokenizer.json');
  const configJson = join(folder, 'tokenizer_config.json');
  if (!existsSync(tokenizerJson)) return { kind: 'none', path: folder };
  return {
    kind: 'json',
    tokenizerJson,
    configJson: existsSync(configJson) ? configJson : undefined,
  };
}
