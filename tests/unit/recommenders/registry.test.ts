/** What every method says of itself holds, and nothing but the registry lists methods. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  COMPARED,
  CONTROLS,
  DEFAULT_ENCODER,
  DEFAULT_MEMBERS,
  encoderMethods,
  MAIN,
  METHOD_NAMES,
  METHODS,
  type Method,
  memberMethods,
  methodNamed,
  settingsSchema,
} from '../../../src/recommenders/index.js';
import { needsCatalog, SELECTABLE, withMeant } from '../../../src/recommenders/method.js';
import { encoderOf } from '../../../src/recommenders/registry.js';
import { methodJsonSchema, resolveSettings } from '../../../src/training/index.js';

it('names are unique words, and each is found by its name', () => {
  assert.equal(new Set(METHOD_NAMES).size, METHODS.length);
  for (const method of METHODS) {
    assert.match(method.name, /^[a-z][a-z0-9-]*$/);
    assert.equal(methodNamed(method.name), method);
    assert.ok(method.label.length > 0 && method.summary.length > 0);
    assert.doesNotMatch(method.summary, /\n|\.$/);
  }
  assert.throws(() => methodNamed('magic'), { code: 'usage', message: /ilora.*, got "magic"/ });
});

it('a comparison holds registered methods, its main one and the control among them', () => {
  for (const method of [...COMPARED, ...[...CONTROLS].flat(), MAIN, DEFAULT_ENCODER])
    assert.ok((METHODS as readonly Method[]).includes(method), method.name);
  for (const method of [MAIN, CONTROLS.get(MAIN)!]) assert.ok(COMPARED.includes(method));
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
    assert.equal(schema.properties.members !== undefined, method.needs.members);
    assert.equal(schema.properties.base !== undefined, method.needs.base);
    assert.equal(
      schema.properties.prompt !== undefined,
      method.capabilities.includes('titleReader'),
    );
  });

it('a method that needs nothing has the common keys and its own, and no others', () => {
  const keysOf = (name: string) => Object.keys(settingsSchema(methodNamed(name)).shape);
  const common = ['method', 'data', 'out', 'seed', 'device'];
  assert.deepEqual(keysOf('popularity'), common);
  assert.deepEqual(keysOf('sasrec'), [...common, 'sasrec']);
  assert.deepEqual(keysOf('base'), [...common, 'base', 'dtype', 'prompt', 'training']);
  const adapted = ['base', 'dtype', 'prompt', 'preset', 'adapter', 'training', 'encoder'];
  assert.deepEqual(keysOf('ilora'), [...common, ...adapted]);
  assert.equal(settingsSchema(MAIN), settingsSchema(MAIN), 'made once');
});

it('common keys are checked: places that are named, whole seeds from 0, devices that there are', () => {
  const least = { method: 'popularity', data: 'd', out: 'o' };
  const isTaken = (more: object) =>
    settingsSchema(methodNamed('popularity')).safeParse({ ...least, ...more }).success;
  for (const fine of [{}, { seed: 0 }, { seed: 7 }, { device: 'cuda' }, { device: 'cuda:1' }])
    assert.equal(isTaken(fine), true, JSON.stringify(fine));
  for (const wrong of [
    ...[{ data: '' }, { out: '' }, { seed: -1 }, { seed: 0.5 }, { device: 'gpu' }],
    ...[{ device: 'cuda:' }, { device: 'a cpu' }, { device: 'cpus' }, { method: 'sasrec' }],
  ])
    assert.equal(isTaken(wrong), false, JSON.stringify(wrong));
  const { seed, device } = resolveSettings(least, 'test');
  assert.deepEqual([seed, device], [1, 'cpu']);
  const withBase = (more: object) =>
    settingsSchema(methodNamed('base')).safeParse({ ...least, method: 'base', ...more }).success;
  for (const wrong of [{ base: '' }, { dtype: 'float16' }, { prompt: '' }])
    assert.equal(withBase(wrong), false, JSON.stringify(wrong));
});

it('an encoder is a path or the settings of one: of a method that encodes, with its own keys only', () => {
  const schema = settingsSchema(MAIN);
  const encoderIn = (encoder: unknown) =>
    schema.safeParse({ method: MAIN.name, data: 'd', out: 'o', encoder });
  for (const fine of ['runs/x', ...encoderMethods().map(({ name }) => ({ method: name }))])
    assert.equal(encoderIn(fine).success, true, JSON.stringify(fine));
  const wrong = ['', 7, {}, { method: 'popularity' }, { method: 'sasrec', seed: 2 }];
  for (const encoder of wrong)
    assert.equal(encoderIn(encoder).success, false, JSON.stringify(encoder));
  const { encoder } = encoderIn(undefined).data as { encoder: { method: string } };
  assert.equal(encoder.method, DEFAULT_ENCODER.name);
});

it('members are runs of methods that score the catalog and have no members; settings of those without a base', () => {
  const able = (METHODS as readonly Method[]).filter(
    ({ capabilities, needs }) => capabilities.includes('retriever') && !needs.members,
  );
  assert.deepEqual(memberMethods(), able);
  const names = able.map(({ name }) => name);
  assert.ok(names.includes('sasrec') && names.includes('streaming-ilora'));
  assert.ok(!names.includes('ilora') && !names.includes('blend'));
  const membersIn = (members: unknown) =>
    settingsSchema(methodNamed('blend')).safeParse({
      ...{ method: 'blend', data: 'd', out: 'o', members },
    });
  for (const fine of [['x'], ['runs/x', { method: 'sasrec' }], [{ method: 'ease', seed: 4 }]])
    assert.equal(membersIn(fine).success, true, JSON.stringify(fine));
  const wrong = [[], [''], [{ method: 'streaming-ilora' }], [{ method: 'blend' }], 'runs/x'];
  for (const members of wrong)
    assert.equal(membersIn(members).success, false, JSON.stringify(members));
  const { members } = membersIn(undefined).data as { members: { method: string }[] };
  assert.deepEqual(
    members.map(({ method }) => method),
    DEFAULT_MEMBERS.map(({ name }) => name),
  );
});

it('an encoder is made of its description, frozen, with room for its tensors', () => {
  const options = { catalogSize: 5, maxHistory: 3, width: 4, blocks: 1, heads: 1, dropout: 0 };
  const made = encoderOf({ method: 'sasrec', options: { ...options, preset: 'modern' } });
  assert.deepEqual([made.width, made.maxHistory, made.describe().method], [4, 3, 'sasrec']);
  assert.ok([...made.namedTensors()].every(([, { requiresGrad }]) => !requiresGrad));
});

/** Where a method's name may stand as a word of the program: its own folder and the registry. */
const HOME: Readonly<Record<string, RegExp>> = {
  popularity: /^recommenders\/counts\//,
  cooccurrence: /^recommenders\/counts\//,
  markov: /^recommenders\/counts\//,
  sasrec: /^recommenders\/sasrec\//,
  base: /^recommenders\/llm\//,
  lora: /^recommenders\/llm\//,
  ilora: /^recommenders\/llm\//,
  'streaming-lora': /^recommenders\/llm\//,
  'streaming-ilora': /^recommenders\/llm\//,
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
  const root = join(import.meta.dirname, '..', '..', '..', 'src');
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

it('an average of the weights decays by less than 1, and sequence models have none unless asked', () => {
  for (const [method, section, usual] of [
    ['sasrec', 'sasrec', 0],
    ['streaming-ilora', 'training', 0.99],
  ] as const) {
    const taken = (own: object) =>
      settingsSchema(methodNamed(method)).safeParse({
        ...{ method, data: 'd', out: 'o', [section]: own },
      });
    for (const fine of [0, 0.5, 0.999]) assert.equal(taken({ averaging: fine }).success, true);
    for (const wrong of [-0.1, 1, 2]) assert.equal(taken({ averaging: wrong }).success, false);
    const { averaging } = (taken({}).data as Record<string, { averaging: number }>)[section]!;
    assert.equal(averaging, usual);
  }
});

it('figures in expectation need the whole catalog, and no others do', () => {
  assert.deepEqual(SELECTABLE.filter(needsCatalog), ['expected_hr_at_1', 'expected_mrr']);
});

it('what an absent key meant is filled in, what is there stays, and no section is invented', () => {
  const meant = { dropout: 0 };
  const settings = { method: 'm', adapter: { rank: 8 } };
  assert.deepEqual(withMeant(settings, 'adapter', meant), {
    method: 'm',
    adapter: { rank: 8, dropout: 0 },
  });
  const said = { method: 'm', adapter: { dropout: 0.3 } };
  assert.deepEqual(withMeant(said, 'adapter', meant), said);
  for (const none of [{ method: 'm' }, { method: 'm', adapter: 'all' }])
    assert.deepEqual(withMeant(none, 'adapter', meant), none);
});
