/** One interface to a base model's weights, whatever files they lie in. */
import { faults } from '../errors/index.js';
import type { Device, DType, Tensor } from '../tensor/index.js';
import type { GgufMetadata } from './gguf.js';
import { type ConfigFacts, expectedShapes, type ModelConfig } from './model-config.js';
import type { StoredTensor } from './stored-tensor.js';

/** Where a model's tokenizer lies. */
export type TokenizerSource =
  | { kind: 'json'; tokenizerJson: string; configJson?: string }
  | { kind: 'gguf'; path: string; metadata: GgufMetadata }
  | { kind: 'none'; path: string };

/** How a tensor is wanted. */
export interface LoadOptions {
  /** By default as it is stored; quantised tensors become float32. */
  dtype?: DType;
  /** `cpu` by default. */
  device?: Device;
}

/** The weights of a base model by Hugging Face key without the leading `model.`. */
export interface WeightSource {
  readonly kind: 'gguf' | 'safetensors';
  /** The file or folder. */
  readonly path: string;
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerSource;
  /** Keys of all tensors the model has, in the order of its layers. */
  names(): string[];
  /** How a tensor is stored. @throws IloraError of code `format` if there is none */
  stored(name: string): StoredTensor;
  /** A tensor; mapped, not copied, where type and device already fit. */
  load(name: string, options?: LoadOptions): Tensor;
  /** Lets go of mapped files; loaded tensors stay valid. */
  close(): void;
}

/**
 * Checks that a model can serve as a base and that its tensors have the shapes its config implies.
 *
 * @returns the config
 * @throws IloraError of code `format` listing all that misfits
 */
export function checkModel(
  path: string,
  { config, problems }: ConfigFacts,
  tensors: ReadonlyMap<string, StoredTensor>,
): ModelConfig {
  if (config === undefined || problems.length > 0) throw faults('format', path, problems);
  const misfits: string[] = [];
  for (const [name, shape] of expectedShapes(config)) {
    const stored = tensors.get(name);
    const expected = `${name}: expected shape [${shape.join(', ')}]`;
    if (stored === undefined) misfits.push(`${expected}, got no such tensor`);
    else if (stored.shape.join() !== shape.join())
      misfits.push(`${expected}, got [${stored.shape.join(', ')}]`);
    if (misfits.length > MAX_MISFITS) break;
  }
  if (misfits.length > 0) throw faults('format', path, misfits);
  return config;
}

const MAX_MISFITS = 20;
