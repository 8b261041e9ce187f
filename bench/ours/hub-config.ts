/**
 * A model's shape as transformers reads it.
 */
import type { ModelConfig } from '../../src/weights/index.js';

/** The contents of config.json. */
export function hubConfig(of: ModelConfig): Record<string, unknown> {
  if (of.ropeScaling !== undefined) throw new Error('a base with scaled positions is not exported');
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: of.vocabSize,
    hidden_size: of.hiddenSize,
    intermediate_size: of.intermediateSize,
    num_hidden_layers: of.numLayers,
    num_attention_heads: of.numHeads,
    num_key_value_heads: of.numKvHeads,
    head_dim: of.headDim,
    rms_norm_eps: of.rmsNormEps,
    rope_theta: of.ropeTheta,
    max_position_embeddings: of.maxPositions,
    tie_word_embeddings: of.tieWordEmbeddings,
    attention_bias: of.attentionBias,
    hidden_act: 'silu',
    eos_token_id: of.eosTokenIds,
  };
}
