/** The shape of a model in a GGUF file's metadata, and the names of its tensors. */
import { FactReader } from './fact-reader.js';
import type { GgufFile } from './gguf.js';
import { type ConfigFacts, configProblems, type ModelConfig } from './model-config.js';

/** llama.cpp's name of a part → Hugging Face's, below the layer. */
const LAYER_PARTS: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

const TOP_PARTS: Readonly<Record<string, string>> = {
  token_embd: 'embed_tokens',
  output_norm: 'norm',
  output: 'lm_head',
};

/** Llama-3's frequency divisors, [K / 2]. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** Hugging Face's name of a tensor of llama.cpp's architecture `llama`, without `model.`. */
export function hfNameOf(ggufName: string): string | undefined {
  const layer = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(ggufName);
  if (layer !== null) {
    const part = LAYER_PARTS[layer[2] ?? ''];
    return part === undefined ? undefined : `layers.${Number(layer[1])}.${part}.${layer[3]}`;
  }
  const top = /^(\w+)\.(weight|bias)$/.exec(ggufName);
  const part = TOP_PARTS[top?.[1] ?? ''];
  return part === undefined ? undefined : `${part}.${top?.[2]}`;
}

/**
 * Reads the facts of a GGUF file's metadata.
 *
 * @param ropeFactors  values of the tensor `rope_freqs.weight`, where there is one
 */
export function readGgufConfig(file: GgufFile, ropeFactors?: Float32Array): ConfigFacts {
  const { metadata, tensors } = file;
  const reader = new FactReader((key) => metadata.get(key));
  const kind = reader.text('general.architecture') ?? 'unknown';
  const architecture = kind === 'llama' ? 'LlamaForCausalLM' : kind;
  const key = (name: string): string => `${kind}.${name}`;
  const hiddenSize = reader.size(key('embedding_length'));
  const numHeads = reader.size(key('attention.head_count'));
  const headDim = reader.size(key('attention.key_length'), hiddenSize / numHeads);
  const config: ModelConfig = {
    architecture,
    vocabSize: tensors.get('token_embd.weight')?.shape[0] ?? reader.size(key('vocab_size')),
    hiddenSize,
    intermediateSize: reader.size(key('feed_forward_length')),
    numLayers: reader.size(key('block_count')),
    numHeads,
    numKvHeads: reader.size(key('attention.head_count_kv'), numHeads),
    headDim,
    rmsNormEps: reader.positive(key('attention.layer_norm_rms_epsilon')),
    ropeTheta: reader.positive(key('rope.freq_base'), 10_000),
    ropeScaling: readScaling(reader, key, ropeFactors),
    maxPositions: reader.size(key('context_length')),
    tieWordEmbeddings: !tensors.has('output.weight'),
    attentionBias: tensors.has('blk.0.attn_q.bias'),
    slidingWindow: reader.raw(key('attention.sliding_window'))
      ? reader.size(key('attention.sliding_window'))
      : undefined,
    bosTokenId: reader.id('tokenizer.ggml.bos_token_id'),
    eosTokenIds: [
      ...new Set([
        ...reader.ids('tokenizer.ggml.eos_token_id'),
        ...reader.ids('tokenizer.ggml.eot_token_id'),
      ]),
    ],
    name: reader.text('general.name'),
    licence: reader.text('general.license'),
  };
  if (kind === 'llama') refuse(file, reader, key, headDim);
  return {
    architecture,
    config: reader.faults.length === 0 ? config : undefined,
    problems: [...reader.faults, ...configProblems(config)],
  };
}

function readScaling(
  reader: FactReader,
  key: (name: string) => string,
  ropeFactors: Float32Array | undefined,
): ModelConfig['ropeScaling'] {
  if (ropeFactors !== undefined) return { type: 'factors', factors: Array.from(ropeFactors) };
  const type = reader.raw(key('rope.scaling.type')) ?? 'none';
  if (type === 'none') {
    // As older files have it.
    const factor = reader.positive(key('rope.scale_linear'), 1);
    return factor === 1 ? undefined : { type: 'linear', factor };
  }
  if (type === 'linear') return { type, factor: reader.positive(key('rope.scaling.factor')) };
  reader.fail(key('rope.scaling.type'), '"none" or "linear"', type);
  return undefined;
}

/** Keys below the architecture's name that are read, or change nothing that is computed. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...['embedding_length', 'block_count', 'feed_forward_length', 'context_length', 'vocab_size'],
  ...['attention.head_count', 'attention.head_count_kv', 'attention.key_length'],
  ...['attention.value_length', 'attention.layer_norm_rms_epsilon', 'attention.sliding_window'],
  ...['rope.dimension_count', 'rope.freq_base', 'rope.scale_linear', 'rope.scaling.type'],
  ...['rope.scaling.factor', 'rope.scaling.original_context_length', 'rope.scaling.finetuned'],
  ...['expert_count', 'expert_used_count', 'attention.causal'],
]);

/** What the architecture's name covers but our layers do not. */
function refuse(
  { metadata }: GgufFile,
  reader: FactReader,
  key: (name: string) => string,
  headDim: number,
): void {
  const prefix = key('');
  for (const [name, value] of metadata)
    if (name.startsWith(prefix) && !UNDERSTOOD.has(name.slice(prefix.length)))
      reader.fail(name, 'only what a plain Llama has', value);
  if (reader.raw(key('attention.causal')) === false)
    reader.fail(key('attention.causal'), 'attention to the past alone', false);
  const rotated = reader.size(key('rope.dimension_count'), headDim);
  if (rotated !== headDim)
    reader.fail(key('rope.dimension_count'), `${headDim}, the whole head`, rotated);
  const valueWidth = reader.size(key('attention.value_length'), headDim);
  if (valueWidth !== headDim)
    reader.fail(key('attention.value_length'), `${headDim}, as for keys`, valueWidth);
  const experts = reader.raw(key('expert_count'));
  if (experts !== undefined && experts !== 0)
    reader.fail(key('expert_count'), 'no mixture of experts', experts);
  const parts = reader.raw('split.count');
  if (typeof parts === 'number' && parts > 1)
    reader.fail('split.count', 'one file (merge with llama-gguf-split --merge)', parts);
}
