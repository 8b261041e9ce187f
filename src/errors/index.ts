/**
 * Here: kinds of error, and how a message is built.
 * May use: nothing.
 * Used by: every room.
 */
import { visible } from './visible.js';

export { visible, visibleLines } from './visible.js';

/** Stable identifiers of error kinds; a server or a script can switch on them. */
export type ErrorCode =
  | 'usage' // a flag, an argument or a call that cannot be taken
  | 'settings' // a settings file with one or more faults
  | 'file' // a path that is missing, unreadable or of another kind
  | 'format' // a file whose content is not what its kind promises
  | 'data' // rows, ids or titles that do not fit together
  | 'shape' // tensors whose axes disagree
  | 'engine' // libtorch refused a call
  | 'setup' // libtorch, a compiler or another prerequisite is missing
  | 'aborted' // the user asked to stop
  | 'training' // training cannot go on (non-finite loss, locked run folder)
  | 'internal'; // can only be our mistake

/** Base of all errors of this package. */
export class IloraError extends Error {
  readonly code: ErrorCode;
  /** The values named in the message, for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'IloraError';
    this.code = code;
    this.details = details;
  }
}

/** A flag, an argument or a call that cannot be taken; the command line exits with 2. */
export class UsageError extends IloraError {
  constructor(message: string, details: Record<string, unknown> = {}) {
    super('usage', message, details);
    this.name = 'UsageError';
  }
}

/** Axes of tensors that disagree. */
export class ShapeError extends IloraError {
  constructor(message: string, details: Record<string, unknown> = {}) {
    super('shape', message, details);
    this.name = 'ShapeError';
  }
}

/** The user asked to stop (Ctrl-C or an AbortSignal). */
export class AbortError extends IloraError {
  constructor(message = 'stopped on request') {
    super('aborted', message);
    this.name = 'AbortError';
  }
}

/** What was expected at a place, and what stood there. */
export interface Mismatch {
  /** Function, file, `file:line` or settings key. */
  where: string;
  expected: string;
  got: unknown;
  /** What the user can do about it. */
  hint?: string;
}

/** `<where>: expected <what>, got <value>[ — <hint>]`. */
export function describeMismatch({ where, expected, got, hint }: Mismatch): string {
  return `${printable(where)}: expected ${printable(expected)}, got ${printable(show(got))}${hint === undefined ? '' : ` — ${hint}`}`;
}

/** A part of a message on one line and of readable length: names that a file gives may hold anything. */
function printable(text: string): string {
  const most = 1000;
  return visible(
    text.length > most ? `${text.slice(0, most / 2)} ... ${text.slice(-most / 2)}` : text,
  );
}

/** Builds an error of the given kind from a mismatch; its fields hold the same values as its text. */
export function mismatch(code: ErrorCode, parts: Mismatch, cause?: unknown): IloraError {
  return new IloraError(code, describeMismatch(parts), { ...parts }, cause);
}

/** Faults of one error that are shown; all are counted, and all stand in its details. */
const MOST_LISTED = 50;

/** One error that lists several faults, one line each. */
export function faults(code: ErrorCode, where: string, lines: readonly string[]): IloraError {
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  const listed = lines.slice(0, MOST_LISTED).map((line) => `  ${printable(line)}`);
  if (lines.length > MOST_LISTED) listed.push(`  ... and ${lines.length - MOST_LISTED} more`);
  return new IloraError(code, `${printable(where)}: ${count}\n${listed.join('\n')}`, {
    where,
    faults: [...lines],
  });
}

/** Can only be our mistake. */
export function internal(message: string): IloraError {
  return new IloraError('internal', `internal: ${message}`);
}

/** A short, single-line rendering of any value for messages; it never fails, whatever the value does. */
export function show(value: unknown): string {
  try {
    return render(value, 0);
  } catch {
    return 'an unreadable value'; // a getter, a proxy or a toJSON that throws
  }
}

const MOST_SHOWN = 32;

function render(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value, 80));
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    if (depth === 3) return '[...]';
    const shown = Array.from(value.slice(0, MOST_SHOWN), (entry) => render(entry, depth + 1));
    if (value.length > MOST_SHOWN) shown.push(`... ${value.length} in all`);
    return `[${shown.join(', ')}]`;
  }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (value instanceof Error) return value.message;
  const seen = new Set<unknown>();
  const text = JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry === 'bigint') return String(entry);
    if (ArrayBuffer.isView(entry)) return `${entry.byteLength} bytes`;
    if (seen.size > 1000 || seen.has(entry)) return '...';
    if (typeof entry === 'object' && entry !== null) seen.add(entry);
    return entry;
  });
  return shorten(text, 120);
}

const shorten = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 3)}...` : text;
