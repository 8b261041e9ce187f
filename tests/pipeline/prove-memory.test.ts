/** The short form of `npm run prove:memory`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndingReport } from '../../prove/memory/endings.js';
import type { Course } from '../../prove/memory/samples.js';
import type { WorkersCourse } from '../../prove/memory/workers.js';
import { proof } from './proof.js';

test('memory stays flat, workers end, and a process can end in the middle of its work', () => {
  const { status, stderr, document } = proof('memory');
  assert.equal(status, 0, stderr);
  const { ok, failures, training, recommending, control, workers, endings } = document as {
    ok: boolean;
    failures: string[];
    training: Course;
    recommending: Course;
    control: Course;
    workers: WorkersCourse[];
    endings: EndingReport[];
  };
  assert.deepEqual(failures, []);
  assert.equal(ok, true);
  for (const course of [training, recommending]) {
    assert.equal(course.iterations, 150);
    assert.ok(course.growth <= 0.02 && course.liveMost > 0 && course.liveAfter === 0);
  }
  assert.ok(control.growth > 0.02 && control.liveAfter > 0, 'what leaks is seen');
  assert.deepEqual(
    workers.map(({ atOnce, exitedWith0 }) => [atOnce, exitedWith0]),
    [
      [1, 2],
      [5, 5],
    ],
  );
  assert.equal(endings.length, 4);
});
