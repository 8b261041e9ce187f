/** Settings: defaults, presets, and every fault said at once. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IloraError } from '../../../src/errors/index.js';
import { snakeKeys } from '../../../src/files/index.js';
import { LLAMA_PROJECTIONS } from '../../../src/lora/index.js';
import { METHOD_NAMES } from '../../../src/recommenders/index.js';
import { adapterRates, type Preset } from '../../../src/recommenders/llm/methods/presets.js';
import type { TrainingSettings } from '../../../src/recommenders/llm/methods/settings.js';
import { readSettings, resolveSettings, settingsJsonSchema } from '../../../src/training/index.js';
import { temporaryFolder } from '../../support/folder.js';

const least = { method: 'ilora', data: 'd', out: 'o' };

/** Settings of iLoRA with the keys that are its own. */
const ilora = (input: unknown) =>
  resolveSettings(input, 'test') as ReturnType<typeof resolveSettings> & {
    preset: string;
    adapter: Preset;
    training: TrainingSettings;
  };

/** Lines of the error that settings give. */
function faultsOf(input: unknown): string[] {
  try {
    resolveSettings(input, 'my.yaml');
  } catch (error) {
    assert.equal((error as IloraError).code, 'settings');
    return (error as IloraError).message.split('\n');
  }
  return [];
}

test('names of a base, an encoder and a prompt may have one character, and not none', () => {
  const names = { base: 'b', encoder: 'e', prompt: 'p' };
  assert.deepEqual(
    Object.entries(ilora({ ...least, ...names }))
      .filter(([key]) => key in names)
      .sort(),
    Object.entries(names),
  );
  for (const key of Object.keys(names)) {
    assert.ok(
      faultsOf({ ...least, [key]: '' }).some((line) => line.includes(key)),
      key,
    );
  }
});

test('the paper preset is the linear gate, alpha over the total rank, equal rates', () => {
  const { adapter, preset } = ilora(least);
  assert.equal(preset, 'paper');
  assert.deepEqual(adapter, {
    rank: 8,
    alpha: 32,
    dropout: 0.1,
    targets: [...LLAMA_PROJECTIONS],
    experts: 4,
    hasSlots: true,
    scaleBy: 'total-rank',
    gate: 'linear',
    learningRate: 1e-4,
    gateRateShare: 1,
    projectorRateShare: 1,
    weightDecay: 1e-5,
  });
});

test("the authors' preset is the convolution gate, alpha over one expert's rank, a slower gate", () => {
  const { adapter } = ilora({ ...least, preset: 'authors-code' });
  assert.deepEqual(
    [adapter.gate, adapter.scaleBy, adapter.learningRate, adapter.gateRateShare],
    ['conv', 'expert-rank', 8e-4, 0.3],
  );
  const { lora, gate, projector, weightDecay } = adapterRates(adapter);
  assert.deepEqual([lora, projector, weightDecay], [8e-4, 8e-4, 1e-5]);
  assert.ok(Math.abs(gate - 2.4e-4) < 1e-15);
});

test('what is said overrides the preset, what is not is left to it', () => {
  const { adapter } = ilora({
    ...least,
    preset: 'authors-code',
    adapter: { rank: 16, gate: 'linear' },
  });
  assert.deepEqual([adapter.rank, adapter.gate, adapter.scaleBy], [16, 'linear', 'expert-rank']);
});

test('defaults are filled in, and resolved settings resolve to themselves, in either spelling', () => {
  const settings = ilora(least);
  assert.deepEqual(
    [settings.seed, settings.device, settings.training.schedule],
    [1, 'cpu', 'cosine'],
  );
  assert.equal(settings.training.batchTokens, undefined);
  assert.deepEqual(ilora(JSON.parse(JSON.stringify(settings))), settings);
  assert.deepEqual(ilora(JSON.parse(JSON.stringify(snakeKeys(settings)))), settings);
});

test('the encoder is a run, or the settings of one that is trained first', () => {
  assert.equal(ilora({ ...least, encoder: 'runs/x' }).encoder, 'runs/x');
  const byDefault = ilora(least).encoder as { method: string; sasrec: { width: number } };
  assert.deepEqual([byDefault.method, byDefault.sasrec.width], ['sasrec', 64]);
  const small = ilora({ ...least, encoder: { method: 'sasrec', sasrec: { width: 8 } } });
  assert.equal((small.encoder as unknown as { sasrec: { width: number } }).sasrec.width, 8);
  assert.deepEqual(
    faultsOf({ ...least, encoder: { method: 'sasrec', sasrec: { width: 10, heads: 3 } } }).at(-1),
    '  encoder.sasrec.heads: expected a divisor of sasrec.width (10), got 3',
  );
  assert.match(faultsOf({ ...least, encoder: { method: 'popularity' } }).at(-1)!, /encoder/);
});

test('presets are not changed by the settings made from them', () => {
  const first = ilora(least);
  first.adapter.targets.pop();
  assert.deepEqual(ilora(least).adapter.targets, [...LLAMA_PROJECTIONS]);
});

test('every fault is listed in one error, unknown keys by their path', () => {
  const lines = faultsOf({
    ...least,
    out: '',
    data: undefined,
    seed: -1,
    device: 'tpu',
    typo: 1,
    adapter: { rnak: 8, rank: 1.5 },
    training: { batchSize: '32', warmup_share: 2 },
  });
  assert.equal(lines[0], 'my.yaml: 9 problems');
  const about = lines.slice(1).map((line) => line.trim().split(':')[0]);
  assert.deepEqual(about.sort(), [
    'adapter.rank',
    'adapter.rnak',
    'data',
    'device',
    'out',
    'seed',
    'training.batch_size',
    'training.warmup_share',
    'typo',
  ]);
  for (const line of lines.slice(1)) assert.match(line, /^ {2}\S+: .+/);
  assert.ok(lines.includes('  typo: expected no such key'));
  assert.ok(lines.includes('  adapter.rnak: expected no such key'));
  assert.ok(lines.some((line) => line.startsWith('  data:') && line.endsWith('got nothing')));
});

test('a method that is none is named, with what else is wrong with the common keys', () => {
  const lines = faultsOf({ method: 'magic', out: 'o', seed: -1 });
  assert.deepEqual(
    lines.slice(1).map((line) => line.trim().split(':')[0]),
    ['method', 'data', 'seed'],
  );
  assert.ok(lines[1]?.includes('"magic"') && lines[1].includes('ilora'));
});

test('a key that another method owns is an error that names its owners, none is ignored', () => {
  const { method: _, ...places } = least;
  assert.deepEqual(faultsOf({ ...places, method: 'sasrec', adapter: {}, training: {} }).slice(1), [
    '  adapter: expected no such key of sasrec — it belongs to lora, ilora, streaming-lora, streaming-ilora',
    '  training: expected no such key of sasrec — it belongs to base, lora, ilora, streaming-lora, streaming-ilora',
  ]);
  assert.deepEqual(faultsOf({ ...places, method: 'lora', adapter: { experts: 4 } }).slice(1), [
    '  adapter.experts: expected no such key of lora — it belongs to ilora, streaming-lora, streaming-ilora',
  ]);
  assert.deepEqual(faultsOf({ ...least, sasrec: {} }).slice(1), [
    '  sasrec: expected no such key of ilora — it belongs to sasrec',
  ]);
});

test('keys of earlier versions are refused with what they are now, and a key in both spellings', () => {
  assert.deepEqual(faultsOf({ ...least, recommender: 'x', domain: 'movie' }).slice(1), [
    '  recommender: expected no such key — it is encoder now',
    '  domain: expected no such key — it is prompt now',
  ]);
  assert.deepEqual(faultsOf({ ...least, training: { batchSize: 1, batch_size: 2 } }).slice(1), [
    '  training.batch_size: expected the key once, got it as batchSize too',
  ]);
});

test('experts that do not divide the rank and heads that do not divide the width are named together', () => {
  const encoder = { method: 'sasrec', sasrec: { width: 10, heads: 3 } };
  assert.deepEqual(faultsOf({ ...least, adapter: { rank: 6 }, encoder }), [
    'my.yaml: 2 problems',
    '  adapter.rank: expected a multiple of adapter.experts (4), got 6',
    '  encoder.sasrec.heads: expected a divisor of sasrec.width (10), got 3',
  ]);
});

test('settings that are no object are a fault, not a crash', () => {
  for (const input of [null, 7, 'text', [], undefined])
    assert.equal(faultsOf(input)[0], 'my.yaml: 1 problem', JSON.stringify(input));
});

function file(text: string): string {
  const path = join(temporaryFolder(), 'settings.yaml');
  writeFileSync(path, text);
  return path;
}

test('a YAML file is read, and overrides stand above it', () => {
  const path = file('method: sasrec\ndata: d # where\nout: o\nsasrec:\n  epochs: 3\n');
  assert.equal((readSettings(path) as { sasrec?: { epochs: number } }).sasrec?.epochs, 3);
  assert.equal(readSettings(path, { out: 'elsewhere' }).out, 'elsewhere');
});

test('a file that is missing, is no YAML or holds no keys is an error that names it', () => {
  assert.throws(() => readSettings(join(temporaryFolder(), 'none.yaml')), {
    code: 'file',
    message: /none\.yaml/,
  });
  for (const text of ['a: [1', '- a\n- b\n', 'text', ''])
    assert.throws(() => readSettings(file(text)), { code: 'settings', message: /settings\.yaml/ });
});

test('the published JSON Schema has every key of every method, none required that has a default', () => {
  const { oneOf } = settingsJsonSchema() as { oneOf: Record<string, unknown>[] };
  assert.deepEqual(
    oneOf.map(({ properties }) => (properties as { method: { const: string } }).method.const),
    METHOD_NAMES,
  );
  for (const schema of oneOf) {
    assert.deepEqual(schema.required, ['method', 'data', 'out']);
    assert.equal(schema.additionalProperties, false);
    assert.doesNotMatch(Object.keys(schema.properties as object).join(), /[A-Z]/);
  }
  const known = Object.keys(oneOf[METHOD_NAMES.indexOf('ilora')]?.properties as object);
  for (const key of Object.keys(ilora(least))) assert.ok(known.includes(key), key);
});
