/** What the system says about a file, as an error that names path and remedy. */
import { IloraError, mismatch } from '../errors/index.js';

/** What the system said, in words, and what the user can do. */
const SYSTEM_ERRORS: Record<string, { got: string; hint?: string }> = {
  ENOENT: { got: 'no such file or folder', hint: 'check the path' },
  EACCES: { got: 'permission denied', hint: 'check owner and mode' },
  EPERM: { got: 'operation not permitted', hint: 'check owner and mode' },
  ENOSPC: { got: 'no space left on the device', hint: 'free some space or choose another folder' },
  EDQUOT: { got: 'disk quota exceeded', hint: 'free some space or choose another folder' },
  EROFS: { got: 'a read-only file system', hint: 'choose another folder' },
  EISDIR: { got: 'a folder' },
  ENOTDIR: { got: 'a path through something that is not a folder' },
  ELOOP: { got: 'a symbolic link that leads to itself' },
  EMFILE: { got: 'too many open files', hint: 'raise the limit (ulimit -n)' },
  EIO: { got: 'an input/output error of the device' },
};

/**
 * Turns an error of `node:fs` into one that names the path and the remedy.
 *
 * @param expected  what the caller wanted, such as `a readable file`
 */
export function fileError(path: string, expected: string, error: unknown): IloraError {
  if (error instanceof IloraError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const known = SYSTEM_ERRORS[code];
  if (known === undefined) return mismatch('file', { where: path, expected, got: error }, error);
  const { got, hint } = known;
  const text = `${path}: expected ${expected}, got ${got} (${code})`;
  return new IloraError(
    'file',
    hint === undefined ? text : `${text} — ${hint}`,
    { where: path, expected, got: code, hint },
    error,
  );
}
