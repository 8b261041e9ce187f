/** What every method says of itself holds, and nothing but the registry lists methods. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import {
  type Capability,
  COMPARED,
  DEFAULT_ENCODER,
  encoderMethods,
  MAIN,
  METHOD_NAMES,
  METHODS,
  type Method,
  methodNamed,
  REFERENCE,
  settingsSchema,
} from '../../src/recommenders/index.js';
import { encoderOf } from '../../src/recommenders/registry.js';
import { engineThreads } from '../../src/tensor/index.js';
import { methodJsonSchema, resolveSettings } from '../../src/training/index.js';
import { makeWorld, smallSettings, type World } from './world.js';

engineThreads(1);

const CAPABILITIES: readonly Capability[] = [
  'recommender',
  'retriever',
  'encoder',
  'generator',
  'titleReader',
];

it('names are unique words, and each is found by its name', () => {
  assert.equal(new Set(METHOD_NAMES).size, METHODS.length);
  for (const method of METHODS) {
    assert.match(method.name, /^[a-z][a-z0-9-]*$/);
    assert.equal(methodNamed(method.name), method);
    assert.ok(method.label.length > 0 && method.summary.length > 0);
    assert.doesNotMatch(method.summary, /\n|\.$/);
  }
  assert.throws(() => methodNamed('magic'), { code: 'usage', message: /ilora, got "magic"/ });
});

it('a comparison holds registered methods, its main one and the reference among them', () => {
  for (const method of [...COMPARED, MAIN, REFERENCE, DEFAULT_ENCODER])
    assert.ok((METHODS as readonly Method[]).includes(method), method.name);
  for (const method of [MAIN, REFERENCE]) assert.ok(COMPARED.includes(method));
  assert.ok(encoderMethods().includes(DEFAULT_ENCODER));
  const places = COMPARED.map(({ name }) => METHOD_NAMES.indexOf(name));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
    'encoders stand before their users',
  );
});

it('only methods that encode make encoders of a description', () => {
  for (const method of METHODS as readonly Method[])
    assert.equal(method.encoder !== undefined, method.capabilities.includes('encoder'));
  assert.throws(() => encoderOf({ method: 'popularity', options: {} }), {
    code: 'usage',
    message: /encoder: expected .*sasrec.*, got "popularity"/,
  });
});

for (const method of METHODS as readonly Method[])
  it(`${method.name}: its settings have defaults, a schema with descriptions, and refuse unknown keys`, () => {
    const least = { method: method.name, data: 'd', out: 'o' };
    const settings = resolveSettings(least, 'test');
    assert.deepEqual(resolveSettings(JSON.parse(JSON.stringify(settings)), 'test'), settings);
    assert.throws(() => resolveSettings({ ...least, nonsense: 1 }, 'test'), { code: 'settings' });
    const schema = methodJsonSchema(method) as { properties: Record<string, object> };
    assert.deepEqual(Object.keys(schema.properties), [
      ...Object.keys(settingsSchema(method).shape),
    ]);
    assert.equal(schema.properties.encoder !== undefined, method.needs.encoder);
    assert.equal(schema.properties.base !== undefined, method.needs.base);
    assert.equal(schema.properties.prompt !== undefined, method.needs.texts);
  });

describe('trained models', () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
  });

  it('can do what their method says, and nothing else', () => {
    for (const method of METHODS) {
      const { model } = world.runs.get(method.name)!;
      const able = CAPABILITIES.filter((name) => model[name] !== undefined);
      assert.deepEqual(able, method.capabilities, method.name);
      assert.equal(model.recommender.name, method.name);
    }
  });

  it('have at least the values that their method promises', () => {
    for (const method of METHODS as readonly Method[]) {
      const run = world.runs.get(method.name)!;
      const settings = smallSettings(method, world.dataset, 'o');
      const values = [...run.model.state().values()].reduce((sum, { size }) => sum + size, 0);
      const hiddenSize = 16;
      const base = { model: { config: { hiddenSize } } } as never;
      const least = method.leastValues(settings, { dataset: world.dataset, base });
      assert.ok(least <= values || method.learning.kind === 'fit', `${method.name}: ${least}`);
      if (method.learning.kind === 'gradients') assert.ok(least > 0, method.name);
    }
  });
});

/** Where a method's name may stand as a word of the program: its own folder and the registry. */
const HOME: Readonly<Record<string, RegExp>> = {
  popularity: /^recommenders\/counts\//,
  cooccurrence: /^recommenders\/counts\//,
  sasrec: /^recommenders\/sasrec\//,
  base: /^recommenders\/llm\//,
  lora: /^recommenders\/llm\//,
  ilora: /^recommenders\/llm\//,
};

/** Words that are no method here, with the reason. */
const OTHERWISE: readonly [file: RegExp, word: string, why: string][] = [
  [/^audit\//, 'popularity', 'a cue of the data that the audit measures'],
  [/^audit\//, 'cooccurrence', 'a cue of the data that the audit measures'],
  [/./, 'base', 'a part: the frozen language model'],
  [/^cli\/(main|invocation|doctor-checks)\.ts$/, 'ilora', 'the name of the program'],
  [/^tensor\/environment\.ts$/, 'ilora', 'the folder of the program in the cache'],
];

it('no other file of the program names a method', () => {
  const root = join(import.meta.dirname, '..', '..', 'src');
  const problems: string[] = [];
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file === 'recommenders/registry.ts') continue;
    const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const name of METHOD_NAMES) {
      const home = HOME[name] ?? new RegExp(`^recommenders/${name}/`);
      const isOther = OTHERWISE.some(([where, word]) => word === name && where.test(file));
      if (home.test(file) || isOther) continue;
      // A literal that is the name, or a folder of that name that is imported from.
      const found = new RegExp(`['"\`]${name}['"\`]|from '[^']*/${name}/(?!index)[^']*'`).exec(
        code,
      );
      if (found !== null && file !== 'recommenders/index.ts') problems.push(`${file}: ${found[0]}`);
    }
  }
  assert.deepEqual(problems, []);
});
