/** Processes that are told what to do by lines of JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternate, Contestant, type Launch, startAll } from '../../../harness/contestant.js';

const body = `
const lines = require('node:readline').createInterface({ input: process.stdin });
console.log('{"ready":true,"kind":"test"}');
lines.on('line', (line) => {
  const { do: task, seconds } = JSON.parse(line);
  if (task === 'end') { console.error('last words'); process.exit(3); }
  console.log(JSON.stringify(task === 'fail' ? { error: 'no such thing' } : { seconds }));
});`;
const launch: Launch = { name: 'trial', command: process.execPath, args: ['-e', body] };

test('answers come one by one, errors as errors, and its end says why', async () => {
  const contestant = await Contestant.start(launch);
  assert.deepEqual(contestant.about, { kind: 'test' });
  assert.equal(await contestant.time('work', { seconds: 2 }), 2);
  await assert.rejects(contestant.ask('fail'), /trial: "fail" failed: no such thing/);
  assert.equal(await contestant.time('work', { seconds: 3 }), 3, 'it goes on after an error');
  await assert.rejects(contestant.ask('end'), /ended at "end"[\s\S]*last words/);
  await contestant.stop();
});

test('one that does not start takes the others with it', async () => {
  const broken: Launch = { name: 'broken', command: process.execPath, args: ['-e', 'missing()'] };
  await assert.rejects(startAll([launch, broken]), /broken: ended at "start"[\s\S]*missing/);
  const absent: Launch = { name: 'absent', command: 'no-such-program', args: [] };
  await assert.rejects(startAll([launch, absent]), /absent: ended at "start"[\s\S]*ENOENT/);
});

test('rounds go in turn, the order moves on, and warm-up does not count', async () => {
  const order: string[] = [];
  const entry = (name: string) => ({
    name,
    run: async (round: number) => {
      order.push(`${name}${round}`);
      return round;
    },
  });
  const note = (): void => undefined;
  const seconds = await alternate([entry('a'), entry('b')], { rounds: 2, warmUp: 1, note });
  assert.deepEqual(order, ['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
  assert.deepEqual(
    [...seconds],
    [
      ['a', [1, 2]],
      ['b', [1, 2]],
    ],
  );
});
