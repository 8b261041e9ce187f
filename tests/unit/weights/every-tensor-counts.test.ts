/** A base is usable only if every tensor of its files is used, and every key that changes what is computed is understood. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { examineBase } from '../../../src/recommenders/index.js';
import { openGguf } from '../../../src/weights/gguf.js';
import { readGgufConfig } from '../../../src/weights/gguf-config.js';
import {
  openSafetensors,
  openWeights,
  readTensorBytes,
  type TensorData,
  writeSafetensors,
} from '../../../src/weights/index.js';
import { modelProblems } from '../../../src/weights/weight-source.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';

const scratch = temporaryFolder();
const base = join(scratch, 'base');
writeBaseFolder(base);
const gguf = join(import.meta.dirname, '../../fixtures/weights/tiny-llama.gguf');

let serial = 0;
/** A copy of the base with tensors added or changed, and keys of its config set. */
function changed(
  change: (tensors: TensorData[]) => TensorData[],
  keys: Record<string, unknown> = {},
): string {
  const folder = join(scratch, `changed-${serial++}`);
  cpSync(base, folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const own: TensorData[] = [...openSafetensors(path).tensors.values()].map((tensor) => ({
    ...tensor,
    data: readTensorBytes(path, tensor),
  }));
  writeSafetensors(path, change(own));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...keys }));
  return folder;
}

const zeros = (name: string, shape: number[]): TensorData => ({
  name,
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const withTensor = (name: string, shape: number[]) => (own: TensorData[]) => [
  ...own,
  zeros(name, shape),
];
const same = (own: TensorData[]): TensorData[] => own;

/** What `model info` says, and that loading says the same. */
function refusal(folder: string): string {
  const { problems } = examineBase(folder);
  assert.ok(problems.length > 0, 'it is called usable');
  assert.throws(
    () => openWeights(folder),
    (error: Error) => problems.every((problem) => error.message.includes(problem)),
  );
  return problems.join('\n');
}

describe('a base as it is', () => {
  it('is usable, tokenizer included', () => {
    assert.deepEqual(examineBase(base).problems, []);
  });
});

describe('tensors that nothing would use', () => {
  for (const [name, shape] of [
    ['model.layers.0.self_attn.q_proj.bias', [16]],
    ['model.layers.1.self_attn.o_proj.bias', [16]],
    ['model.layers.0.mlp.up_proj.bias', [24]],
    ['model.layers.0.self_attn.q_norm.weight', [4]],
    ['model.layers.0.pre_feedforward_layernorm.weight', [16]],
    ['model.layers.2.input_layernorm.weight', [16]],
    ['model.norm.bias', [16]],
    ['lm_head.bias', [1200]],
    ['score.weight', [2, 16]],
  ] as const)
    it(`${name} is named`, () => {
      const found = refusal(changed(withTensor(name, [...shape])));
      assert.match(found, new RegExp(`${name.replace('model.', '')}: expected no such tensor`));
    });

  it('frequencies that follow from the config are nothing to be used', () => {
    const folder = changed(withTensor('model.layers.0.self_attn.rotary_emb.inv_freq', [2]));
    assert.deepEqual(examineBase(folder).problems, []);
    openWeights(folder).close();
  });

  it('an output table of its own beside a tied flag is refused, a second copy of the table is not', () => {
    const other = changed(withTensor('lm_head.weight', [1200, 16]), { tie_word_embeddings: true });
    assert.match(refusal(other), /lm_head\.weight: expected no such tensor/);
    const copy = changed((own) => {
      const table = own.find(({ name }) => name.endsWith('embed_tokens.weight')) as TensorData;
      return [...own, { ...table, name: 'lm_head.weight' }];
    });
    assert.deepEqual(examineBase(copy).problems, []);
    openWeights(copy).close();
  });

  it('of very many only some are listed', () => {
    const many = (own: TensorData[]) => [
      ...own,
      ...Array.from({ length: 50 }, (_, i) => zeros(`extra.${i}`, [1])),
    ];
    const { problems } = examineBase(changed(many));
    assert.equal(problems.length, 21);
    assert.equal(problems.at(-1), '... and 30 more');
  });
});

describe('keys of a config that change what is computed', () => {
  for (const [keys, told] of [
    [{ mlp_bias: true }, /mlp_bias: expected no biases/],
    [{ attention_bias: true }, /q_proj\.bias: expected shape \[16\], got no such tensor/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor: expected 1/],
    [
      { rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.5 } },
      /rope_parameters\.partial_rotary_factor: expected 1/,
    ],
    [{ final_logit_softcapping: 30 }, /final_logit_softcapping: expected nothing/],
    [{ attn_logit_softcapping: 50 }, /attn_logit_softcapping/],
    [{ embedding_multiplier: 12 }, /embedding_multiplier/],
    [{ num_local_experts: 8 }, /num_local_experts/],
    [{ hidden_act: 'gelu_pytorch_tanh' }, /hidden_act/],
    [{ rope_scaling: { type: 'dynamic', factor: 2 } }, /rope_type/],
    [{ head_dim: 8 }, /q_proj\.weight: expected shape \[32, 16\]/],
    [{ tie_word_embeddings: false }, /lm_head\.weight: expected shape/],
  ] as const)
    it(`${JSON.stringify(keys)} is refused`, () => {
      assert.match(refusal(changed(same, keys)), told);
    });

  it('switched off they are nothing', () => {
    const off = {
      final_logit_softcapping: null,
      use_qk_norm: false,
      logit_scale: 1,
      num_experts: 0,
    };
    assert.deepEqual(examineBase(changed(same, off)).problems, []);
  });
});

describe('GGUF', () => {
  const file = openGguf(gguf);
  const withKey = (key: string, value: number | boolean | string) =>
    readGgufConfig({ ...file, metadata: new Map([...file.metadata, [key, value]]) });

  it('refuses keys of its architecture that are not understood', () => {
    for (const [key, value] of [
      ['llama.attention.clamp_kqv', 8],
      ['llama.logit_scale', 0.5],
      ['llama.attention.causal', false],
      ['llama.rope.scaling.attn_factor', 2],
    ] as const)
      assert.match(withKey(key, value).problems.join('\n'), new RegExp(`${key}: expected`));
    assert.deepEqual(withKey('general.quantized_by', 'somebody').problems, []);
  });

  it('takes linear scaling as older files name it', () => {
    assert.deepEqual(withKey('llama.rope.scale_linear', 4).config?.ropeScaling, {
      type: 'linear',
      factor: 4,
    });
    const plain = readGgufConfig(file).config?.ropeScaling;
    assert.deepEqual(withKey('llama.rope.scale_linear', 1).config?.ropeScaling, plain);
  });

  it('names types that cannot be read before anything is loaded', () => {
    const facts = readGgufConfig(file);
    const tensors = new Map([
      ['norm.weight', { name: 'x', dtype: 'Q2_K', shape: [32], offset: 0, byteLength: 0 }],
    ]);
    const found = modelProblems({ facts, tensors, readableTypes: ['F32'] });
    assert.ok(found.includes('norm.weight: expected a type of F32, got Q2_K'));
  });
});

describe('files that are no weights', () => {
  it('a git-lfs pointer is named as what it is', () => {
    const folder = changed(same);
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 269060552\n`;
    writeFileSync(join(folder, 'model.safetensors'), pointer);
    const message = /a git-lfs pointer to them.*git lfs pull/;
    assert.throws(() => examineBase(folder), { code: 'format', message });
    assert.throws(() => openWeights(folder), { code: 'format', message });
    const file = join(scratch, 'pointer.gguf');
    writeFileSync(file, pointer);
    assert.throws(() => examineBase(file), { code: 'format', message });
  });

  it('a tokenizer that is missing or larger than the embeddings makes a base unusable', () => {
    const without = changed(same);
    rmSync(join(without, 'tokenizer.json'));
    assert.match(examineBase(without).problems.join(), /tokenizer/);
  });
});
