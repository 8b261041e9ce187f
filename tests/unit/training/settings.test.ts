/** Settings: defaults, presets, and every fault said at once. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IloraError } from '../../../src/errors/index.js';
import { LLAMA_PROJECTIONS } from '../../../src/lora/index.js';
import { readSettings, resolveSettings, settingsJsonSchema } from '../../../src/training/index.js';
import { adapterRates } from '../../../src/training/presets.js';
import { temporaryFolder } from '../../support/folder.js';

const least = { method: 'ilora', data: 'd', out: 'o' };

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

test('the paper preset is the linear gate, alpha over the total rank, equal rates', () => {
  const { adapter, preset } = resolveSettings(least, 'test');
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
  const { adapter } = resolveSettings({ ...least, preset: 'authors-code' }, 'test');
  assert.deepEqual(
    [adapter.gate, adapter.scaleBy, adapter.learningRate, adapter.gateRateShare],
    ['conv', 'expert-rank', 8e-4, 0.3],
  );
  const { lora, gate, projector, weightDecay } = adapterRates(adapter);
  assert.deepEqual([lora, projector, weightDecay], [8e-4, 8e-4, 1e-5]);
  assert.ok(Math.abs(gate - 2.4e-4) < 1e-15);
});

test('what is said overrides the preset, what is not is left to it', () => {
  const { adapter } = resolveSettings(
    { ...least, preset: 'authors-code', adapter: { rank: 16, gate: 'linear' } },
    'test',
  );
  assert.deepEqual([adapter.rank, adapter.gate, adapter.scaleBy], [16, 'linear', 'expert-rank']);
});

test('defaults are filled in, and resolved settings resolve to themselves', () => {
  const settings = resolveSettings(least, 'test');
  assert.deepEqual(
    [settings.seed, settings.device, settings.sasrec.width, settings.training.schedule],
    [1, 'cpu', 64, 'cosine'],
  );
  assert.equal(settings.training.batchTokens, undefined);
  assert.deepEqual(resolveSettings(JSON.parse(JSON.stringify(settings)), 'test'), settings);
});

test('presets are not changed by the settings made from them', () => {
  const first = resolveSettings(least, 'test');
  (first.adapter.targets as string[]).pop();
  assert.deepEqual(resolveSettings(least, 'test').adapter.targets, [...LLAMA_PROJECTIONS]);
});

test('every fault is listed in one error, unknown keys by their path', () => {
  const lines = faultsOf({
    method: 'magic',
    out: '',
    seed: -1,
    device: 'tpu',
    typo: 1,
    sasrec: { widht: 64, dropout: 1 },
    adapter: { rank: 1.5 },
    training: { batchSize: '32', warmupShare: 2 },
  });
  assert.equal(lines[0], 'my.yaml: 11 problems');
  const about = lines.slice(1).map((line) => line.trim().split(':')[0]);
  assert.deepEqual(about.sort(), [
    'adapter.rank',
    'data',
    'device',
    'method',
    'out',
    'sasrec.dropout',
    'sasrec.widht',
    'seed',
    'training.batchSize',
    'training.warmupShare',
    'typo',
  ]);
  for (const line of lines.slice(1)) assert.match(line, /^ {2}\S+: .+/);
  assert.ok(lines.includes('  typo: expected no such key'));
  assert.ok(lines.includes('  sasrec.widht: expected no such key'));
  assert.ok(lines.some((line) => line.includes('"magic"')));
  assert.ok(lines.some((line) => line.startsWith('  data:') && line.endsWith('got nothing')));
});

test('experts that do not divide the rank and heads that do not divide the width are named together', () => {
  assert.deepEqual(faultsOf({ ...least, adapter: { rank: 6 }, sasrec: { width: 10, heads: 3 } }), [
    'my.yaml: 2 problems',
    '  adapter.rank: expected a multiple of adapter.experts (4), got 6',
    '  sasrec.heads: expected a divisor of sasrec.width (10), got 3',
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
  assert.equal(readSettings(path).sasrec.epochs, 3);
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

test('the published JSON Schema has every key, none required that has a default', () => {
  const schema = settingsJsonSchema();
  assert.deepEqual(schema.required, ['method', 'data', 'out']);
  assert.equal(schema.additionalProperties, false);
  const known = Object.keys(schema.properties as object);
  for (const key of Object.keys(resolveSettings(least, 'test')))
    assert.ok(known.includes(key), key);
});
