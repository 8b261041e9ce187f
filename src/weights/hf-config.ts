/** The config.json of a Hugging Face folder. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { mismatch } from '../errors/index.js';
import { isObject, parseStrictJson, readStart, readText } from '../files/index.js';
import { FactReader } from './fact-reader.js';
import {
  type ConfigFacts,
  configProblems,
  type ModelConfig,
  type RopeScalingFacts,
} from './model-config.js';

/** Reads a JSON file that must hold an object. */
export function readJsonObject(path: string): Record<string, unknown> {
  const value = parseStrictJson(readText(path), path);
  if (!isObject(value))
    throw mismatch('format', { where: path, expected: 'a JSON object', got: value });
  return value;
}

/**
 * Reads the facts of a folder's config.json.
 *
 * @param hasOutputTable  whether the weights hold an `lm_head.weight`; decides where config.json
 *                        does not say if tables are shared
 */
export function readHfConfig(folder: string, hasOutputTable: boolean): ConfigFacts {
  const json = readJsonObject(join(folder, 'config.json'));
  const reader = new FactReader((key) => json[key]);
  const architecture = readArchitecture(json);
  const hiddenSize = reader.size('hidden_size');
  const numHeads = reader.size('num_attention_heads');
  const isMistral = architecture === 'MistralForCausalLM';
  const { theta, scaling } = readRope(json, reader);
  const config: ModelConfig = {
    architecture,
    vocabSize: reader.size('vocab_size'),
    hiddenSize,
    intermediateSize: reader.size('intermediate_size'),
    numLayers: reader.size('num_hidden_layers'),
    numHeads,
    numKvHeads: reader.size('num_key_value_heads', numHeads),
    headDim: reader.size('head_dim', hiddenSize / numHeads),
    rmsNormEps: reader.positive('rms_norm_eps', 1e-6),
    ropeTheta: theta,
    ropeScaling: scaling,
    maxPositions: reader.size('max_position_embeddings', 2048),
    tieWordEmbeddings: reader.flag('tie_word_embeddings', !hasOutputTable),
    attentionBias: !isMistral && reader.flag('attention_bias', false),
    slidingWindow: isMistral ? readSlidingWindow(json, reader) : undefined,
    bosTokenId: reader.id('bos_token_id'),
    eosTokenIds: reader.ids('eos_token_id'),
    name: reader.text('_name_or_path') || basename(folder),
    licence: readLicence(folder),
  };
  const activation = json.hidden_act ?? 'silu';
  if (activation !== 'silu') reader.fail('hidden_act', '"silu"', activation);
  if (reader.flag('mlp_bias', false)) reader.fail('mlp_bias', 'no biases', true);
  const rotated = reader.positive('partial_rotary_factor', 1);
  if (rotated !== 1) reader.fail('partial_rotary_factor', '1, the whole head', rotated);
  for (const key of FOREIGN_KEYS)
    if (isActive(json[key])) reader.fail(key, 'nothing that a plain Llama has not', json[key]);
  if (json.quantization_config != null)
    reader.fail('quantization_config', 'plain weights', json.quantization_config);
  const isComplete = reader.faults.length === 0;
  return {
    architecture,
    config: isComplete ? config : undefined,
    problems: [...reader.faults, ...configProblems(config)],
  };
}

/**
 * What other architectures compute beside a Llama. A file that names it under a Llama's name means another model than
 * the one that we would run.
 */
const FOREIGN_KEYS: readonly string[] = [
  ...['attn_logit_softcapping', 'final_logit_softcapping', 'query_pre_attn_scalar', 'logit_scale'],
  ...['embedding_multiplier', 'residual_multiplier', 'attention_multiplier', 'logits_scaling'],
  ...['scale_emb', 'scale_depth', 'clip_qkv', 'alibi', 'use_parallel_residual', 'parallel_attn'],
  ...['num_local_experts', 'num_experts', 'n_routed_experts', 'use_qk_norm', 'qk_layernorm'],
  ...['no_rope_layers', 'no_rope_layer_interval', 'kv_lora_rank', 'qkv_bias', 'add_bias_linear'],
];

function isActive(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== 1;
}

function readArchitecture(json: Record<string, unknown>): string {
  const list = json.architectures;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  if (typeof first === 'string') return first;
  return typeof json.model_type === 'string' ? json.model_type : 'unknown';
}

/** transformers leaves out what equals its class default (4096 for Mistral); null means none. */
function readSlidingWindow(json: Record<string, unknown>, reader: FactReader): number | undefined {
  return json.sliding_window === null ? undefined : reader.size('sliding_window', 4096);
}

/** transformers 5 writes `rope_parameters`; before, `rope_theta` and `rope_scaling`. */
function readRope(
  json: Record<string, unknown>,
  reader: FactReader,
): { theta: number; scaling?: RopeScalingFacts } {
  const key = isObject(json.rope_parameters) ? 'rope_parameters' : 'rope_scaling';
  const block = json[key];
  if (block == null) return { theta: reader.positive('rope_theta', 10_000) };
  if (!isObject(block)) {
    reader.fail(key, 'an object', block);
    return { theta: 1 };
  }
  const inner = new FactReader((name) => block[name]);
  const rotated = inner.positive('partial_rotary_factor', 1);
  if (rotated !== 1) inner.fail('partial_rotary_factor', '1, the whole head', rotated);
  const theta = inner.positive('rope_theta', reader.positive('rope_theta', 10_000));
  const scaling = readScaling(block.rope_type ?? block.type ?? 'default', inner);
  reader.faults.push(...inner.faults.map((line) => `${key}.${line}`));
  return { theta, scaling };
}

function readScaling(type: unknown, reader: FactReader): RopeScalingFacts | undefined {
  if (type === 'default') return undefined;
  if (type === 'linear') return { type, factor: reader.positive('factor') };
  if (type === 'llama3')
    return {
      type,
      factor: reader.positive('factor'),
      lowFreqFactor: reader.positive('low_freq_factor'),
      highFreqFactor: reader.positive('high_freq_factor'),
      originalMaxPositions: reader.size('original_max_position_embeddings'),
    };
  reader.fail('rope_type', '"default", "linear" or "llama3"', type);
  return undefined;
}

/** The licence that stands in the front matter of a model card. */
function readLicence(folder: string): string | undefined {
  const card = join(folder, 'README.md');
  if (!existsSync(card)) return undefined;
  const head = readStart(card, 8192).toString('utf8');
  return /^---\n(?:.*\n)*?license:[ \t]*([\w.-]+)/.exec(head)?.[1];
}
