/** Whether what a reader threw is a proper refusal. */
import { IloraError } from '../../src/errors/index.js';

const MAX_MESSAGE = 20_000;

/**
 * What is wrong with an error; undefined if it is a proper refusal: typed, not about our own mistake, with the
 * path of a file of the case, what was expected and where in the file or what was got, in a readable length.
 */
export function fault(error: unknown, folder: string): string | undefined {
  if (!(error instanceof IloraError)) return `escaped: ${nameOf(error)}`;
  const { code, message } = error;
  if (code === 'internal' || code === 'engine' || (code === 'usage' && !message.includes(folder)))
    return `refused with code ${code}: ${message.slice(0, 200)}`;
  if (!message.includes(folder)) return `names no file: ${message.slice(0, 200)}`;
  if (message.length > MAX_MESSAGE) return `a message of ${message.length} characters`;
  if (!/expected|problem|bad row/.test(message))
    return `says not what was expected: ${message.slice(0, 200)}`;
  if (/is not a function|Cannot read prop|Maximum call stack/.test(message))
    return `speaks of the program, not of the file: ${message.slice(0, 200)}`;
  return undefined;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return `no error but ${typeof error}`;
  return `${error.name}: ${error.message.slice(0, 200)}`;
}

/** Equal for failures that are probably one and the same. */
export function keyOf(text: string, error: unknown): string {
  const place =
    error instanceof Error
      ? /\((?:file:\/\/)?[^()]*?((?:src|node_modules)\/[^()]+?):\d+\)/.exec(error.stack ?? '')?.[1]
      : '';
  return `${text
    .replace(/\S*\/\S*/g, '/')
    .replace(/"(?:[^"\\]|\\.)*"?/g, '""')
    .replace(/\d+/g, '0')
    .slice(0, 90)} ${place}`;
}
