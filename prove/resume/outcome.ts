/**
 * Everything a finished run leaves, and the first place where two runs differ.
 *
 * Times are the one thing that may differ; all else is compared bit by bit.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../src/training/index.js';
import { openSafetensors, readTensorBytes } from '../../src/weights/index.js';

/** Bytes by name: tensors as `FILE: KEY`, lines of the metrics, the rest as text. */
export type Outcome = ReadonlyMap<string, Uint8Array | string>;

const TIMES = ['seconds', 'secondsLeft', 'examplesPerSecond', 'createdAt'];

/** Reads a run folder that was trained to its end, and the encoder trained inside it. */
export function readOutcome(path: string): Outcome {
  const folder = new RunFolder(path);
  const outcome = new Map<string, Uint8Array | string>();
  const tensors = (name: string, file: string): void => {
    for (const [key, stored] of openSafetensors(file).tensors) {
      const shape = `${stored.dtype} [${stored.shape.join(', ')}]`;
      outcome.set(`${name}: ${key}: type`, shape);
      outcome.set(`${name}: ${key}`, readTensorBytes(file, stored));
    }
  };
  const names = readdirSync(folder.checkpoints).sort();
  const last = names.at(-1);
  outcome.set('last checkpoint', last?.slice(0, 13) ?? 'none');
  if (last !== undefined) {
    const inside = join(folder.checkpoints, last);
    tensors('model', join(inside, 'model.safetensors'));
    tensors('optimizer', join(inside, 'optimizer.safetensors'));
    outcome.set('state.json', withoutTimes(join(inside, 'state.json')));
  }
  tensors('best', folder.best);
  const lines = readFileSync(folder.metrics, 'utf8').split('\n');
  outcome.set('metrics: lines', String(lines.length - 1));
  for (const [i, line] of lines.entries())
    outcome.set(`metrics: line ${i + 1}`, line === '' ? '' : stripTimes(line));
  outcome.set('summary.json', withoutTimes(folder.summary));
  const inner = join(path, 'sasrec');
  if (existsSync(inner))
    for (const [name, value] of readOutcome(inner)) outcome.set(`sasrec/${name}`, value);
  return outcome;
}

/** Where two outcomes differ first, in words; undefined where they are equal. */
export function firstDifference(wanted: Outcome, got: Outcome): string | undefined {
  for (const [name, value] of wanted) {
    const other = got.get(name);
    if (other === undefined) return `${name}: missing`;
    if (typeof value === 'string') {
      if (value !== other) return `${name}: ${inWords(value, String(other))}`;
    } else {
      const at = firstDifferentByte(value, other as Uint8Array);
      if (at !== undefined) return `${name}: differs from byte ${at} of ${value.length} on`;
    }
  }
  for (const name of got.keys()) if (!wanted.has(name)) return `${name}: not there before`;
  return undefined;
}

/** Names of everything compared, by kind, for the record. */
export function countOutcome(outcome: Outcome): { tensors: number; bytes: number; lines: number } {
  const tensors = [...outcome.values()].filter((value) => typeof value !== 'string');
  return {
    tensors: tensors.length,
    bytes: tensors.reduce((total, value) => total + (value as Uint8Array).length, 0),
    lines: [...outcome.keys()].filter((name) => /metrics: line \d+$/.test(name)).length,
  };
}

/** The place of two texts where they part. */
function inWords(wanted: string, got: string): string {
  let at = 0;
  while (at < wanted.length && wanted[at] === got[at]) at++;
  const around = (text: string): string =>
    JSON.stringify(text.slice(Math.max(0, at - 30), at + 40));
  return `expected ${around(wanted)}, got ${around(got)} (character ${at})`;
}

function firstDifferentByte(a: Uint8Array, b: Uint8Array): number | undefined {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return undefined;
}

function withoutTimes(file: string): string {
  return stripTimes(readFileSync(file, 'utf8'));
}

function stripTimes(text: string): string {
  const value = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !TIMES.includes(key))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  );
}
