/** Settings of a study: the methods' order, its folder, keys that none has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studySettings } from '../../../src/studies/index.js';

const least = { data: 'd', out: 'o' };

test('methods stand in the order of the registry, encoders first, none twice', () => {
  const { methods, settings } = studySettings(
    { ...least, methods: ['ilora', 'sasrec', 'popularity', 'sasrec'] },
    'test',
  );
  assert.deepEqual(
    methods.map(({ name }) => name),
    ['popularity', 'sasrec', 'ilora'],
  );
  assert.equal(settings.get('ilora')?.encoder, 'o/sasrec');
});

test('members that the study trains are its own runs; those with settings of their own are not', () => {
  const methods = ['sasrec', 'cooccurrence', 'blend'];
  const membersIn = (more = {}) =>
    studySettings({ ...least, ...more, methods }, 'test').settings.get('blend')?.members;
  const [first, second, third] = membersIn() ?? [];
  assert.deepEqual([first, second], ['o/cooccurrence', 'o/sasrec']);
  assert.equal((third as { method: string }).method, 'gru4rec');
  const [own, path] = membersIn({ members: [{ method: 'sasrec', seed: 2 }, 'runs/x'] }) ?? [];
  assert.equal((own as { seed: number }).seed, 2);
  assert.equal(path, 'runs/x');
});

test('the base is said once, and only where a method needs one', () => {
  const of = (methods: string[], more = {}) =>
    studySettings({ ...least, ...more, methods }, 'test').common.base;
  assert.equal(of(['popularity']), undefined);
  assert.equal(of(['sasrec', 'ilora']), 'smollm2-135m');
  assert.equal(of(['base'], { base: 'mine' }), 'mine');
});

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
