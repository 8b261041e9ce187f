/**
 * One document of settings for several methods: each takes the keys that it has.
 */
import { join } from 'node:path';
import { faults, show } from '../errors/index.js';
import { camelKeys, snakeCase } from '../files/index.js';
import {
  COMPARED,
  DEFAULT_ENCODER,
  DEFAULT_MEMBERS,
  METHOD_NAMES,
  METHODS,
  type Method,
  settingsSchema,
} from '../recommenders/index.js';
import { pickKeys, resolveSettings, type Settings } from '../training/index.js';

/** What several methods are run with. */
export interface StudySettings {
  /** In the registry's order: encoders before the methods that need them, nothing twice. */
  methods: readonly Method[];
  /** Of each method, by its name; its run folder is OUT/(its name). */
  settings: ReadonlyMap<string, Settings>;
  /** Of what all have alike. */
  common: Pick<Settings, 'data' | 'seed' | 'device'> & {
    /** The study's own folder. */
    out: string;
    /** Name or path of the language model, if a method needs one. */
    base?: string;
  };
  /** As it was given, for the report. */
  document: Readonly<Record<string, unknown>>;
}

/**
 * Settings of all methods of a study.
 *
 * @param document the keys of all methods together; `methods` names them, else a comparison's usual ones are taken
 * @param where    file, for messages
 * @throws IloraError `settings` listing keys that no method has, and every fault of each
 */
export function studySettings(document: Record<string, unknown>, where: string): StudySettings {
  const { methods: names, title: _, ...given } = camelKeys(document) as Record<string, unknown>;
  const methods = methodsOf(names, where);
  const shapes = methods.map((method) => settingsSchema(method).shape);
  const unknown = leftovers(
    given,
    shapes.map((shape) => pickKeys(shape, given)),
  );
  if (unknown.length > 0) {
    const lines = unknown.map((key) => `${key}: expected no such key of the study's methods`);
    throw faults('settings', where, lines);
  }
  const { out } = given;
  if (typeof out !== 'string' || out === '')
    throw faults('settings', where, [`out: expected the folder of the study, got ${show(out)}`]);
  const settings = new Map<string, Settings>();
  for (const [i, method] of methods.entries()) {
    const own = pickKeys(shapes[i] ?? {}, given);
    const encoder = method.needs.encoder ? { encoder: encoderOf(given.encoder, methods, out) } : {};
    const members = method.needs.members ? { members: membersOf(given.members, methods, out) } : {};
    const { name } = method;
    const input = { ...own, ...encoder, ...members, method: name, out: join(out, name) };
    settings.set(name, resolveSettings(input, `${where} (${name})`));
  }
  const [first] = settings.values();
  if (first === undefined) throw faults('settings', where, ['methods: expected at least one']);
  const { data, seed, device } = first;
  const base = [...settings.values()].find((own) => own.base !== undefined)?.base;
  const common = { data, out, seed, device, ...(base !== undefined && { base }) };
  return { methods, settings, common, document };
}

function methodsOf(names: unknown, where: string): readonly Method[] {
  if (names === undefined) return COMPARED;
  const list = Array.isArray(names) ? names : [names];
  const wrong = list.filter((name) => !METHOD_NAMES.includes(name as string));
  if (wrong.length > 0 || list.length === 0)
    throw faults('settings', where, [
      `methods: expected names of ${METHOD_NAMES.join(', ')}, got ${show(wrong.length > 0 ? wrong : names)}`,
    ]);
  return METHODS.filter(({ name }) => list.includes(name));
}

/** The encoder's run in the study's folder if the study trains it, else as it was given. */
function encoderOf(given: unknown, methods: readonly Method[], out: string): unknown {
  const name = (given as { method?: unknown } | undefined)?.method ?? DEFAULT_ENCODER.name;
  const isOwn = typeof given !== 'string' && methods.some((method) => method.name === name);
  return isOwn ? join(out, String(name)) : given;
}

/** As they were given; those named by their method alone are the study's own runs, if it trains them. */
function membersOf(given: unknown, methods: readonly Method[], out: string): unknown {
  const members = given ?? DEFAULT_MEMBERS.map(({ name }) => ({ method: name }));
  if (!Array.isArray(members)) return members;
  return members.map((member: unknown) => {
    if (typeof member !== 'object' || member === null) return member;
    const { method: name, ...others } = member as { method?: unknown };
    const isOwn =
      Object.keys(others).length === 0 && methods.some((method) => method.name === name);
    return isOwn ? join(out, String(name)) : member;
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
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isSection ? leftovers(value, inner, `${at}.`) : [];
  });
}
