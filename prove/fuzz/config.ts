/** config.json and what else stands beside weights. */
import { type Case, caseOf } from './case.js';
import { configJson, modelBytes } from './model-seed.js';
import type { Target } from './target.js';
import { MODEL_SOURCES, useModel } from './weights.js';

const target: Target = {
  name: 'config',
  sources: {
    'weights/hf-config.ts': [],
    'files/strict-json.ts': [],
    'files/regular-file.ts': ['streamRegular'],
    'files/file-error.ts': [],
    ...MODEL_SOURCES,
  },
  async seeds() {
    const { rope_theta, ...rest } = configJson;
    const llama3 = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    };
    return [
      seed(configJson),
      seed({ ...configJson, rope_scaling: llama3, torch_dtype: 'bfloat16', mlp_bias: false }),
      seed({ ...rest, rope_parameters: { rope_type: 'linear', factor: 2, rope_theta } }),
      seed({ ...configJson, architectures: ['MistralForCausalLM'], sliding_window: null }),
    ];
  },
  read: (folder) => useModel(folder, false),
  async heavy() {
    const wide = { ...configJson, num_hidden_layers: 4096, vocab_size: 2 ** 27 };
    return {
      'promises 4096 layers and a vocabulary of 2^27': seed(wide),
      'one million nested lists': seedText(`{"a":${'['.repeat(1 << 20)}${']'.repeat(1 << 20)}}`),
      'a list of 500,000 token ids': seedText(
        JSON.stringify({ ...configJson, eos_token_id: Array(500_000).fill(1) }),
      ),
    };
  },
};
export default target;

function seed(json: unknown): Case {
  return seedText(JSON.stringify(json, null, 1));
}

let weights: Buffer | undefined;

function seedText(text: string): Case {
  weights ??= modelBytes('F32');
  return caseOf({
    'config.json': text,
    'README.md': '---\ntags: [a]\nlicense: apache-2.0\n---\n# Tiny\n',
    'model.safetensors': weights,
  });
}
