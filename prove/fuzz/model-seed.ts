/** A Llama model of the least size, as a Hugging Face folder and as GGUF. */
import type { SafetensorsDtype } from '../../src/weights/index.js';
import { expectedShapes, type ModelConfig } from '../../src/weights/model-config.js';
import { GGUF, type GgufTensor, ggufBytes, type Value } from './gguf-file.js';
import { safetensorsBytes } from './seed.js';

/** config.json of a model with one layer. */
export const configJson = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 8,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  max_position_embeddings: 64,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: [2, 3],
};

/** The same in our words; `config` changes what a file may change. */
const modelConfig: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocabSize: 8,
  hiddenSize: 4,
  intermediateSize: 6,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 1,
  headDim: 2,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  maxPositions: 64,
  tieWordEmbeddings: false,
  attentionBias: false,
  eosTokenIds: [2],
};

/** Tensors of the model under their published names. */
export function modelTensors(
  dtype: SafetensorsDtype,
): { name: string; dtype: SafetensorsDtype; shape: readonly number[] }[] {
  return [...expectedShapes(modelConfig)].map(([key, shape]) => ({
    name: key === 'lm_head.weight' ? key : `model.${key}`,
    dtype,
    shape,
  }));
}

/** The model's weights as one safetensors file. */
export function modelBytes(dtype: SafetensorsDtype): Buffer {
  return safetensorsBytes(modelTensors(dtype));
}

const WIDTH = 256;
/** Numbers of the types that can be read, by their width of a block. */
export const GGUF_TYPES = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 30] as const;

/** A GGUF model whose wide tensors are of the given type. */
export function ggufModel(type: number, tokenizer: readonly [string, Value][] = []): Buffer {
  const metadata: [string, Value][] = [
    ['general.architecture', [GGUF.text, 'llama']],
    ['general.name', [GGUF.text, 'tiny']],
    ['llama.embedding_length', [GGUF.u32, WIDTH]],
    ['llama.feed_forward_length', [GGUF.u32, 2]],
    ['llama.block_count', [GGUF.u32, 1]],
    ['llama.attention.head_count', [GGUF.u32, 1]],
    ['llama.attention.head_count_kv', [GGUF.u32, 1]],
    ['llama.attention.key_length', [GGUF.u32, 2]],
    ['llama.attention.value_length', [GGUF.u32, 2]],
    ['llama.attention.layer_norm_rms_epsilon', [GGUF.f32, 1e-5]],
    ['llama.rope.freq_base', [GGUF.f32, 10_000]],
    ['llama.context_length', [GGUF.u32, 64]],
    ['tokenizer.ggml.eos_token_id', [GGUF.u32, 2]],
    ...tokenizer,
  ];
  const wide = (name: string, rows: number): GgufTensor => ({ name, shape: [rows, WIDTH], type });
  const plain = (name: string, shape: readonly number[]): GgufTensor => ({ name, shape, type: 0 });
  return ggufBytes(metadata, [
    wide('token_embd.weight', 4),
    wide('output.weight', 4),
    plain('output_norm.weight', [WIDTH]),
    plain('blk.0.attn_norm.weight', [WIDTH]),
    wide('blk.0.attn_q.weight', 2),
    wide('blk.0.attn_k.weight', 2),
    wide('blk.0.attn_v.weight', 2),
    plain('blk.0.attn_output.weight', [WIDTH, 2]),
    plain('blk.0.ffn_norm.weight', [WIDTH]),
    wide('blk.0.ffn_gate.weight', 2),
    wide('blk.0.ffn_up.weight', 2),
    plain('blk.0.ffn_down.weight', [WIDTH, 2]),
    plain('rope_freqs.weight', [1]),
  ]);
}
