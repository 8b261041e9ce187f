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

/** What stands in a model's files: its config, and all of its tensors. */
export interface ModelFacts {
  facts: ConfigFacts;
  /** By Hugging Face key without `model.`; what has none keeps its own name. */
  tensors: ReadonlyMap<string, StoredTensor>;
  /** Types that can be read. */
  readableTypes: readonly string[];
}

/**
 * Why a model cannot serve as a base, one line each; none if it can. Every tensor has the shape that the config implies
 * and a type that can be read, and every tensor of the files is used: one that is left over would be a part of the
 * model that we do not compute.
 */
export function modelProblems({ facts, tensors, readableTypes }: ModelFacts): string[] {
  const { config, problems } = facts;
  if (config === undefined || problems.length > 0) return [...problems];
  const misfits: string[] = [];
  const expected = expectedShapes(config);
  for (const [name, shape] of expected) {
    const stored = tensors.get(name);
    const wanted = `${name}: expected shape [${shape.join(', ')}]`;
    if (stored === undefined) misfits.push(`${wanted}, got no such tensor`);
    else if (stored.shape.join() !== shape.join())
      misfits.push(`${wanted}, got [${stored.shape.join(', ')}]`);
    else if (!readableTypes.includes(stored.dtype))
      misfits.push(`${name}: expected a type of ${readableTypes.join(', ')}, got ${stored.dtype}`);
  }
  for (const [name, { shape }] of tensors)
    if (!expected.has(name) && !IS_DERIVED.test(name))
      misfits.push(`${name}: expected no such tensor beside a Llama's, got [${shape.join(', ')}]`);
  const more = misfits.length - MAX_MISFITS;
  return more > 0 ? [...misfits.slice(0, MAX_MISFITS), `... and ${more} more`] : misfits;
}

/**
 * Checks that a model can serve as a base.
 *
 * @returns the config
 * @throws IloraError of code `format` listing all that misfits
 */
export function checkModel(path: string, model: ModelFacts): ModelConfig {
  const problems = modelProblems(model);
  const { config } = model.facts;
  if (config === undefined || problems.length > 0) throw faults('format', path, problems);
  return config;
}

/** Frequencies of positions, which older checkpoints keep though they follow from the config. */
const IS_DERIVED = /^(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/;
const MAX_MISFITS = 20;
