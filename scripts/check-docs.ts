/**
 * Checks what is written about the code: links and paths in *.md lead somewhere, files in the README's tree
 * exist and its sentences are short, no file names a place of one machine, and the native part stays small.
 *
 * `npx tsx scripts/check-docs.ts`; exits with 1 and one line per violation.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const MAX_NATIVE_LINES = 600;
/** Of README: words of a sentence, columns of a line. */
const MOST_WORDS = 30;
const MOST_COLUMNS = 100;
/** Folders of a home or a workplace; written so that this file does not name one. */
const MACHINE_PATHS = new RegExp(
  `(?<![\\w.~}-])/(?:${['work', 'root', 'home/[a-z]\\w*', 'Users/[a-z]\\w*'].join('|')})/[\\w.-]+`,
);

const root = resolve(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;
const problems: string[] = [];

for (const file of tracked.filter((name) => name.endsWith('.md'))) {
  checkLinks(file);
  checkNamedPaths(file);
}
if (tracked.includes('README.md')) {
  checkTree(read('README.md'));
  checkProse('README.md');
}
for (const file of tracked) checkPaths(file);
checkNative();

/** Relative links and images; anchors are compared with the headings of their file. */
function checkLinks(file: string): void {
  const text = withoutCode(read(file));
  for (const match of text.matchAll(
    /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|(?:src|href)="([^"]+)"/g,
  )) {
    const link = match[1] ?? match[2] ?? '';
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
    const [path = '', anchor] = decodeURIComponent(link).split('#');
    const target = path === '' ? join(root, file) : resolve(root, dirname(file), path);
    const where = `${file}:${lineOf(text, match.index)}`;
    if (!existsSync(target)) problems.push(`${where}: link to ${path}, which is not there`);
    else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor))
      problems.push(`${where}: link to #${anchor}, which is no heading of ${path || file}`);
  }
}

/** Code spans that are a path of this repository; capitals (`NAME`) and asterisks stand for a choice. */
function checkNamedPaths(file: string): void {
  const text = read(file);
  for (const match of text.matchAll(
    /`((?:src|tests|scripts|native|presets|prompts|prove|bench|harness|runs|docs)\/[\w./-]*)`/g,
  )) {
    const path = match[1] ?? '';
    const isRunFolder = path.startsWith('runs/') && !/\.\w+$/.test(path);
    if (isRunFolder || path.includes('NAME') || existsSync(join(root, path))) continue;
    problems.push(`${file}:${lineOf(text, match.index)}: names ${path}, which is not there`);
  }
}

/** The text with code blocks and code spans blanked, lines kept. */
function withoutCode(text: string): string {
  return text.replace(/^( *)(```|~~~)[\s\S]*?^\1\2[ \t]*$|`[^`\n]*`/gm, (code) =>
    code.replace(/[^\n]/g, ' '),
  );
}

/** Anchors as the usual renderers make them of headings. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  for (const [, heading = ''] of text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let unique = anchor;
    for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`;
    anchors.add(unique);
  }
  for (const [, name = ''] of text.matchAll(/<a (?:name|id)="([^"]+)"/g)) anchors.add(name);
  return anchors;
}

/**
 * Files named in the README's tree: a code block of lines `  name/` and `  name.ts   what it says`,
 * indented by depth, with or without branches drawn.
 */
function checkTree(readme: string): void {
  for (const block of readme.matchAll(/^```(?:text|tree)?\n([\s\S]*?)^```/gm)) {
    const lines = (block[1] ?? '').split('\n').map((line) => line.replace(/[│├└─|]/g, ' '));
    if (!lines.some((line) => /^\s*(?:\.\/)?src\/(?:\s|$)/.test(line))) continue;
    const parents: { depth: number; path: string }[] = [];
    for (const [offset, line] of lines.entries()) {
      const [, indent = '', name = ''] = /^(\s*)(\S+)/.exec(line) ?? [];
      if (!/^[\w.-]+(?:\/[\w.-]+)*\/?$/.test(name) || !/[./]/.test(name)) continue;
      while ((parents.at(-1)?.depth ?? -1) >= indent.length) parents.pop();
      const path = join(parents.at(-1)?.path ?? '', name);
      if (name.endsWith('/')) parents.push({ depth: indent.length, path });
      if (!existsSync(join(root, path)))
        problems.push(
          `README.md:${lineOf(readme, block.index) + 1 + offset}: tree names ${path}, which is not there`,
        );
    }
  }
}

/** Lines that fit a window and sentences that are read once; tables and code are as wide as they must be. */
function checkProse(file: string): void {
  const text = withoutCode(read(file)).replace(/^<!--.*-->$/gm, '');
  for (const [i, line] of text.split('\n').entries())
    if (line.length > MOST_COLUMNS && !line.startsWith('|') && !line.startsWith('!['))
      problems.push(
        `${file}:${i + 1}: expected at most ${MOST_COLUMNS} columns, got ${line.length}`,
      );
  const prose = text.replace(/^(?:\||#|!).*$/gm, '').replace(/\]\([^)]*\)/g, ']');
  for (const paragraph of prose.split(/\n\s*\n|\n- /))
    for (const sentence of paragraph.split(/(?<=[.?!])\s/)) {
      const words = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
      if (words.length > MOST_WORDS)
        problems.push(
          `${file}: a sentence of ${words.length} words: ${words.slice(0, 8).join(' ')} ...`,
        );
    }
}

function checkPaths(file: string): void {
  if (/(^|\/)package-lock\.json$|\.(safetensors|gguf|png|jpg|zip|parquet|node)$/.test(file)) return;
  const text = read(file);
  const match = MACHINE_PATHS.exec(text);
  if (match !== null)
    problems.push(
      `${file}:${lineOf(text, match.index)}: names a place of one machine: ${match[0]}`,
    );
}

function checkNative(): void {
  const files = tracked.filter((file) => /^native\/.*\.(cpp|h)$/.test(file));
  const lines = files.reduce((sum, file) => sum + read(file).split('\n').length, 0);
  if (lines > MAX_NATIVE_LINES)
    problems.push(`native/: expected at most ${MAX_NATIVE_LINES} lines, got ${lines}`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`docs: ${tracked.length} files, no violation`);
