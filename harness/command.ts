/**
 * A command that ends with a document: its flags, its progress and its exit code.
 *
 * Every one has `--quick`, `--json` (the last line of stdout is one object; a table otherwise) and `--result FILE`
 * (also writes the object). The exit code is 0 if the document is `ok`, 1 if not, 2 for wrong usage.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { IloraError } from '../src/errors/index.js';
import { snakeKeys } from '../src/files/index.js';

/** A wrong flag or something that is not there: the message is all the user needs. */
export class UsageError extends Error {}

type FlagTable = NonNullable<ParseArgsConfig['options']>;

const COMMON = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  result: { type: 'string' },
} as const satisfies FlagTable;

type Flags<T extends FlagTable> = ReturnType<
  typeof parseArgs<{ options: typeof COMMON & T }>
>['values'];

/** What a command found, and how it is told. */
export interface Outcome {
  document: { ok: boolean } & Record<string, unknown>;
  text: (document: Record<string, unknown>) => string;
  /** What only the file of `--result` has beside the document. */
  place?: Record<string, unknown>;
}

export interface CommandPlan<T extends FlagTable> {
  /** As npm knows it. */
  name: string;
  /** Flags beside those that every command has. */
  flags: T;
  /** Line under the message about a wrong flag. */
  usage: (flags: readonly string[]) => string;
}

/** One line of progress. */
export const noteOnStderr = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Reads the flags, does the work, prints the document with snake_case keys, sets the exit code. */
export async function runCommand<const T extends FlagTable>(
  { name, flags, usage }: CommandPlan<T>,
  run: (flags: Flags<T>) => Promise<Outcome>,
): Promise<void> {
  try {
    const read = readFlags({ ...COMMON, ...flags }, usage) as Flags<T>;
    const { json, result } = read as Flags<Record<never, never>>;
    const { document, text, place } = await run(read);
    if (result !== undefined) {
      mkdirSync(dirname(result), { recursive: true });
      writeFileSync(result, `${JSON.stringify(snakeKeys({ ...document, ...place }), null, 2)}\n`);
    }
    if (json) process.stdout.write(`${JSON.stringify(snakeKeys(document))}\n`);
    else console.log(text(document));
    process.exitCode = document.ok ? 0 : 1;
  } catch (error) {
    const isClear = error instanceof UsageError || error instanceof IloraError;
    noteOnStderr(`${name}: ${isClear ? error.message : (error as Error).stack}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

function readFlags(options: FlagTable, usage: CommandPlan<FlagTable>['usage']) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage(Object.keys(options))}`);
  }
}

/** @throws UsageError for what is no whole number from `least` */
export function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${flag}: expected a whole number from ${least}, got ${text}`);
}
