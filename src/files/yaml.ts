/**
 * YAML as settings files have it: one document, no key twice, nothing nested so deeply that reading takes long.
 */
import { type Document, Lexer, parseDocument, visit } from 'yaml';
import { faults, show } from '../errors/index.js';

const MAX_DEPTH = 8;

/**
 * The line on which lists and maps lie too deep in one another; undefined if they nowhere do.
 *
 * The library's time doubles with each level that is left open, and its stack grows. Only brackets and signs can
 * nest deeply: nesting by indentation needs a longer line for each level.
 */
function lineTooDeep(text: string): number | undefined {
  let line = 1;
  let flow = 0;
  let inLine = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') flow++;
    else if (lexeme === ']' || lexeme === '}') flow--;
    else if (lexeme === '-' || lexeme === '?') inLine++;
    if (flow > MAX_DEPTH || inLine > MAX_DEPTH) return line;
    for (const char of lexeme) if (char === '\n') line++;
    if (lexeme.includes('\n')) inLine = 0;
  }
  return undefined;
}

function repeatedKeys(document: Document): string[] {
  const lines: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = String(key);
        if (seen.has(name)) lines.push(`${name}: expected the key once, got it twice`);
        seen.add(name);
      }
    },
  });
  return lines;
}

/** The value of a YAML text. @throws IloraError `settings` listing every fault */
export function parseYaml(text: string, path: string): unknown {
  const deep = lineTooDeep(text);
  if (deep !== undefined)
    throw faults('settings', `${path}:${deep}`, [
      `expected at most ${MAX_DEPTH} lists and maps in one another, got more`,
    ]);
  const lines: string[] = [];
  try {
    // The library compares every key with every other one; a set does the same in one pass.
    const document = parseDocument(text, {
      prettyErrors: true,
      uniqueKeys: false,
      logLevel: 'error',
    });
    lines.push(...document.errors.map((error) => error.message.split('\n')[0] ?? ''));
    lines.push(...repeatedKeys(document));
    if (lines.length === 0) return document.toJS();
  } catch (error) {
    // The library throws at aliases without an anchor, and at aliases that unfold to very much.
    lines.push(`expected YAML that can be read, got ${show(error)}`);
  }
  throw faults('settings', path, lines);
}
