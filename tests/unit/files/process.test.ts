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
}, () => {
  // Node asks for a child's end in its event loop, which does not turn meanwhile.
  const child = spawn('true');
  const wait = new Int32Array(new SharedArrayBuffer(4));
  while (!/\) Z /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')))
    Atomics.wait(wait, 0, 0, 5);
  assert.equal(isRunning(child.pid as number), false);
});

test('another process of the same number, or before the last boot, is not the one', () => {
  const own = thisProcess();
  assert.equal(isAlive(own), true);
  assert.equal(isAlive({ pid: own.pid, host: own.host }), true);
  if (own.started !== undefined) assert.equal(isAlive({ ...own, started: '1' }), false);
  assert.equal(isAlive({ ...own, boot: 'another' }), false);
  assert.equal(isAlive({ ...own, host: 'elsewhere', pid: 1 }), true);
});
