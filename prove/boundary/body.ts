/**
 * The process that makes the calls: body.ts RECORD SEED FIRST END PLANT.
 *
 * Before each call it writes down which one, so that a call that ends the process is known.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { IloraError } from '../../src/errors/index.js';
import { add, engineThreads, liveTensors, scope, Tensor } from '../../src/tensor/index.js';
import { native } from '../../src/tensor/native.js';
import type { Plant } from '../boundary.js';
import { Dice } from './dice.js';
import { findTargets, type Target } from './target.js';

const RECORD_BYTES = 2048;
const [record = '', seed, first, end, plants = ''] = process.argv.slice(2) as [string, ...string[]];

/** What a fault would look like; the harness is tried with them. */
const PLANTS: Record<Plant, () => unknown> = {
  signal: () => process.kill(process.pid, 'SIGSEGV'),
  hang: () => {
    for (;;);
  },
  untyped: () => (undefined as unknown as { x: number }).x,
  memory: () => {
    // Twice what is let pass.
    kept.push(Buffer.alloc(2 ** 30, 1));
  },
  leak: () => {
    for (let i = 0; i < 100; i++) native().hint(leaked(new Tensor(rawTensor())));
  },
};
const kept: unknown[] = [];
const rawTensor = () => native().fromBytes(Float32Array.of(1), [1], 6);
const leaked = (tensor: Tensor) => {
  tensor.owner?.remove(tensor);
  kept.push(tensor);
  return tensor.handle;
};

engineThreads(1);
const fd = openSync(record, 'r+');
const { targets, unlisted } = findTargets();
const fail = (failure: string): void => console.log(JSON.stringify({ failure }));
if (first === '0') for (const name of unlisted) fail(`${name} is not listed in target.ts`);

/** No call has reason to take more: its tensors have a hundred elements. */
const MOST_GROWTH_KB = 512 * 1024;
let peakBefore = process.resourceUsage().maxRSS;
let calls = 0;
let refused = 0;
const probe = Tensor.from([1, 2, 3]);
const before = liveTensors();
for (let index = Number(first); index < Number(end); index++) {
  const plant = plants.split(',')[index - 5];
  if (plant) one(index, planted(plant as Plant));
  else one(index, new Dice(Number(seed), index).pick(targets));
  if (index % 64 === 63) await setImmediate(); // lets the collector's finalizers run
}
for (let i = 0; i < 3; i++) {
  globalThis.gc?.();
  await setImmediate();
}
if (liveTensors() > before)
  fail(`${liveTensors() - before} tensors are left after calls ${first} to ${end}`);
const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ calls, refused, peakMb }));
closeSync(fd);
process.exit(0);

function planted(name: Plant): Target {
  return { name: `plant ${name}`, make: () => [], call: PLANTS[name] };
}

/** Makes call number `index`. */
function one(index: number, target: Target): void {
  const dice = new Dice(Number(seed), index);
  dice.next();
  let call = target.name;
  try {
    scope(() => {
      const values = target.make(dice);
      call = `${target.name}(${values.map(({ text }) => text).join(', ')})`;
      write(`${index} ${call}`);
      calls++;
      try {
        target.call(values.map(({ value }) => value));
      } catch (error) {
        refused++;
        judge(call, error, target.name.startsWith('native.'));
      }
    });
  } catch (error) {
    fail(`${call}: the scope did not close: ${stackOf(error as Error)}`);
  }
  const peak = process.resourceUsage().maxRSS;
  if (peak - peakBefore > MOST_GROWTH_KB)
    fail(`${call}: took ${Math.round((peak - peakBefore) / 1024)} MiB`);
  peakBefore = peak;
  // What a call may leave behind for the next ones.
  native().setGradMode(true);
  native().threads(1);
  const sum = scope(() => add(probe, 1).toNumbers());
  if (sum.join() !== '2,3,4') fail(`${call}: afterwards 1 + [1, 2, 3] is [${sum}]`);
}

/** A refusal must be one of ours and say something; the addon itself marks its errors by their code. */
function judge(call: string, error: unknown, isRaw: boolean): void {
  if (error instanceof Error && error.message === 'a trap of the test') return; // the caller's own error
  const isTyped =
    error instanceof IloraError || (isRaw && (error as { code?: string })?.code === 'engine');
  if (!isTyped || (error as Error).message === '')
    fail(`${call}: refused with ${error instanceof Error ? stackOf(error) : String(error)}`);
}

function stackOf({ stack = '' }: Error): string {
  return stack.split('\n', 3).join(' ');
}

function write(text: string): void {
  const bytes = Buffer.alloc(RECORD_BYTES, ' ');
  bytes.write(text.replaceAll('\n', ' '), 0, RECORD_BYTES - 1);
  writeSync(fd, bytes, 0, RECORD_BYTES, 0);
}
