import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { liveTensors } from '../../../src/tensor/index.js';
import { splitRotaryPairs } from '../../../src/weights/gguf-source.js';
import {
  describeModel,
  openSafetensors,
  openWeights,
  readTensorBytes,
  type TensorData,
  writeSafetensors,
} from '../../../src/weights/index.js';

const fixtures = join(import.meta.dirname, '../../fixtures/weights');
const hf = join(fixtures, 'tiny-llama');
const gguf = join(fixtures, 'tiny-llama.gguf');
const scratch = mkdtempSync(join(tmpdir(), 'ilora-source-'));
after(() => rmSync(scratch, { recursive: true }));

let serial = 0;
/** A copy of the folder with a changed config. */
function changed(change: Record<string, unknown>): string {
  serial += 1;
  const folder = join(scratch, String(serial));
  cpSync(hf, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(hf, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...change }));
  return folder;
}

describe('openWeights', () => {
  it('gives the same tensors from a folder and from its GGUF file', () => {
    const [a, b] = [openWeights(hf), openWeights(gguf)];
    assert.deepEqual(a.names(), b.names());
    assert.ok(a.names().includes('layers.0.self_attn.q_proj.weight'));
    for (const name of a.names()) {
      const [x, y] = [a.load(name), b.load(name)];
      assert.deepEqual([x.shape, x.dtype], [y.shape, y.dtype], name);
      assert.deepEqual(x.toTypedArray(), y.toTypedArray(), name);
      x.dispose();
      y.dispose();
    }
    a.close();
    b.close();
  });
  it('gives the same shape of the model from both', () => {
    const { ropeScaling: fromFolder, eosTokenIds, ...a } = openWeights(hf).config;
    const { ropeScaling: fromFile, ...b } = openWeights(gguf).config;
    assert.deepEqual(fromFolder, {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 32,
    });
    assert.deepEqual(fromFile, { type: 'factors', factors: [1, 1, 1, 1, 2, 4, 8, 8] });
    assert.deepEqual(eosTokenIds, [2, 3]);
    for (const key of ['vocabSize', 'hiddenSize', 'intermediateSize', 'headDim'] as const)
      assert.equal(a[key], b[key], key);
    assert.ok(Math.abs(a.rmsNormEps - b.rmsNormEps) < 1e-9);
    assert.equal(b.licence, 'cc0-1.0');
    assert.equal(b.tieWordEmbeddings, true);
  });
  it('converts to the wanted type, and leaves no tensor alive', () => {
    const before = liveTensors();
    for (const path of [hf, gguf]) {
      const source = openWeights(path);
      const half = source.load('norm.weight', { dtype: 'bfloat16' });
      assert.equal(half.dtype, 'bfloat16');
      half.dispose();
      source.close();
    }
    assert.equal(liveTensors(), before);
  });
  it('keeps a loaded tensor valid after the source is closed', () => {
    const source = openWeights(hf);
    const norm = source.load('norm.weight');
    source.close();
    assert.ok(norm.toNumbers().every((value) => value > 0.5 && value < 1.5));
    norm.dispose();
  });

  it('refuses what our layers do not compute, saying why', () => {
    const cases: [Record<string, unknown>, RegExp][] = [
      [{ architectures: ['GemmaForCausalLM'] }, /architecture: expected one of Llama.*got Gemma/],
      [
        { architectures: ['MistralForCausalLM'], sliding_window: 16 },
        /slidingWindow: .* 16 tokens/,
      ],
      [{ hidden_act: 'gelu' }, /hidden_act: expected "silu", got "gelu"/],
      [{ rope_scaling: { rope_type: 'yarn', factor: 4 } }, /rope_type: expected .*llama3.* "yarn"/],
      [{ num_key_value_heads: 3 }, /numKvHeads: expected a divisor of the 2 query heads, got 3/],
      [{ head_dim: 15 }, /headDim: expected an even number, got 15/],
      [{ quantization_config: { bits: 4 } }, /quantization_config: expected plain weights/],
      [{ num_hidden_layers: 1e9 }, /numLayers: expected at most 4096/],
      [{ hidden_size: '32', vocab_size: null }, /2 problems|3 problems/],
    ];
    for (const [change, message] of cases)
      assert.throws(() => openWeights(changed(change)), { code: 'format', message });
  });
  it('takes Mistral with a window as long as its context or none', () => {
    for (const sliding_window of [null, 64])
      openWeights(changed({ architectures: ['MistralForCausalLM'], sliding_window }));
  });
  it('describes a model that it would refuse', () => {
    const facts = describeModel(changed({ architectures: ['GemmaForCausalLM'] }));
    assert.equal(facts.architecture, 'GemmaForCausalLM');
    assert.equal(facts.problems.length, 1);
    assert.equal(facts.types[0]?.dtype, 'F32');
  });
  it('lists every tensor that misfits the config', () => {
    const folder = changed({ intermediate_size: 65, tie_word_embeddings: false });
    assert.throws(() => openWeights(folder), {
      code: 'format',
      message:
        /4 problems[\s\S]*gate_proj.weight: expected shape \[65, 32\], got \[64, 32\][\s\S]*lm_head/,
    });
  });
  it('refuses to load a tensor that is not there', () => {
    const source = openWeights(hf);
    assert.throws(() => source.load('layers.0.mlp.none_proj.weight'), { code: 'format' });
    source.close();
  });
  it('reads tensors that another writer left unaligned', () => {
    const folder = changed({});
    const path = join(folder, 'model.safetensors');
    const file = openSafetensors(path);
    const tensors: TensorData[] = [...file.tensors.values()].map(
      ({ name, dtype, shape, ...at }) => ({
        name,
        dtype,
        shape,
        data: readTensorBytes(path, { name, dtype, shape, ...at }),
      }),
    );
    writeSafetensors(path, tensors);
    // One space more in the header moves all tensors by a byte.
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const moved = Buffer.concat([
      bytes.subarray(0, 8 + length),
      Buffer.from(' '),
      bytes.subarray(8 + length),
    ]);
    moved.writeBigUInt64LE(BigInt(length + 1), 0);
    writeFileSync(path, moved);
    const [a, b] = [openWeights(folder), openWeights(hf)];
    const [x, y] = [a.load('norm.weight'), b.load('norm.weight')];
    assert.deepEqual(x.toTypedArray(), y.toTypedArray());
    for (const item of [x, y]) item.dispose();
    a.close();
    b.close();
  });
});

describe('splitRotaryPairs', () => {
  it('turns (0, 2, 1, 3) back into (0, 1, 2, 3) in each head', () => {
    const stored = { name: 'q', dtype: 'I8', shape: [8, 1], offset: 0, byteLength: 8 };
    const sorted = splitRotaryPairs(Uint8Array.of(0, 2, 1, 3, 4, 6, 5, 7), stored, 2);
    assert.deepEqual([...sorted], [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
