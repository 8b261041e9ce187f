/**
 * Settings of `ilora train`: every method's own schema, one check, one published JSON Schema.
 *
 * In files and messages keys are snake_case, in the program camelCase; a file may use either.
 */
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { faults, show } from '../errors/index.js';
import { camelCase, camelKeys, parseYaml, readText, snakeCase, snakeKeys } from '../files/index.js';
import {
  type CommonSettings,
  commonShape,
  METHOD_NAMES,
  METHODS,
  type Method,
  methodNamed,
  settingsSchema,
} from '../recommenders/index.js';

/** What is run: every default filled in, the preset's too. A method knows what else its own settings hold. */
export type Settings = CommonSettings;

/** Keys of earlier versions, by what they are now. */
const RENAMED: Readonly<Record<string, string>> = { recommender: 'encoder', domain: 'prompt' };

/**
 * Checks settings and fills in defaults.
 * @param input keys in either spelling
 * @param where file, for messages
 * @throws IloraError `settings` listing every fault
 */
export function resolveSettings(input: unknown, where: string): Settings {
  if (!isObject(input)) throw faults('settings', where, [`expected keys, got ${show(input)}`]);
  const lines = twiceSpelled(input);
  const keys = camelKeys(input) as Record<string, unknown>;
  const method = METHODS.find(({ name }) => name === keys.method);
  if (method === undefined) throw faults('settings', where, [...lines, ...methodFaults(keys)]);
  const parsed = settingsSchema(method).safeParse(keys);
  if (!parsed.success)
    lines.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, keys, method)));
  if (lines.length > 0 || !parsed.success) throw faults('settings', where, lines);
  const { settings, faults: misfits } = resolved(method, parsed.data as unknown as CommonSettings);
  if (misfits.length > 0) throw faults('settings', where, misfits);
  return settings;
}

/** What is wrong with settings of a method that is none; those of one that is nearly one are checked as its. */
function methodFaults(keys: Record<string, unknown>): string[] {
  const { method: got, ...rest } = keys;
  const name = typeof got === 'string' ? closest(got, METHOD_NAMES) : '';
  const isNear = name !== '' && distance(String(got), name) <= MAX_SLIPS;
  const lines = [
    `method: expected ${METHOD_NAMES.join(', ')}, got ${show(got)}${isNear ? ` — is ${name} meant?` : ''}`,
  ];
  if (isNear) {
    const meant = methodNamed(name);
    const parsed = settingsSchema(meant).safeParse({ ...rest, method: name });
    const issues = parsed.error?.issues ?? [];
    return [...lines, ...issues.flatMap((issue) => describeIssue(issue, rest, meant))];
  }
  const { error } = z.looseObject(commonShape).safeParse(rest);
  lines.push(...(error?.issues ?? []).flatMap((issue) => describeIssue(issue, rest, undefined)));
  const known = METHODS.flatMap((method) => Object.keys(settingsSchema(method).shape));
  const unknown = Object.keys(rest).filter((key) => !known.includes(key));
  return [...lines, ...unknown.map((key) => unknownKey([], key, undefined))];
}

/** Letters that may be wrong in the name of a method. */
const MAX_SLIPS = 2;

/** Settings with what depends on others filled in, those of an encoder or members to be trained too. */
function resolved(
  method: Method,
  settings: CommonSettings,
): { settings: CommonSettings; faults: readonly string[] } {
  const own = method.resolve?.(settings) ?? { settings, faults: [] };
  const { encoder, members = [] } = own.settings;
  const lines = [['encoder', encoder] as const, ...members.map(memberAt)].flatMap(([at, inner]) => {
    if (typeof inner !== 'object') return [];
    const found = methodNamed(inner.method).resolve?.({ ...own.settings, ...inner });
    return found?.faults.map((line) => `${at}.${line}`) ?? [];
  });
  return { settings: own.settings, faults: [...own.faults, ...lines] };
}

const memberAt = <T>(member: T, m: number) => [`members.${m}`, member] as const;

/** Reads a YAML (or JSON) file of settings. @throws IloraError `file` or `settings` */
export function readSettings(path: string, overrides: Record<string, unknown> = {}): Settings {
  return resolveSettings({ ...readDocument(path), ...overrides }, path);
}

/** Keys and values of a YAML (or JSON) file. @throws IloraError `file` or `settings` */
export function readDocument(path: string): Record<string, unknown> {
  const text = readText(path, { expected: 'a settings file', maxBytes: MAX_SETTINGS_BYTES });
  const input = parseYaml(text, path);
  if (isObject(input)) return input;
  throw faults('settings', path, [`expected keys and values, got ${show(input)}`]);
}

/** Far more than anyone writes by hand. */
const MAX_SETTINGS_BYTES = 1 << 18;

/** JSON Schema of a settings file, for editors: one form per method. */
export function settingsJsonSchema(): Record<string, unknown> {
  const forms = METHODS.map((method) => methodJsonSchema(method));
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', oneOf: forms };
}

/** JSON Schema of the settings of one method. */
export function methodJsonSchema(method: Method): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(settingsSchema(method), { io: 'input' });
  return { title: method.label, ...(snakeProperties(schema) as Record<string, unknown>) };
}

/** A schema whose properties are named as files name them. */
function snakeProperties(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(snakeProperties);
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties' && isObject(value))
        return [
          key,
          Object.fromEntries(
            Object.entries(value).map(([name, inner]) => [snakeCase(name), snakeProperties(inner)]),
          ),
        ];
      if (key === 'required') return [key, (value as string[]).map(snakeCase)];
      return key === 'default' ? [key, snakeKeys(value)] : [key, snakeProperties(value)];
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys that stand there in both spellings. */
function twiceSpelled(value: unknown, path = ''): string[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const camel = camelCase(key);
    const isTwice = camel !== key && camel in value;
    const line = `${path}${key}: expected the key once, got it as ${camel} too`;
    return [...(isTwice ? [line] : []), ...twiceSpelled(inner, `${path}${key}.`)];
  });
}

function describeIssue(
  issue: z.core.$ZodIssue,
  input: unknown,
  method: Method | undefined,
): string[] {
  const path = issue.path.map((key) => snakeCase(String(key))).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(issue.path.map(String), key, method));
  const got = issue.path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    input,
  );
  // Of several forms, only the one that the value chose has something to say.
  if (issue.code === 'invalid_union' && isObject(got)) {
    const form = issue.errors.find((faults) => faults.every(({ path }) => path.length > 0));
    const inner = form?.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
    if (inner !== undefined)
      return inner.flatMap((each) => describeIssue(each as z.core.$ZodIssue, input, method));
  }
  const at = path === '' ? '(top)' : path;
  return [
    `${at}: ${issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '')}, got ${show(got)}`,
  ];
}

/** What to say of a key that a method does not have, and who has it. */
function unknownKey(path: readonly string[], key: string, method: Method | undefined): string {
  const at = [...path, key].map(snakeCase).join('.');
  const owners = METHODS.filter((other) => hasKey(settingsSchema(other), [...path, key]));
  const renamed = path.length === 0 ? RENAMED[key] : undefined;
  if (renamed !== undefined) return `${at}: expected no such key — it is ${renamed} now`;
  if (owners.length === 0 || method === undefined) return `${at}: expected no such key`;
  const names = owners.map(({ name }) => name).join(', ');
  return `${at}: expected no such key of ${method.name} — it belongs to ${names}`;
}

/** Whether a schema has a key at a path of sections. */
function hasKey(schema: z.ZodType, [first, ...rest]: readonly string[]): boolean {
  const inner = sectionOf(schema)?.shape[first as string];
  if (inner === undefined) return false;
  return rest.length === 0 || hasKey(inner as z.ZodType, rest);
}

/** Of a document, the keys that a method's shape has, in its sections too. */
export function pickKeys(shape: z.ZodRawShape, input: unknown): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  if (!isObject(input)) return picked;
  for (const [key, schema] of Object.entries(shape)) {
    const value = input[key];
    if (value === undefined) continue;
    const section = sectionOf(schema as z.ZodType);
    picked[key] =
      section === undefined || !isObject(value) ? value : pickKeys(section.shape, value);
  }
  return picked;
}

/** The section behind defaults. */
function sectionOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault)
    return sectionOf(schema.unwrap() as z.ZodType);
  return undefined;
}
