/**
 * One start of the engine with a base: `child.ts MODULES MODEL COPIES|none STARTED`. MODULES is `src` or what was built
 * of it, STARTED the clock in milliseconds. Prints its phases in seconds, in the order they pass.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type * as RecommendersModule from '../../src/recommenders/index.js';
import type * as TensorModule from '../../src/tensor/index.js';

export interface LoadReport {
  /** From before the process was started to the first token. */
  total: number;
  phases: Record<
    'node' | 'import' | 'engine' | 'header' | 'hash' | 'weights' | 'tokenizer' | 'firstToken',
    number
  >;
  secondForward: number;
  dtype: string;
  promptTokens: number;
  token: number;
  /** sha256 of the logits. */
  logits: string;
  anonymousMB: number;
  fileMB: number;
}

const [modules = '', path = '', folder = 'none', started = ''] = process.argv.slice(2);
let last = Number(started);
const phases: Partial<LoadReport['phases']> = {};
function mark(phase: keyof LoadReport['phases']): void {
  const now = performance.timeOrigin + performance.now();
  phases[phase] = seconds(now - last);
  last = now;
}

mark('node');
const { openBase }: typeof RecommendersModule = await import(`${modules}/recommenders/index.js`);
const tensor: typeof TensorModule = await import(`${modules}/tensor/index.js`);
const { engineInfo, narrow, noGrad, reshape, scope, Tensor } = tensor;
mark('import');
engineInfo();
mark('engine');
phases.hash = 0;
const base = openBase(path, {
  device: 'cpu',
  dtype: 'auto',
  converted: folder === 'none' ? false : folder,
  onStep: mark,
});
const ids = base.tokenizer.encode(
  'The viewer has watched Toy Story, Aladdin, The Lion King, Babe, Apollo 13 and Braveheart. The film this viewer will watch next is',
);
const first = forward(base);
mark('firstToken');
const beforeSecond = performance.now();
forward(base);
const secondForward = seconds(performance.now() - beforeSecond);

const status = readFileSync('/proc/self/status', 'utf8');
const megabytes = (key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
const report: LoadReport = {
  total: seconds(Object.values(phases).reduce((sum, value) => sum + 1000 * value, 0)),
  phases: phases as LoadReport['phases'],
  secondForward,
  dtype: base.dtype,
  promptTokens: ids.length,
  token: first.reduce((best, value, id) => (value > (first[best] as number) ? id : best), 0),
  logits: createHash('sha256').update(Float64Array.from(first)).digest('hex').slice(0, 16),
  anonymousMB: megabytes('RssAnon'),
  fileMB: megabytes('RssFile'),
};
console.log(JSON.stringify(report));

/** Logits after the prompt's last token. */
function forward({ model }: RecommendersModule.Base): number[] {
  return noGrad(() =>
    scope(() => {
      const ids_1T = Tensor.from(BigInt64Array.from(ids, BigInt), [1, ids.length]);
      const states_1TD = model.forward(model.embed(ids_1T));
      const [T, D] = [ids.length, model.config.hiddenSize];
      return model.logits(narrow(reshape(states_1TD, [T, D]), 0, T - 1, 1)).toNumbers();
    }),
  );
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 1e4;
}
