/**
 * One document of settings for several methods: each takes the keys that it has.
 *
 * A row of the study is a variant: a method under a name, with settings of its own over the study's. A method that is
 * only named is a variant of itself. What draws random numbers is run once per seed.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { type Protocol, protocols } from '../data/index.js';
import { faults, show } from '../errors/index.js';
import { camelKeys, isObject, snakeCase } from '../files/index.js';
import {
  COMPARED,
  DEFAULT_ENCODER,
  DEFAULT_MEMBERS,
  MAIN,
  METHOD_NAMES,
  METHODS,
  type Method,
  methodNamed,
  settingsSchema,
} from '../recommenders/index.js';
import { pickKeys, resolveSettings, type Settings } from '../training/index.js';

/** One training run of a study. */
export interface VariantRun {
  /** Of its folder in the study's: that of the variant, or NAME-seed-S where it has several seeds. */
  name: string;
  seed: number;
  settings: Settings;
}

/** One row of a study. */
export interface Variant {
  /** In folders and output. */
  name: string;
  /** In tables and charts. */
  label: string;
  method: Method;
  /** What it is measured under. */
  protocols: readonly Protocol[];
  /** One per seed; a method that draws no random numbers has one. */
  runs: readonly VariantRun[];
}

/** What several methods are run with. */
export interface StudySettings {
  /** In the registry's order of their methods: encoders before the methods that need them. */
  variants: readonly Variant[];
  /** What the study is about; the others are held against it. */
  main: Variant;
  /** Names of further variants to be compared, two and two. */
  pairs: readonly (readonly [string, string])[];
  /** In the order of their first use. */
  protocols: readonly Protocol[];
  /** Of what all have alike. */
  common: Pick<Settings, 'data' | 'device'> & {
    seeds: readonly number[];
    /** The study's own folder. */
    out: string;
    /** Name or path of the language model, if a method needs one. */
    base?: string;
  };
  /** As it was given, for the report. */
  document: Readonly<Record<string, unknown>>;
}

type Keys = Record<string, unknown>;

const seedList = z
  .array(z.int().min(0))
  .min(1)
  .refine((seeds) => new Set(seeds).size === seeds.length, 'expected different seeds');
const protocolList = z
  .array(z.enum(protocols))
  .min(1)
  .refine((names) => new Set(names).size === names.length, 'expected different protocols');

/** Keys of a study beside those of its methods. */
const studySchema = z.object({
  methods: z
    .union([z.string().transform((name) => [name]), z.array(z.unknown()).min(1)])
    .optional(),
  variants: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_-]*$/i, 'expected letters, digits, - and _'),
      z.looseObject({
        method: z.string(),
        label: z.string().min(1).optional(),
        seeds: seedList.optional(),
        protocols: protocolList.optional(),
      }),
    )
    .optional(),
  seeds: seedList.optional(),
  protocols: protocolList.default(['window']),
  main: z.string().optional(),
  pairs: z.array(z.tuple([z.string(), z.string()])).default([]),
  title: z.unknown().optional(),
});

/** A variant as it was asked for. */
interface Asked {
  name: string;
  label: string;
  method: Method;
  seeds: readonly number[];
  protocols: readonly Protocol[];
  /** The study's keys with the variant's over them. */
  keys: Keys;
}

/**
 * Settings of all variants of a study.
 *
 * @param document the keys of all methods together; `methods` and `variants` name the rows, else a comparison's usual
 *   methods are taken
 * @param where    file, for messages
 * @throws IloraError `settings` listing keys that no method has, and every fault of each
 */
export function studySettings(document: Keys, where: string): StudySettings {
  const { own, given } = partsOf(document, where);
  const { out } = given;
  const asked = variantsOf(own, given, where);
  const lines = [...unknownKeys(asked, own, given), ...clashes(asked)];
  if (lines.length > 0) throw faults('settings', where, lines);
  if (typeof out !== 'string' || out === '')
    throw faults('settings', where, [`out: expected the folder of the study, got ${show(out)}`]);
  const variants: Variant[] = [];
  for (const { name, label, method, protocols, seeds, keys } of asked) {
    const runs = seeds.map((seed) => {
      const run = seeds.length === 1 ? name : `${name}-seed-${seed}`;
      const input = {
        ...pickKeys(settingsSchema(method).shape, keys),
        ...(method.needs.encoder && { encoder: encoderOf(keys, { seed, variants, where }) }),
        ...(method.needs.members && { members: membersOf(keys, seed, variants) }),
        ...{ method: method.name, seed, out: join(out, run) },
      };
      return { name: run, seed, settings: resolveSettings(input, `${where} (${run})`) };
    });
    variants.push({ name, label, method, protocols, runs });
  }
  const all = variants.flatMap(({ runs }) => runs.map(({ settings }) => settings));
  const base = oneBase(all, where);
  const { data, device } = all[0]!;
  return {
    variants,
    main: mainOf(variants, own.main, where),
    pairs: pairsOf(variants, own.pairs, where),
    protocols: protocols.filter((one) => variants.some(({ protocols }) => protocols.includes(one))),
    common: {
      ...{ data, out, device, seeds: own.seeds },
      ...(base !== undefined && { base }),
    },
    document,
  };
}

/** What the study is about: what it says, else the usual main method, or the last one. */
function mainOf(variants: readonly Variant[], said: string | undefined, where: string): Variant {
  const usual = variants.find(({ method }) => method === MAIN) ?? variants.at(-1)!;
  const main = said === undefined ? usual : variants.find(({ name }) => name === said);
  if (main !== undefined) return main;
  const names = variants.map(({ name }) => name).join(', ');
  throw faults('settings', where, [`main: expected one of ${names}, got ${show(said)}`]);
}

/** @throws IloraError `settings` for a name that no variant has, or one that is compared with itself */
function pairsOf(
  variants: readonly Variant[],
  said: readonly (readonly [string, string])[],
  where: string,
): readonly (readonly [string, string])[] {
  const names = variants.map(({ name }) => name);
  const wrong = said.filter(
    ([first, second]) => first === second || !names.includes(first) || !names.includes(second),
  );
  if (wrong.length === 0) return said;
  throw faults('settings', where, [
    `pairs: expected two different of ${names.join(', ')}, got ${show(wrong)}`,
  ]);
}

/** The study's own keys, and what is its methods'. The names of variants are no keys and stay as they are. */
function partsOf(document: Keys, where: string) {
  const { variants, ...rest } = document;
  const keys = camelKeys(rest) as Keys;
  const named = isObject(variants)
    ? Object.fromEntries(Object.entries(variants).map(([name, one]) => [name, camelKeys(one)]))
    : variants;
  const parsed = studySchema.safeParse({
    ...keys,
    ...(named !== undefined && { variants: named }),
  });
  const isTwice = keys.seed !== undefined && keys.seeds !== undefined;
  const lines = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`),
    ...(isTwice ? ['seed: expected seed or seeds, got both'] : []),
  ];
  if (!parsed.success || lines.length > 0) throw faults('settings', where, lines);
  const given = Object.fromEntries(
    Object.entries(keys).filter(([key]) => !(key in studySchema.shape) && key !== 'seed'),
  );
  const seeds = parsed.data.seeds ?? [(keys.seed as number | undefined) ?? 1];
  return { own: { ...parsed.data, seeds }, given };
}

type Own = ReturnType<typeof partsOf>['own'];

/** Every row, encoders first. */
function variantsOf(own: Own, given: Keys, where: string): Asked[] {
  const { variants = {}, seeds, protocols } = own;
  const named = Object.entries(variants);
  const methods = own.methods ?? (named.length > 0 ? [] : COMPARED.map(({ name }) => name));
  const wrong = [...methods, ...named.map(([, { method }]) => method)].filter(
    (name) => !METHOD_NAMES.includes(name as string),
  );
  if (wrong.length > 0)
    throw faults('settings', where, [
      `methods: expected names of ${METHOD_NAMES.join(', ')}, got ${show(wrong)}`,
    ]);
  const plain = METHODS.filter(({ name }) => methods.includes(name)).map(
    (method): Asked => ({
      ...{ name: method.name, label: method.label, method, protocols },
      seeds: seedsOf(method, seeds),
      keys: given,
    }),
  );
  const others = named.map(([name, { method: methodName, label = name, ...more }]): Asked => {
    const { seeds: ownSeeds, protocols: ownProtocols, ...overrides } = more;
    const method = methodNamed(methodName);
    return {
      ...{ name, label, method, protocols: ownProtocols ?? protocols },
      seeds: seedsOf(method, ownSeeds ?? seeds),
      keys: merged(given, overrides) as Keys,
    };
  });
  const order = (method: Method): number => METHOD_NAMES.indexOf(method.name);
  return [...plain, ...others].sort((a, b) => order(a.method) - order(b.method));
}

/** One seed is enough for what draws no random numbers. */
function seedsOf({ learning, isRandom, needs }: Method, seeds: readonly number[]) {
  const isFixed = learning.kind === 'fit' && isRandom !== true && !needs.encoder && !needs.members;
  return isFixed ? seeds.slice(0, 1) : seeds;
}

/** A document with another over it, section by section. */
function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key in above ? merged(below[key], above[key]) : below[key]]),
  );
}

/** What all variants must have alike. */
const COMMON = ['data', 'out', 'seed', 'device'];

/** Keys that no method of the study has, and keys of a variant that it does not have or that are the study's. */
function unknownKeys(asked: readonly Asked[], { variants = {} }: Own, given: Keys): string[] {
  const ofStudy = leftovers(
    given,
    asked.flatMap(({ method }) => picksOf(method, given)),
  );
  const ofVariants = Object.entries(variants).flatMap(([name, variant]) => {
    const { method, label: _, seeds: __, protocols: ___, ...overrides } = variant;
    const path = `variants.${name}.`;
    return [
      ...leftovers(overrides, picksOf(methodNamed(method), overrides), path),
      ...COMMON.filter((key) => key in overrides).map((key) => `${path}${key}`),
    ];
  });
  return [
    ...ofStudy.map((key) => `${key}: expected no such key of the study's methods`),
    ...ofVariants.map((key) => `${key}: expected no such key of the variant`),
  ];
}

/** Names, folders and labels that two rows have. */
function clashes(asked: readonly Asked[]): string[] {
  const folders = asked.flatMap(({ name, seeds }) =>
    seeds.length === 1 ? [name] : seeds.map((seed) => `${name}-seed-${seed}`),
  );
  return [
    ...repeated([...folders, 'evaluations']).map(
      (name) => `variants.${name}: expected a name that no other run has`,
    ),
    ...repeated(asked.map(({ label }) => label)).map(
      (label) => `variants: expected different labels, got ${show(label)} twice`,
    ),
  ];
}

const repeated = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, i) => names.indexOf(name) < i)),
];

/** Of a document, what a method takes: its own keys, and those of an encoder that would be trained for it. */
function picksOf(method: Method, document: Keys): Keys[] {
  const own = pickKeys(settingsSchema(method).shape, document);
  const encoder = method.needs.encoder ? encoderMethod(document) : undefined;
  return encoder === undefined ? [own] : [own, pickKeys(encoder.shape, document)];
}

function encoderMethod({ encoder }: Keys): Method | undefined {
  if (typeof encoder === 'string') return undefined;
  const name = (isObject(encoder) ? encoder.method : undefined) ?? DEFAULT_ENCODER.name;
  return METHODS.find((method) => method.name === name);
}

/**
 * The encoder of a run: the folder that was said; or that of the study's own run of the very settings, with the same
 * seed; or settings, to be trained beside the run.
 */
function encoderOf(
  keys: Keys,
  { seed, variants, where }: { seed: number; variants: readonly Variant[]; where: string },
): unknown {
  const method = encoderMethod(keys);
  if (method === undefined) return keys.encoder;
  const own = merged(pickKeys(method.shape, keys), keys.encoder ?? {}) as Keys;
  const settings = { ...own, method: method.name };
  const runs = variants.flatMap((variant) => (variant.method === method ? variant.runs : []));
  const common = pickKeys(method.schema.shape, keys);
  const wanted = identity(resolveSettings({ ...common, ...settings, seed }, `${where} (encoder)`));
  const found = runs.find((run) => identity(run.settings) === wanted);
  return found?.settings.out ?? settings;
}

/** Settings as a text that is the same for the very settings, wherever they are run. */
const identity = ({ out: _, ...settings }: Settings): string => JSON.stringify(settings);

/** @throws IloraError `settings` where methods ask for several bases: they share one */
function oneBase(all: readonly Settings[], where: string): string | undefined {
  const bases = all.flatMap(({ base, dtype }) => (base === undefined ? [] : [[base, dtype]]));
  const different = new Set(bases.map((base) => base.join(', ')));
  if (different.size > 1)
    throw faults('settings', where, [
      `base: expected one base and dtype for all methods, got ${[...different].join('; ')}`,
    ]);
  return bases[0]?.[0];
}

/**
 * The members of a run as they were given. Names of the study's own rows stand for their runs, of the same seed where
 * there are several.
 */
function membersOf({ members: given }: Keys, seed: number, variants: readonly Variant[]): unknown {
  const members = given ?? DEFAULT_MEMBERS.map(({ name }) => name);
  if (!Array.isArray(members)) return members;
  return members.map((member: unknown) => {
    const name = isObject(member) && Object.keys(member).length === 1 ? member.method : member;
    const found = variants.find((variant) => variant.name === name);
    const run = found?.runs.find((one) => one.seed === seed) ?? found?.runs[0];
    return run?.settings.out ?? (given === undefined ? { method: name } : member);
  });
}

/** Paths of keys that are in none of the picks. */
function leftovers(given: object, picks: readonly unknown[], path = ''): string[] {
  return Object.entries(given).flatMap(([key, value]) => {
    const inner = picks.flatMap((pick) => {
      const has = typeof pick === 'object' && pick !== null && key in pick;
      return has ? [(pick as Record<string, unknown>)[key]] : [];
    });
    const at = `${path}${snakeCase(key)}`;
    if (inner.length === 0) return [at];
    return isObject(value) ? leftovers(value, inner, `${at}.`) : [];
  });
}
