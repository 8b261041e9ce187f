/** Which processes run. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, isRunning, thisProcess } from '../../../src/files/process.js';

test('this process runs, one that has ended and what is no number of one do not', () => {
  assert.equal(isRunning(process.pid), true);
  assert.equal(isRunning(spawnSync('true').pid), false);
  for (const pid of [0, -1, Number.NaN]) assert.equal(isRunning(pid), false);
});

test('one that has ended does not run, even if its parent has not asked yet', {
  skip: !existsSync('/proc/self/stat'),
}, async () => {
  // The child ends on a line that is sent when its parent is no shell any more, which would ask for its end.
  const parent = spawn('sh', ['-c', 'read line <&0 & echo $!; exec sleep 60'], { stdio: 'pipe' });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.on('data', (text) => resolve(Number(text))),
  );
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached()) await new Promise((wake) => setTimeout(wake, 5));
  };
  await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
  parent.stdin.write('\n');
  await until(() => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
  assert.equal(isRunning(pid), false);
  parent.kill();
});

test('another process of the same number, or before the last boot, is not the one', () => {
  const own = thisProcess();
  assert.equal(isAlive(own), true);
  assert.equal(isAlive({ pid: own.pid, host: own.host }), true);
  if (own.started !== undefined) assert.equal(isAlive({ ...own, started: '1' }), false);
  assert.equal(isAlive({ ...own, boot: 'another' }), false);
  assert.equal(isAlive({ ...own, host: 'elsewhere', pid: 1 }), true);
});
