/** Needs of a command, with fakes: all that is missing is said at once, and only that is made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNeeds, type Need, prepareNeeds, UsageError } from '../../../harness/index.js';

/** Things that are there once a step named after them was done. */
function world(...there: string[]) {
  const present = new Set(there);
  const need = (name: string, ...steps: string[]): Need => ({
    fault: () => (present.has(name) ? undefined : `${name}: expected one, got none`),
    steps: steps.map((step) => step.split(' ')),
  });
  const done: string[] = [];
  const run = (step: readonly string[]): number => {
    done.push(step.join(' '));
    if (step[0] === 'get') present.add(step[1] as string);
    return step[0] === 'fail' ? 3 : 0;
  };
  return { need, run, done };
}

const messageOf = (work: () => void): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  return '';
};

test('all that is missing is said in one message with one command', () => {
  const { need } = world('base');
  const needs = [need('data', 'get data'), need('base', 'get base'), need('peers', 'get peers')];
  assert.equal(
    messageOf(() => checkNeeds(needs, { remedy: 'npm run setup', others: 'or do without' })),
    `2 things are missing
  data: expected one, got none
  peers: expected one, got none
get all that can be had: npm run setup
or do without`,
  );
});

test('no command is named for what only the user can bring, and nothing is said where all is there', () => {
  const { need } = world('data');
  assert.equal(
    messageOf(() => checkNeeds([need('data'), need('file')], { remedy: 'npm run setup' })),
    'one thing is missing\n  file: expected one, got none',
  );
  assert.equal(
    messageOf(() => checkNeeds([need('data')], { remedy: 'npm run setup' })),
    '',
  );
});

test('setting up does the steps of what is missing, in order, and nothing else', () => {
  const { need, run, done } = world('base');
  const needs = [need('base', 'get base'), need('peers', 'make venv', 'get peers')];
  prepareNeeds(needs, run);
  assert.deepEqual(done, ['make venv', 'get peers']);
  prepareNeeds(needs, run);
  assert.equal(done.length, 2, 'a second time there is nothing to do');
});

test('setting up stops at a step that fails, and where a thing is still missing after its steps', () => {
  const { need, run, done } = world();
  assert.match(
    messageOf(() => prepareNeeds([need('data', 'fail data', 'get data')], run)),
    /"fail data" ended with 3/,
  );
  assert.deepEqual(done, ['fail data']);
  assert.match(
    messageOf(() => prepareNeeds([need('data', 'make data')], run)),
    /data: expected one/,
  );
});
