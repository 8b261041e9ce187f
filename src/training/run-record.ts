/**
 * `run.json`: what a run was begun with.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../data/index.js';
import { faults, mismatch } from '../errors/index.js';
import { readText } from '../files/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import { parseObject, RunFolder } from './run-folder.js';
import { resolveSettings, type Settings } from './settings.js';

/** What `run.json` holds: everything needed to open or repeat the run. */
export interface RunRecord {
  format: 'ilora-run-1';
  settings: Settings;
  dataset: { name: string; hash: string };
  base?: { path: string; sha256: string; dtype: string };
  /** Relative to the run folder. */
  recommender?: string;
  /** Of the recommender's best weights; absent from runs of earlier versions. */
  recommenderSha256?: string;
  engine: { libtorch: string; threads: number; device: string; processor: string };
}

/** The record of a run that begins now. */
export function describe(settings: Settings, dataset: Dataset): RunRecord {
  const { libtorch, threads } = engineInfo();
  return {
    format: 'ilora-run-1',
    // Absolute, so that the run can be opened from anywhere.
    settings: { ...settings, data: resolve(settings.data) },
    dataset: { name: dataset.manifest.name, hash: dataset.hash },
    engine: {
      libtorch: libtorch.version,
      threads,
      device: settings.device,
      processor: processorName(),
    },
  };
}

/**
 * Writes `run.json`, or checks that a resumed run asks for what it was begun with.
 * @throws IloraError `settings` if it does not
 */
export function begin(folder: RunFolder, record: RunRecord, resume: boolean): void {
  folder.prepare(resume); // once more, now that nobody else writes here
  if (!existsSync(folder.run)) {
    folder.writeJson(folder.run, { ...record, sha256: sealOf(record) });
    return;
  }
  const earlier = readRecord(folder.path);
  for (const key of ['settings', 'dataset', 'base', 'recommenderSha256'] as const) {
    const [was, is] = [earlier[key], record[key]];
    if (key === 'recommenderSha256' && was === undefined) continue;
    if (JSON.stringify(strip(was)) === JSON.stringify(strip(is))) continue;
    const what = key === 'recommenderSha256' ? 'recommender' : key;
    throw mismatch('settings', {
      where: key === 'base' ? (record.base?.path ?? folder.path) : folder.path,
      expected: `the ${what} the run was begun with${hashOf(was)}`,
      got: `others${hashOf(is)}`,
      hint: `compare with ${folder.run}`,
    });
  }
}

/** The hash in a part of the record, for messages. */
function hashOf(part: unknown): string {
  const { hash, sha256 } = (typeof part === 'object' ? part : { hash: part }) as {
    hash?: string;
    sha256?: string;
  };
  const text = hash ?? sha256;
  return text === undefined ? '' : ` (${text.slice(0, 12)})`;
}

/** Paths may be written another way when a run is resumed. */
function strip(value: unknown): unknown {
  if (typeof value === 'string') return value;
  const { out, data, path, recommender, ...rest } = (value ?? {}) as Record<string, unknown>;
  void [out, data, path, recommender];
  return rest;
}

const text = z.string();
/** What `run.json` must hold beside the settings, which have a schema of their own. */
const recordSchema = z.looseObject({
  format: z.literal('ilora-run-1'),
  dataset: z.looseObject({ name: text, hash: text }),
  base: z.looseObject({ path: text, sha256: text, dtype: text }).optional(),
  recommender: text.optional(),
  recommenderSha256: text.optional(),
  engine: z.looseObject({ libtorch: text, threads: z.number(), device: text, processor: text }),
});

/** Reads and checks `run.json`. @throws IloraError `file`, `format` or `settings`, listing every fault */
export function readRecord(path: string): RunRecord {
  const file = new RunFolder(path).run;
  const json = readText(file, { expected: 'the record of a training run' });
  const content = unsealed(parseObject(json, file), json, file);
  const parsed = recordSchema.safeParse(content);
  if (!parsed.success)
    throw faults(
      'format',
      file,
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  const settings = resolveSettings(content.settings, `${file}: settings`);
  if (settings.method !== 'sasrec' && parsed.data.base === undefined)
    throw mismatch('format', { where: `${file}: base`, expected: 'an object', got: undefined });
  return { ...(parsed.data as unknown as RunRecord), settings };
}

/** Hash of a record that stands in it, so that a changed byte is noticed. */
function sealOf(record: object): string {
  return createHash('sha256').update(JSON.stringify(record)).digest('hex');
}

const KEYS = [...Object.keys(recordSchema.shape), 'settings'];

/**
 * A record without its seal. One of an earlier version has none; an unknown key would be a damaged one.
 * @throws IloraError `format` if a byte was changed
 */
function unsealed(
  { sha256, ...record }: Record<string, unknown>,
  json: string,
  file: string,
): Record<string, unknown> {
  const isWhole =
    sha256 === undefined
      ? Object.keys(record).every((key) => KEYS.includes(key))
      : sha256 === sealOf(record) && json === `${JSON.stringify({ ...record, sha256 }, null, 2)}\n`;
  if (isWhole) return record;
  throw mismatch('format', {
    where: file,
    expected: 'the record as it was written',
    got: 'another: the file was damaged or edited',
    hint: 'put it back from a copy',
  });
}
