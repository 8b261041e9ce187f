/**
 * `run.json`: what a run was begun with.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../data/index.js';
import { faults, mismatch } from '../errors/index.js';
import { camelKeys, readText, snakeKeys } from '../files/index.js';
import {
  DEFAULT_ENCODER,
  METHOD_NAMES,
  METHODS,
  type Method,
  methodNamed,
  settingsSchema,
} from '../recommenders/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import { parseObject, RunFolder } from './run-folder.js';
import { pickKeys, resolveSettings, type Settings } from './settings.js';

/** What `run.json` holds: everything needed to open or repeat the run. */
export interface RunRecord {
  format: 'ilora-run-2';
  settings: Settings;
  dataset: { name: string; hash: string };
  base?: { path: string; sha256: string; dtype: string };
  /** The run of the encoder behind gate and slots. */
  encoder?: {
    /** Relative to the run folder. */
    path: string;
    /** Of its best weights; absent from runs of earlier versions. */
    sha256?: string;
  };
  /** The runs that the method combines, in the order of its settings. */
  members?: readonly {
    /** Relative to the run folder. */
    path: string;
    /** Of its best weights. */
    sha256: string;
  }[];
  /** Hash of the prompt template, of methods that read titles; absent from runs of earlier versions. */
  prompt?: { sha256: string };
  engine: { libtorch: string; threads: number; device: string; processor: string };
}

/** The record of a run that begins now. */
export function describe(settings: Settings, dataset: Dataset): RunRecord {
  const { libtorch, threads } = engineInfo();
  return {
    format: 'ilora-run-2',
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
    const document = snakeKeys(record) as object;
    folder.writeJson(folder.run, { ...document, sha256: sealOf(document) });
    return;
  }
  expectSame(folder, record, ['settings', 'dataset', 'base', 'encoder', 'members', 'prompt']);
}

/** @throws IloraError `settings` if one of these parts of the record in the folder is another */
export function expectSame(
  folder: RunFolder,
  record: Pick<RunRecord, 'settings'> & Partial<RunRecord>,
  keys: readonly ('settings' | 'dataset' | 'base' | 'encoder' | 'members' | 'prompt')[],
): void {
  const earlier = readRecord(folder.path);
  for (const key of keys) {
    const [was, is] = [earlier[key], record[key]];
    if ((key === 'encoder' || key === 'prompt') && earlier[key]?.sha256 === undefined) continue;
    const isSame = JSON.stringify(strip(was, earlier)) === JSON.stringify(strip(is, earlier));
    if (isSame) continue;
    throw mismatch('settings', {
      where: key === 'base' ? (record.base?.path ?? folder.path) : folder.path,
      expected: `the ${key} the run was begun with${hashOf(was)}`,
      got: `others${hashOf(is)}`,
      hint: `compare with ${folder.run}`,
    });
  }
}

/** The hash in a part of the record, for messages. */
function hashOf(part: unknown): string {
  const { hash, sha256 } = (part ?? {}) as { hash?: string; sha256?: string };
  const text = hash ?? sha256;
  return text === undefined ? '' : ` (${text.slice(0, 12)})`;
}

/** Paths may be written another way when a run is resumed; a template is compared by its hash, if there is one. */
function strip(value: unknown, earlier: RunRecord): unknown {
  if (Array.isArray(value)) return value.map((each) => strip(each, earlier));
  const { out, data, path, encoder, members, prompt, ...rest } = (value ?? {}) as Record<
    string,
    unknown
  >;
  void [out, data, path];
  return {
    ...rest,
    ...(typeof encoder === 'object' && { encoder }),
    ...(Array.isArray(members) && { members: members.filter((each) => typeof each === 'object') }),
    ...(earlier.prompt === undefined && { prompt }),
  };
}

const text = z.string();
/** What `run.json` must hold beside the settings, which have a schema of their own. */
const commonShape = {
  dataset: z.looseObject({ name: text, hash: text }),
  base: z.looseObject({ path: text, sha256: text, dtype: text }).optional(),
  engine: z.looseObject({ libtorch: text, threads: z.number(), device: text, processor: text }),
};
const recordSchema = z.discriminatedUnion('format', [
  z.looseObject({
    format: z.literal('ilora-run-1'),
    ...commonShape,
    recommender: text.optional(),
    recommenderSha256: text.optional(),
  }),
  z.looseObject({
    format: z.literal('ilora-run-2'),
    ...commonShape,
    encoder: z.looseObject({ path: text, sha256: text.optional() }).optional(),
    members: z
      .array(z.looseObject({ path: text, sha256: text }))
      .min(1)
      .optional(),
    prompt: z.looseObject({ sha256: text }).optional(),
  }),
]);

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
  const { data } = parsed;
  const isEarlier = data.format === 'ilora-run-1';
  const settings = resolveSettings(
    asTheyWere(isEarlier ? settingsOfFormat1(content.settings) : content.settings),
    `${file}: settings`,
  );
  const { needs } = methodNamed(settings.method);
  if (needs.base && data.base === undefined)
    throw mismatch('format', { where: `${file}: base`, expected: 'an object', got: undefined });
  const encoder = isEarlier
    ? { path: data.recommender ?? DEFAULT_ENCODER.name, sha256: data.recommenderSha256 }
    : data.encoder;
  const prompt = isEarlier ? undefined : data.prompt;
  if (needs.encoder && encoder === undefined)
    throw mismatch('format', { where: `${file}: encoder`, expected: 'an object', got: undefined });
  const members = isEarlier ? undefined : data.members;
  if (needs.members && members === undefined)
    throw mismatch('format', { where: `${file}: members`, expected: 'a list', got: undefined });
  return {
    format: 'ilora-run-2',
    settings,
    dataset: { name: data.dataset.name, hash: data.dataset.hash },
    ...(data.base && {
      base: { path: data.base.path, sha256: data.base.sha256, dtype: data.base.dtype },
    }),
    ...(needs.encoder && encoder && { encoder: withoutUndefined(encoder) }),
    ...(members && { members: members.map(({ path, sha256 }) => ({ path, sha256 })) }),
    ...(prompt && { prompt: { sha256: prompt.sha256 } }),
    engine: data.engine,
  };
}

/** Recorded settings, where their method says that a key they lack meant another thing than its default now. */
function asTheyWere(settings: unknown): unknown {
  const given = camelKeys(settings ?? {}) as Record<string, unknown>;
  const method = METHODS.find(({ name }) => name === given.method) as Method | undefined;
  return method?.fromEarlier?.(given) ?? settings;
}

function withoutUndefined({ path, sha256 }: { path: string; sha256?: string | undefined }) {
  return sha256 === undefined ? { path } : { path, sha256 };
}

/**
 * Settings of format 1 as a method has them now. There every method had the keys of all, there was only one encoder,
 * and the prompt had another name.
 */
function settingsOfFormat1(settings: unknown): unknown {
  const old = { ...(settings as Record<string, unknown> | null) };
  if (!METHOD_NAMES.includes(old.method as string)) return settings;
  const method = methodNamed(old.method as string);
  const ofEncoder = { ...old, ...DEFAULT_ENCODER.fromFormat1?.(old) };
  const encoder = { ...pickKeys(DEFAULT_ENCODER.shape, ofEncoder), method: DEFAULT_ENCODER.name };
  return pickKeys(settingsSchema(method).shape, {
    ...old,
    ...method.fromFormat1?.(old),
    prompt: old.domain,
    encoder: old.recommender ?? encoder,
  });
}

/** Hash of a record that stands in it, so that a changed byte is noticed. */
function sealOf(record: object): string {
  return createHash('sha256').update(JSON.stringify(record)).digest('hex');
}

const KEYS = [
  'format',
  'settings',
  ...Object.keys(commonShape),
  ...['recommender', 'recommenderSha256', 'encoder'],
];

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
