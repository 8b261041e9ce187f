/**
 * Changes of JSON that leave it JSON, mostly: the tree is changed, not the text.
 *
 * The tree keeps objects as lists of entries, so that a key can stand in one twice.
 */
import type { Random } from '../../src/random/index.js';
import { pick } from './mutate-bytes.js';

type Tree = { object: [string, Tree][] } | { list: Tree[] } | { raw: string };

/** Keys that are properties of every object, of lists or of functions. */
const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'length',
  'toJSON',
  'then',
  '0',
  '',
  ' ',
  '\u0000',
  'é',
  '\ud800',
  '../x',
  'a.b',
  'type',
];

/** Values of the wrong type or size, as they stand in the text. */
const VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1',
  '2',
  '3',
  '0.5',
  '1e308',
  '1e999',
  '-1e999',
  '1e-400',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551615',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967296',
  '1e15',
  '123456789012345678901234567890',
  '""',
  '"a"',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '"NaN"',
  '"\\u2581"',
  '[]',
  '{}',
  '[[]]',
  '[{}]',
  '{"":{}}',
  '[null]',
  '[0]',
  '["a","b"]',
  '{"__proto__":null}',
  '{"toString":1}',
  '{"length":1e9}',
  '{"type":"Sequence"}',
  '{"content":"x"}',
];

/** Text that is no JSON. */
const BROKEN = [
  'NaN',
  'undefined',
  "'a'",
  '01',
  '.5',
  '"\t"',
  '"\\x"',
  '[1,]',
  '{"a":}',
  '{a:1}',
  '/**/1',
  '\ufeff1',
  '\u00a0',
];

/** One change of a JSON text; undefined if it is none. */
export function mutateJson(text: string, other: string, random: Random): string | undefined {
  const tree = parse(text);
  if (tree === undefined) return undefined;
  const places = [...walk(tree)];
  const { node, parent } = pick(random, places);
  const replace = (made: Tree): void => {
    for (const key of Object.keys(node)) delete (node as Record<string, unknown>)[key];
    Object.assign(node, made);
  };
  switch (random.int(12)) {
    case 0:
    case 1:
      replace({ raw: pick(random, VALUES) });
      break;
    case 2:
      replace({ raw: pick(random, random.int(6) === 0 ? BROKEN : VALUES) });
      break;
    case 3: // take away
      if (parent !== undefined) remove(parent, node);
      break;
    case 4: // a key twice, or a list's element
      if (parent !== undefined) repeat(parent, node, random);
      break;
    case 5:
      add(node, { raw: pick(random, VALUES) }, random);
      break;
    case 6: {
      // a part of this or of another text in its place
      const donor = random.int(2) === 0 ? tree : (parse(other) ?? tree);
      replace(structuredClone(pick(random, [...walk(donor)]).node));
      break;
    }
    case 7: {
      const depth = pick(random, [2, 10, 100, 1000, random.int(20) === 0 ? 50_000 : 3000]);
      const [open, close] = pick(random, [
        ['[', ']'],
        ['{"a":', '}'],
        ['[[],', ']'],
        ['{"type":"Sequence","normalizers":[', ']}'],
      ] as const);
      replace({ raw: `${open.repeat(depth)}1${close.repeat(depth)}` });
      break;
    }
    case 8:
      if ('object' in node && node.object.length > 0)
        pick(random, node.object)[0] = pick(random, KEYS);
      else replace({ raw: JSON.stringify(pick(random, KEYS)) });
      break;
    case 9:
      replace(nudge(node, random));
      break;
    case 10:
      if ('list' in node) node.list = random.shuffle([...node.list]);
      else if ('object' in node) node.object = random.shuffle([...node.object]);
      else replace({ list: [structuredClone(node)] });
      break;
    default: {
      const length = pick(random, [100, 1000, 20_000]);
      replace({
        raw: pick(random, [
          `"${'a'.repeat(length)}"`,
          `[${'1,'.repeat(length)}1]`,
          '9'.repeat(length),
          `"${' x'.repeat(length)}"`,
        ]),
      });
    }
  }
  return print(tree);
}

/** A number or text a little beside the one that stands there. */
function nudge(node: Tree, random: Random): Tree {
  if (!('raw' in node)) return { raw: 'null' };
  const number = Number(node.raw);
  if (node.raw !== '' && Number.isFinite(number))
    return {
      raw: String(
        pick(random, [
          number + 1,
          number - 1,
          number * 2,
          -number,
          number + 0.5,
          number * 1e6,
          number / 3,
        ]),
      ),
    };
  const text = node.raw.replace(/^"|"$/g, '');
  return {
    raw: pick(random, [
      `"${text}${text}"`,
      `"${text.slice(1)}"`,
      `"${text.toUpperCase()}"`,
      `" ${text}"`,
      `["${text}"]`,
    ]),
  };
}

function add(node: Tree, made: Tree, random: Random): void {
  if ('object' in node) node.object.push([pick(random, KEYS), made]);
  else if ('list' in node) node.list.splice(random.int(node.list.length + 1), 0, made);
}

function remove(parent: Tree, node: Tree): void {
  if ('object' in parent) parent.object = parent.object.filter(([, value]) => value !== node);
  else if ('list' in parent) parent.list = parent.list.filter((value) => value !== node);
}

function repeat(parent: Tree, node: Tree, random: Random): void {
  if ('object' in parent) {
    const entry = parent.object.find(([, value]) => value === node);
    if (entry !== undefined)
      parent.object.push([entry[0], random.int(2) === 0 ? node : { raw: pick(random, VALUES) }]);
  } else if ('list' in parent) parent.list.push(node);
}

function* walk(node: Tree, parent?: Tree): Iterable<{ node: Tree; parent?: Tree }> {
  yield { node, parent };
  if ('object' in node) for (const [, value] of node.object) yield* walk(value, node);
  else if ('list' in node) for (const value of node.list) yield* walk(value, node);
}

function parse(text: string): Tree | undefined {
  try {
    return toTree(JSON.parse(text), 0);
  } catch {
    return undefined;
  }
}

function toTree(value: unknown, depth: number): Tree {
  if (depth > 200 || typeof value !== 'object' || value === null)
    return { raw: JSON.stringify(value) };
  if (Array.isArray(value)) return { list: value.map((each) => toTree(each, depth + 1)) };
  return { object: Object.entries(value).map(([key, each]) => [key, toTree(each, depth + 1)]) };
}

function print(node: Tree): string {
  if ('raw' in node) return node.raw;
  if ('list' in node) return `[${node.list.map(print).join(',')}]`;
  return `{${node.object.map(([key, value]) => `${JSON.stringify(key)}:${print(value)}`).join(',')}}`;
}
