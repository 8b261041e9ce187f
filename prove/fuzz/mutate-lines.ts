/** Changes of text files line by line, field by field and word by word. */
import type { Random } from '../../src/random/index.js';
import { pick } from './mutate-bytes.js';
import { mutateJson } from './mutate-json.js';

/** Words that stop readers of CSV, TSV, YAML or numbers. */
const WORDS = [
  '',
  ' ',
  '\t',
  '"',
  '""',
  '"""',
  "'",
  ',',
  ';',
  '|',
  '::',
  '\r',
  '\n',
  '\r\n',
  '\u0000',
  '\ufeff',
  '\u2028',
  '\u00a0',
  '\u0001',
  '-1',
  '0',
  '1',
  '00',
  '1.5',
  '1e5',
  '1e999',
  '-0',
  'NaN',
  'Infinity',
  'null',
  'true',
  '0x10',
  '１',
  '9007199254740993',
  '99999999999999999999',
  '2147483648',
  '2024-05-01',
  '9999999-01-01T00:00:00Z',
  '__proto__',
  'constructor',
  'a'.repeat(3000),
  '&a',
  '*a',
  '*missing',
  '<<: *a',
  '!!binary aGk=',
  '!!js/function',
  '!!set',
  '!!timestamp 2001',
  '? x',
  '---',
  '...',
  '%YAML 9.9',
  '- - - -',
  '[[[[',
  '{{{{',
  ': :',
  '|',
  '>',
  '|-9',
  '@',
  '`',
  '# x',
  '\\',
  '\\u0000',
  '%s',
  '$(x)',
  '../..',
  '=1+1',
];

/** One change of a text of lines. */
export function mutateLines(text: string, other: string, random: Random): string {
  const lines = text.split('\n');
  const at = random.int(lines.length);
  const line = lines[at]!;
  switch (random.int(14)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(random.int(lines.length + 1), 0, line);
      break;
    case 2: {
      const to = random.int(lines.length);
      lines[at] = lines[to]!;
      lines[to] = line;
      break;
    }
    case 3:
      lines.splice(at, 0, pick(random, WORDS));
      break;
    case 4: {
      const donor = other.split('\n');
      lines.splice(at, random.int(3), ...donor.slice(random.int(donor.length)));
      break;
    }
    case 5:
      return lines.slice(0, at).join('\n');
    case 6:
      lines[at] = pick(random, WORDS) + line;
      break;
    case 7:
      lines[at] = line + pick(random, WORDS);
      break;
    case 8:
      lines[at] = `${' '.repeat(random.int(6))}${line.trimStart()}`;
      break;
    case 9:
      return lines.join(pick(random, ['\r\n', '\r', '\n\n', '\n\r', ' ']));
    case 10: {
      const made = mutateJson(line, pick(random, other.split('\n')), random);
      lines[at] = made ?? changeField(line, random);
      break;
    }
    case 11: {
      const depth = pick(random, [10, 100, 2000]);
      lines[at] = pick(random, [
        '['.repeat(depth),
        `${line}: ${'{a: '.repeat(depth)}`,
        '- '.repeat(depth),
        line.repeat(1 + random.int(50)),
      ]);
      break;
    }
    default:
      lines[at] = changeField(line, random);
  }
  return lines.join('\n');
}

/** Another word in the place of a word or a field. */
function changeField(line: string, random: Random): string {
  const parts = line.split(/([\t,;|]|::|(?<=:) |\b)/);
  if (parts.length === 0) return pick(random, WORDS);
  const at = random.int(parts.length);
  const number = Number(parts[at]);
  if (parts[at] !== '' && Number.isFinite(number) && random.int(2) === 0)
    parts[at] = String(
      pick(random, [number + 1, number - 1, -number, number * 1000, number / 7, number + 1e9]),
    );
  else if (random.int(4) === 0) parts.splice(at, 1);
  else parts[at] = pick(random, random.int(3) === 0 ? parts : WORDS);
  return parts.join('');
}
