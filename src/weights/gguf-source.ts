/**
 * Weights of a GGUF file, dequantised when loaded.
 *
 * llama.cpp rotates neighbouring features, Hugging Face feature i with i + K/2; its converter
 * therefore reorders the rows of query and key projections, and this reader puts them back.
 */
import { mismatch } from '../errors/index.js';
import { cast, scope, Tensor, toDevice } from '../tensor/index.js';
import { DEQUANTIZABLE, dequantize } from './dequantize.js';
import { type GgufFile, openGguf } from './gguf.js';
import { hfNameOf, ROPE_FACTORS, readGgufConfig } from './gguf-config.js';
import { expectedShapes, type ModelConfig } from './model-config.js';
import { countElements, findTensor, readTensorBytes, type StoredTensor } from './stored-tensor.js';
import {
  checkModel,
  type LoadOptions,
  type ModelFacts,
  type TokenizerSource,
  type WeightSource,
} from './weight-source.js';

/** What stands in a GGUF file, before anything is refused. */
export interface GgufFacts extends ModelFacts {
  file: GgufFile;
  tokenizer: TokenizerSource;
}

/** Reads metadata and directory of a file. */
export function readGgufFacts(path: string): GgufFacts {
  const file = openGguf(path);
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of file.tensors.values()) {
    if (tensor.name !== ROPE_FACTORS) tensors.set(hfNameOf(tensor.name) ?? tensor.name, tensor);
  }
  const factors = file.tensors.get(ROPE_FACTORS);
  const facts = readGgufConfig(file, factors && readValues(path, factors));
  const tokenizer = { kind: 'gguf', path, metadata: file.metadata } as const;
  return { file, facts, tensors, readableTypes: DEQUANTIZABLE, tokenizer };
}

/** The weights of a GGUF file of llama.cpp's architecture `llama`. */
export class GgufSource implements WeightSource {
  readonly kind = 'gguf';
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerSource;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  constructor(readonly path: string) {
    const found = readGgufFacts(path);
    this.config = checkModel(path, found);
    this.#tensors = found.tensors;
    this.tokenizer = found.tokenizer;
  }

  names(): string[] {
    return [...expectedShapes(this.config).keys()];
  }

  stored(name: string): StoredTensor {
    return findTensor(this.path, this.#tensors, name);
  }

  load(name: string, { dtype = 'float32', device = 'cpu' }: LoadOptions = {}): Tensor {
    const values = this.loadValues(name);
    const { shape } = this.stored(name);
    return scope(() => {
      const tensor = Tensor.from(values, shape);
      return device === 'cpu' ? cast(tensor, dtype) : toDevice(tensor, device, dtype);
    });
  }

  /** The values of a tensor in Hugging Face's order of rows. */
  loadValues(name: string): Float32Array {
    const tensor = this.stored(name);
    const heads = this.#permutedHeads(name);
    return readValues(this.path, tensor, heads);
  }

  close(): void {
    // Nothing stays open: every load reads its own bytes.
  }

  #permutedHeads(name: string): number | undefined {
    if (name.includes('.q_proj.')) return this.config.numHeads;
    if (name.includes('.k_proj.')) return this.config.numKvHeads;
    return undefined;
  }
}

function readValues(path: string, tensor: StoredTensor, permutedHeads?: number): Float32Array {
  const bytes = readTensorBytes(path, tensor);
  return dequantize(`${path}: ${tensor.name}`, {
    type: tensor.dtype,
    bytes: permutedHeads === undefined ? bytes : splitRotaryPairs(bytes, tensor, permutedHeads),
    count: countElements(tensor.shape),
  });
}

/**
 * Puts the rows of each head back from pairs (0, K/2, 1, K/2 + 1, ...) into halves (0, 1, ...).
 *
 * Rows are whole numbers of blocks, so this moves bytes before they are dequantised.
 */
export function splitRotaryPairs(
  bytes: Uint8Array,
  { name, shape }: StoredTensor,
  numHeads: number,
): Uint8Array {
  const rows = shape[0] ?? 0;
  const half = rows / numHeads / 2;
  if (!Number.isInteger(half))
    throw mismatch('format', {
      where: name,
      expected: `rows for ${numHeads} heads of even width`,
      got: rows,
    });
  const rowBytes = bytes.byteLength / rows;
  const sorted = new Uint8Array(bytes.byteLength);
  for (let row = 0; row < rows; row += 1) {
    const head = Math.floor(row / (2 * half));
    const inHead = row % (2 * half);
    const from = head * 2 * half + (inHead % half) * 2 + Math.floor(inHead / half);
    sorted.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return sorted;
}
