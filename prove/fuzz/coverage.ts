/**
 * Which pieces of the readers' code were reached, from V8's own block counts.
 *
 * V8 counts blocks only in code that was compiled after counting began: start before the readers are
 * imported. A piece is what lies between two neighbouring borders of V8's blocks; a function that is
 * never entered is one piece.
 */
import { type Profiler, Session } from 'node:inspector';

/** Reached characters and borders of blocks of one source file. */
export interface FileCoverage {
  reached: Uint8Array;
  /** Characters that count: those of functions that do not read are left out. */
  counted: Uint8Array;
  borders: Set<number>;
  functions: Map<string, boolean>;
}

/** Characters of a file. */
export interface Place {
  file: string;
  start: number;
  end: number;
}

/** Coverage by path below src/. */
export type Coverage = Map<string, FileCoverage>;

/** Counts blocks of the code of this process from its construction on. */
export class CoverageMeter {
  private readonly session = new Session();
  private sources: Readonly<Record<string, readonly string[]>> = {};
  private total: Coverage = new Map();

  constructor() {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Forgets all and from here on looks at these files. */
  watch(sources: Readonly<Record<string, readonly string[]>>): void {
    this.sources = sources;
    this.total = new Map();
    this.counts();
  }

  /** Adds what was reached since the last call; one character of each place that is new. */
  take(): Place[] {
    const fresh: Place[] = [];
    for (const { file, functions, except } of this.watched()) {
      const { now, counted, borders, entered } = mapOf(functions, except);
      let known = this.total.get(file);
      if (known === undefined) {
        const length = now.length;
        known = {
          reached: new Uint8Array(length),
          counted: new Uint8Array(length),
          borders: new Set(),
          functions: new Map(),
        };
        this.total.set(file, known);
      }
      for (const border of borders) known.borders.add(border);
      for (const [name, isReached] of entered)
        known.functions.set(name, (known.functions.get(name) ?? false) || isReached);
      for (let i = 0; i < known.reached.length; i++) {
        if (counted[i] === 1) known.counted[i] = 1;
        if (now[i] !== 1 || counted[i] !== 1 || known.reached[i] === 1) continue;
        known.reached[i] = 1;
        const last = fresh.at(-1);
        if (last?.file === file && last.end === i) last.end = i + 1;
        else fresh.push({ file, start: i, end: i + 1 });
      }
    }
    return fresh;
  }

  /** Whether one of these places was reached since the last call. */
  hits(places: readonly Place[]): boolean {
    for (const { file, functions, except } of this.watched()) {
      const { now } = mapOf(functions, except);
      for (const place of places) if (place.file === file && now[place.start] === 1) return true;
    }
    return false;
  }

  get coverage(): Coverage {
    return this.total;
  }

  private counts(): Profiler.ScriptCoverage[] {
    let found: Profiler.ScriptCoverage[] = [];
    this.session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      found = answer.result;
    });
    return found;
  }

  private *watched(): Iterable<{
    file: string;
    functions: readonly Profiler.FunctionCoverage[];
    except: readonly string[];
  }> {
    for (const { url, functions } of this.counts()) {
      const file = /\/src\/([^?]+)/.exec(url)?.[1] ?? '';
      const except = Object.hasOwn(this.sources, file) ? this.sources[file] : undefined;
      if (except !== undefined) yield { file, functions, except };
    }
  }
}

/** What V8 says of one file, character by character. */
function mapOf(
  functions: readonly Profiler.FunctionCoverage[],
  except: readonly string[],
): { now: Uint8Array; counted: Uint8Array; borders: Set<number>; entered: Map<string, boolean> } {
  const length = Math.max(...functions.map(({ ranges }) => ranges[0]!.endOffset));
  const now = new Uint8Array(length);
  const counted = new Uint8Array(length);
  const borders = new Set<number>();
  const entered = new Map<string, boolean>();
  // Outer functions come first, so inner ones write over them; what belongs to none is a module's
  // own code, which runs once and says nothing.
  for (const { functionName, ranges } of functions) {
    const { startOffset: start, endOffset: end, count } = ranges[0]!;
    if (functionName === '__name' || (start === 0 && functionName === '')) continue;
    const isOut = except.includes(functionName) || counted[start] === 2;
    counted.fill(isOut ? 2 : 1, start, end);
    if (isOut) continue;
    if (functionName !== '' && !functionName.startsWith('<'))
      entered.set(`${functionName}@${start}`, count > 0);
    for (const range of ranges) {
      borders.add(range.startOffset).add(range.endOffset);
      now.fill(range.count > 0 ? 1 : 0, range.startOffset, range.endOffset);
    }
  }
  return { now, counted, borders, entered };
}

/** Adds one coverage to another. */
export function mergeCoverage(into: Coverage, from: Coverage): void {
  for (const [name, file] of from) {
    const own = into.get(name);
    if (own === undefined) {
      into.set(name, file);
      continue;
    }
    for (let i = 0; i < own.reached.length; i++) {
      own.reached[i] = own.reached[i]! | (file.reached[i] ?? 0);
      own.counted[i] = own.counted[i]! | (file.counted[i] ?? 0);
    }
    for (const border of file.borders) own.borders.add(border);
    for (const [name, isReached] of file.functions)
      own.functions.set(name, (own.functions.get(name) ?? false) || isReached);
  }
}

/** How much of the code was reached. */
export interface CoverageSummary {
  blocks: number;
  blocksReached: number;
  /** Share of the characters of all functions that read. */
  codeShare: number;
  /** Functions that were never entered, `file:function`. */
  neverEntered: string[];
}

/** Sums up. */
export function summarizeCoverage(coverage: Coverage): CoverageSummary {
  let blocks = 0;
  let blocksReached = 0;
  let characters = 0;
  let reachedCharacters = 0;
  const neverEntered: string[] = [];
  for (const [name, { reached, counted, borders, functions }] of coverage) {
    const cuts = [...borders].sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i++) {
      if (counted[cuts[i]!] !== 1) continue;
      blocks++;
      if (reached[cuts[i]!] === 1) blocksReached++;
    }
    for (let i = 0; i < counted.length; i++) {
      characters += counted[i]!;
      reachedCharacters += counted[i]! & reached[i]!;
    }
    for (const [key, isReached] of functions)
      if (!isReached) neverEntered.push(`${name}:${key.replace(/@.*$/, '')}`);
  }
  const codeShare = characters === 0 ? 0 : reachedCharacters / characters;
  return { blocks, blocksReached, codeShare, neverEntered: neverEntered.sort() };
}
