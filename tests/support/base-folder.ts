/** A tiny Llama as a model folder on disk, with the small tokenizer of Llama 2's kind. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/random/index.js';
import { expectedShapes, type ModelConfig } from '../../src/weights/model-config.js';
import { type TensorData, writeSafetensors } from '../../src/weights/safetensors.js';

const TOKENIZER = join(import.meta.dirname, '../parity/tokenizer/fixtures/llama/tokenizer.json');

/** Two layers over the small tokenizer. */
const tinyBase: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocabSize: 1200,
  hiddenSize: 16,
  intermediateSize: 24,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 4,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  maxPositions: 4096,
  tieWordEmbeddings: true,
  attentionBias: false,
  eosTokenIds: [2],
};

/** Writes config.json, model.safetensors and tokenizer.json; the weights depend on the seed alone. */
export function writeBaseFolder(folder: string, seed = 1): void {
  writeLlama(folder, {}, new Random(seed, 'base-folder'));
  copyFileSync(TOKENIZER, join(folder, 'tokenizer.json'));
}

/** Writes config.json and model.safetensors of a Llama that differs from the tiny one as said. */
export function writeLlama(folder: string, differing: Partial<ModelConfig>, random: Random): void {
  const config = { ...tinyBase, ...differing };
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      architectures: [config.architecture],
      vocab_size: config.vocabSize,
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      num_key_value_heads: config.numKvHeads,
      rms_norm_eps: config.rmsNormEps,
      rope_theta: config.ropeTheta,
      max_position_embeddings: config.maxPositions,
      tie_word_embeddings: config.tieWordEmbeddings,
      hidden_act: 'silu',
      eos_token_id: config.eosTokenIds[0],
    }),
  );
  const tensors: TensorData[] = [...expectedShapes(config)].map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    // Norms near one, everything else wide enough that every layer matters.
    const isNorm = shape.length === 1;
    const scale = isNorm ? 0.1 : 1 / Math.sqrt(shape.at(-1) as number);
    const data = Float32Array.from(
      { length: size },
      () => (isNorm ? 1 : 0) + scale * random.gaussian(),
    );
    return { name: `model.${name}`, dtype: 'F32', shape, data };
  });
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
}
