/** Whatever a title holds, the terminal gets text and line ends only. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HOSTILE_TITLES } from '../../support/hostile.js';

const terminal = join(import.meta.dirname, '../../../src/cli/terminal.ts');

/** Runs a script with the module's exports and the hostile titles in sight. */
function run(script: string): { stdout: string; stderr: string } {
  const code = `const { note, print, printJson, printLines, Progress } = await import(${JSON.stringify(terminal)});
    const titles = ${JSON.stringify(HOSTILE_TITLES)};
    ${script}`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

const OBEYED = /[^\P{Control}\n]|\p{Bidi_Control}/u;

describe('terminal', () => {
  it('shows control characters of results, notes and progress', () => {
    const { stdout, stderr } = run(`
      print(titles.join(' '));
      printLines(titles);
      note(titles.join(' '));
      new Progress(titles.join(' '), 1).update(1, { extra: titles.join(' ') });`);
    assert.doesNotMatch(stdout, OBEYED);
    assert.doesNotMatch(stderr, OBEYED);
    for (const text of [stdout, stderr]) assert.ok(text.includes('\\u001b[2J\\u001b[31mCleared'));
  });
  it('keeps one line per entry of a list', () => {
    const { stdout } = run('printLines(titles);');
    assert.equal(stdout.split('\n').length - 1, HOSTILE_TITLES.length);
  });
  it('keeps the values of JSON documents', () => {
    const { stdout } = run('printJson({ titles });');
    assert.doesNotMatch(stdout, OBEYED);
    assert.deepEqual(JSON.parse(stdout), { titles: HOSTILE_TITLES });
  });
});
