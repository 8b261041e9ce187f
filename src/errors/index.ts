/**
 * The kinds of error a user can meet, and helpers that build their text.
 *
 * Every message reads `<where>: expected <what>, got <value>[ — <what to do>]`, and the values named
 * in the text are also fields of the error.
 */

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
  return `${where}: expected ${expected}, got ${show(got)}${hint === undefined ? '' : ` — ${hint}`}`;
}

/** Builds an error of the given kind from a mismatch; its fields hold the same values as its text. */
export function mismatch(code: ErrorCode, parts: Mismatch, cause?: unknown): IloraError {
  return new IloraError(code, describeMismatch(parts), { ...parts }, cause);
}

/** One error that lists several faults, one line each. */
export function faults(code: ErrorCode, where: string, lines: readonly string[]): IloraError {
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  return new IloraError(
    code,
    `${where}: ${count}\n${lines.map((line) => `  ${line}`).join('\n')}`,
    {
      where,
      faults: [...lines],
    },
  );
}

/** Can only be our mistake. */
export function internal(message: string): IloraError {
  return new IloraError('internal', `internal: ${message}`);
}

/** A short, single-line rendering of any value for messages. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const shortened = value.length > 80 ? `${value.slice(0, 77)}...` : value;
    return JSON.stringify(shortened);
  }
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Error) return value.message;
  if (typeof value === 'object' && value !== null) {
    const text = JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  }
  return String(value);
}
