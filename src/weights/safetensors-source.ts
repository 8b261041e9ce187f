/** Weights of a Hugging Face folder; mapped where type and device already fit. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mismatch } from '../errors/index.js';
import type { Tensor } from '../tensor/index.js';
import { readHfConfig } from './hf-config.js';
import { MappedTensors, WEIGHT_DTYPES } from './mapped-tensors.js';
import { expectedShapes, type ModelConfig } from './model-config.js';
import { openSafetensorsFolder, type ShardedTensor } from './sharded.js';
import { findTensor, haveSameBytes, type StoredTensor } from './stored-tensor.js';
import {
  checkModel,
  type LoadOptions,
  type ModelFacts,
  type TokenizerSource,
  type WeightSource,
} from './weight-source.js';

/** What stands in a folder, before anything is refused. */
export interface SafetensorsFacts extends ModelFacts {
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
  if (facts.config?.tieWordEmbeddings === true) dropSharedTable(tensors);
  const readableTypes = Object.keys(WEIGHT_DTYPES);
  return { facts, tensors, readableTypes, tokenizer: findTokenizer(folder) };
}

/** Some writers store a table that is shared twice. If both are the same, nothing is lost with the second. */
function dropSharedTable(tensors: Map<string, ShardedTensor>): void {
  const [table, output] = [tensors.get('embed_tokens.weight'), tensors.get('lm_head.weight')];
  if (table === undefined || output === undefined) return;
  if (table.dtype === output.dtype && haveSameBytes(table, output))
    tensors.delete('lm_head.weight');
}

/** The weights of a Hugging Face folder. */
export class SafetensorsSource implements WeightSource {
  readonly kind = 'safetensors';
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerSource;
  readonly #tensors: ReadonlyMap<string, ShardedTensor>;
  readonly #files = new MappedTensors();

  constructor(readonly path: string) {
    const found = readSafetensorsFacts(path);
    this.config = checkModel(path, found);
    this.#tensors = found.tensors;
    this.tokenizer = found.tokenizer;
  }

  names(): string[] {
    return [...expectedShapes(this.config).keys()];
  }

  stored(name: string): StoredTensor {
    return this.#find(name);
  }

  load(name: string, options?: LoadOptions): Tensor {
    return this.#files.load(this.#find(name), options);
  }

  close(): void {
    this.#files.close();
  }

  #find(name: string): ShardedTensor {
    return findTensor(this.path, this.#tensors, name) as ShardedTensor;
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
