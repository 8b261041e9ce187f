/** Settings of a study: the rows and their order, seeds, protocols, encoders, keys that none has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studySettings } from '../../../src/studies/index.js';

const least = { data: 'd', out: 'o' };

/** Runs of each row, by its name. */
const runsOf = (document: object) => {
  const { variants } = studySettings({ ...least, ...document }, 'test');
  return Object.fromEntries(variants.map(({ name, runs }) => [name, runs]));
};

test('methods stand in the order of the registry, encoders first, none twice', () => {
  const { variants, main } = studySettings(
    { ...least, methods: ['ilora', 'sasrec', 'popularity', 'sasrec'] },
    'test',
  );
  assert.deepEqual(
    variants.map(({ name, label }) => [name, label]),
    [
      ['popularity', 'Popularity'],
      ['sasrec', 'SASRec'],
      ['ilora', 'iLoRA'],
    ],
  );
  assert.equal(main.name, 'ilora');
  assert.deepEqual(
    variants.map(({ runs }) => runs.map(({ name, seed, settings }) => [name, seed, settings.out])),
    [[['popularity', 1, 'o/popularity']], [['sasrec', 1, 'o/sasrec']], [['ilora', 1, 'o/ilora']]],
  );
  assert.equal(variants[2]!.runs[0]!.settings.encoder, 'o/sasrec');
});

test('members that the study trains are its own runs; those with settings of their own are not', () => {
  const methods = ['sasrec', 'cooccurrence', 'blend'];
  const membersIn = (more = {}) =>
    studySettings({ ...least, ...more, methods }, 'test').variants.at(-1)?.runs[0]?.settings
      .members;
  const [first, second, third] = membersIn() ?? [];
  assert.deepEqual([first, second], ['o/cooccurrence', 'o/sasrec']);
  assert.equal((third as { method: string }).method, 'gru4rec');
  const [own, path] = membersIn({ members: [{ method: 'sasrec', seed: 2 }, 'runs/x'] }) ?? [];
  assert.equal((own as { seed: number }).seed, 2);
  assert.equal(path, 'runs/x');
});

test('a member that is a row’s name is that row’s run of the same seed', () => {
  const { variants } = studySettings(
    {
      ...least,
      seeds: [1, 2],
      methods: ['cooccurrence', 'blend'],
      variants: { wide: { method: 'sasrec', sasrec: { width: 8 } } },
      members: ['wide', 'cooccurrence'],
    },
    'test',
  );
  assert.deepEqual(
    variants.at(-1)?.runs.map(({ name, settings }) => [name, settings.members]),
    [
      ['blend-seed-1', ['o/wide-seed-1', 'o/cooccurrence']],
      ['blend-seed-2', ['o/wide-seed-2', 'o/cooccurrence']],
    ],
  );
});

test('the base is said once, and only where a method needs one', () => {
  const of = (methods: string[], more = {}) =>
    studySettings({ ...least, ...more, methods }, 'test').common.base;
  assert.equal(of(['popularity']), undefined);
  assert.equal(of(['sasrec', 'ilora']), 'smollm2-135m');
  assert.equal(of(['base'], { base: 'mine' }), 'mine');
});

test('what draws random numbers runs once per seed, in a folder of its own', () => {
  const runs = runsOf({ seeds: [1, 2], methods: ['popularity', 'sasrec', 'ilora'] });
  assert.deepEqual(
    Object.values(runs).map((own) => own.map(({ name, settings }) => [name, settings.seed])),
    [
      [['popularity', 1]],
      [
        ['sasrec-seed-1', 1],
        ['sasrec-seed-2', 2],
      ],
      [
        ['ilora-seed-1', 1],
        ['ilora-seed-2', 2],
      ],
    ],
  );
  assert.deepEqual(
    runs.ilora!.map(({ settings }) => settings.encoder),
    ['o/sasrec-seed-1', 'o/sasrec-seed-2'],
  );
});

test('a variant has settings of its own over those of the study, section by section', () => {
  const { variants, main, protocols } = studySettings(
    {
      ...least,
      seeds: [3, 4],
      methods: ['sasrec'],
      sasrec: { width: 16, epochs: 5 },
      main: 'wide_one',
      variants: {
        wide_one: { method: 'sasrec', label: 'SASRec, wide', sasrec: { width: 32 } },
        few: { method: 'sasrec', seeds: [9], protocols: ['history'], sasrec: { batch_size: 4 } },
      },
    },
    'test',
  );
  const sectionOf = (i: number) =>
    (variants[i]!.runs[0]!.settings as unknown as { sasrec: Record<string, number> }).sasrec;
  assert.deepEqual(
    variants.map(({ name, label }, i) => [name, label, sectionOf(i).width, sectionOf(i).epochs]),
    [
      ['sasrec', 'SASRec', 16, 5],
      ['wide_one', 'SASRec, wide', 32, 5],
      ['few', 'few', 16, 5],
    ],
  );
  assert.equal(sectionOf(2).batchSize, 4);
  assert.deepEqual(
    variants.map(({ runs, protocols }) => [runs.map(({ seed }) => seed), protocols]),
    [
      [[3, 4], ['window']],
      [[3, 4], ['window']],
      [[9], ['history']],
    ],
  );
  assert.deepEqual([main.name, protocols], ['wide_one', ['window', 'history']]);
});

test("an encoder is the study's run of the very settings and seed, else trained beside", () => {
  const runs = runsOf({
    seeds: [1, 2],
    sasrec: { epochs: 5 },
    variants: {
      plain: { method: 'sasrec' },
      wide: { method: 'sasrec', seeds: [2], sasrec: { width: 32 } },
      one: { method: 'ilora' },
      two: { method: 'ilora', encoder: { method: 'sasrec', sasrec: { width: 32 } } },
      three: { method: 'ilora', sasrec: { width: 8 }, seeds: [1] },
      four: { method: 'ilora', encoder: 'elsewhere', seeds: [1] },
      five: { method: 'ilora', encoder: { method: 'gru4rec' }, seeds: [1] },
    },
  });
  const encoders = (name: string) => runs[name]!.map(({ settings }) => settings.encoder);
  assert.deepEqual(encoders('one'), ['o/plain-seed-1', 'o/plain-seed-2']);
  const [beside, found] = encoders('two');
  assert.deepEqual(widthOf(beside), ['sasrec', 32, 5]);
  assert.equal(found, 'o/wide');
  assert.deepEqual(widthOf(encoders('three')[0]), ['sasrec', 8, 5]);
  assert.deepEqual(encoders('four'), ['elsewhere']);
  assert.equal((encoders('five')[0] as { method: string }).method, 'gru4rec');
});

const widthOf = (encoder: unknown): unknown[] => {
  const { method, sasrec } = encoder as {
    method: string;
    sasrec: { width: number; epochs: number };
  };
  return [method, sasrec.width, sasrec.epochs];
};

test('a study without a folder, methods that are none and keys that none has are named', () => {
  for (const out of [undefined, '', 3])
    assert.throws(
      () => studySettings({ data: 'd', out }, 'my.yaml'),
      /my\.yaml[\s\S]*out: expected/,
    );
  assert.throws(
    () => studySettings({ ...least, methods: ['sasrek'] }, 'my.yaml'),
    /methods: expected names of .*sasrek/,
  );
  assert.throws(
    () => studySettings({ ...least, sasrec: { widht: 8 } }, 'my.yaml'),
    /sasrec\.widht: expected no such key/,
  );
});

test('faults of variants, seeds and protocols are named', () => {
  const faulty: [object, RegExp][] = [
    [{ variants: { a: { method: 'sasrek' } } }, /methods: expected names of .*sasrek/],
    [{ variants: { a: {} } }, /variants\.a\.method: /],
    [{ variants: { 'a/b': { method: 'sasrec' } } }, /variants\.a\/b: /],
    [{ variants: { a: { method: 'sasrec', sasrec: { widht: 8 } } } }, /variants\.a\.sasrec\.widht/],
    [{ variants: { a: { method: 'sasrec', seed: 2 } } }, /variants\.a\.seed: expected no such key/],
    [{ variants: { a: { method: 'sasrec', out: 'x' } } }, /variants\.a\.out: expected no such key/],
    [
      { methods: ['sasrec'], variants: { sasrec: { method: 'sasrec' } } },
      /variants\.sasrec: expected a name that no other run has/,
    ],
    [{ variants: { evaluations: { method: 'sasrec' } } }, /variants\.evaluations: expected a name/],
    [
      {
        seeds: [1, 2],
        variants: { a: { method: 'sasrec' }, 'a-seed-1': { method: 'popularity' } },
      },
      /variants\.a-seed-1: expected a name that no other run has/,
    ],
    [
      { methods: ['sasrec'], variants: { a: { method: 'caser', label: 'SASRec' } } },
      /expected different labels, got "SASRec" twice/,
    ],
    [{ methods: ['sasrec'], main: 'ilora' }, /main: expected one of sasrec, got "ilora"/],
    [
      { methods: ['sasrec'], pairs: [['sasrec', 'ilora']] },
      /pairs: expected two different of sasrec, got .*"ilora"/,
    ],
    [{ methods: ['sasrec'], pairs: [['sasrec', 'sasrec']] }, /pairs: expected two different/],
    [{ seeds: [1, 1] }, /seeds: expected different seeds/],
    [{ seeds: [] }, /seeds: /],
    [{ seed: 1, seeds: [1] }, /seed: expected seed or seeds, got both/],
    [{ protocols: ['all'] }, /protocols\.0: /],
    [
      { variants: { a: { method: 'base' }, b: { method: 'base', base: 'mine' } } },
      /base: expected one base and dtype for all methods, got smollm2-135m, auto; mine, auto/,
    ],
  ];
  for (const [document, message] of faulty)
    assert.throws(() => studySettings({ ...least, ...document }, 'my.yaml'), {
      code: 'settings',
      message,
    });
});
