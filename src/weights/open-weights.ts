/** Opens a base model by its path: a GGUF file or a Hugging Face folder. */
import { type Stats, statSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import { fileError } from '../files/index.js';
import { GgufSource, readGgufFacts } from './gguf-source.js';
import { countParameters, type ModelConfig } from './model-config.js';
import { readSafetensorsFacts, SafetensorsSource } from './safetensors-source.js';
import type { StoredTensor } from './stored-tensor.js';
import { modelProblems, type TokenizerSource, type WeightSource } from './weight-source.js';

/**
 * Opens the weights of a base model.
 *
 * @param path  a GGUF file, or a folder with config.json and safetensors
 * @throws IloraError of code `file` or `format`, listing everything that misfits
 */
export function openWeights(path: string): WeightSource {
  return isFolder(path) ? new SafetensorsSource(path) : new GgufSource(path);
}

/** What can be said about a model without loading it, even if it cannot serve as a base. */
export interface ModelDescription {
  kind: 'gguf' | 'safetensors';
  path: string;
  architecture: string;
  /** Why it cannot serve as a base; empty if it can. */
  problems: readonly string[];
  config?: ModelConfig;
  /** Counted from the config, or from the stored tensors where there is none. */
  parameters: { total: number; nonEmbedding?: number };
  /** Stored values by type, most frequent first. */
  types: readonly { dtype: string; tensors: number; values: number }[];
  /** Bytes of all weight files. */
  byteLength: number;
  tokenizer: TokenizerSource;
}

/** Describes a model from its headers. */
export function describeModel(path: string): ModelDescription {
  if (isFolder(path)) {
    const found = readSafetensorsFacts(path);
    const { facts, tensors, tokenizer } = found;
    const files = new Set([...tensors.values()].map((tensor) => tensor.path));
    const byteLength = [...files].reduce((sum, file) => sum + statSync(file).size, 0);
    return {
      kind: 'safetensors',
      path,
      ...facts,
      problems: modelProblems(found),
      ...countStored([...tensors.values()], facts.config),
      byteLength,
      tokenizer,
    };
  }
  const found = readGgufFacts(path);
  const { file, facts, tokenizer } = found;
  return {
    kind: 'gguf',
    path,
    ...facts,
    problems: modelProblems(found),
    ...countStored([...file.tensors.values()], facts.config),
    byteLength: file.size,
    tokenizer,
  };
}

function countStored(
  tensors: readonly StoredTensor[],
  config: ModelConfig | undefined,
): Pick<ModelDescription, 'parameters' | 'types'> {
  const byType = new Map<string, { dtype: string; tensors: number; values: number }>();
  for (const { dtype, shape } of tensors) {
    const entry = byType.get(dtype) ?? { dtype, tensors: 0, values: 0 };
    entry.tensors += 1;
    entry.values += shape.reduce((product, size) => product * size, 1);
    byType.set(dtype, entry);
  }
  const types = [...byType.values()].sort((a, b) => b.values - a.values);
  const total = types.reduce((sum, { values }) => sum + values, 0);
  return { types, parameters: config === undefined ? { total } : countParameters(config) };
}

function isFolder(path: string): boolean {
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch (error) {
    throw fileError(path, 'a model file or folder', error);
  }
  if (stat.isDirectory()) return true;
  if (stat.isFile()) return false;
  throw mismatch('file', { where: path, expected: 'a file or a folder', got: 'something else' });
}
