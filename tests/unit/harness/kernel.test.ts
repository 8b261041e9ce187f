/** What the kernel says of processes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  familyOf,
  forgetPeak,
  peakBytes,
  processorSeconds,
  residentBytes,
} from '../../../harness/index.js';

const linux = { skip: existsSync('/proc/self/status') ? false : 'there is no /proc' };

test('a peak holds what was given back, until it is forgotten', linux, () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const bytes = 2 ** 28;
  const before = residentBytes() as number;
  let block: Buffer | undefined = Buffer.alloc(bytes, 1);
  assert.ok((residentBytes() as number) - before > bytes / 2, `${block.length} bytes are there`);
  block = undefined;
  for (let i = 0; i < 3; i++) collect();
  const high = peakBytes() as number;
  assert.ok(high - before > bytes / 2);
  forgetPeak();
  assert.ok(high - (peakBytes() as number) > bytes / 2);
});

test('a process has its children below it, and time on processors', linux, async () => {
  const body = 'setInterval(() => {}, 1000); console.log("up")';
  const child = spawn(process.execPath, ['-e', body], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const pid = child.pid as number;
  assert.ok(familyOf(process.pid).includes(pid));
  assert.deepEqual(familyOf(pid), [pid]);
  assert.ok((processorSeconds(process.pid) as number) > 0);
  child.kill();
  await ended;
  assert.deepEqual([processorSeconds(pid), peakBytes(pid)], [undefined, undefined]);
});
