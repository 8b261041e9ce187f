/**
 * Downloads Python packages with pip. Nothing of them is run or installed.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type IloraError, mismatch } from '../errors/index.js';
import { type ChildEnd, type ChildOptions, runChild } from './child.js';
import { folderBytes } from './folder-bytes.js';

/** What is downloaded, how and where to. */
export interface PipDownload extends ChildOptions {
  /** Python whose pip downloads. */
  python: string;
  requirements: readonly string[];
  /** Where the files go; made if it is missing. */
  folder: string;
  /** A file that must be there afterwards. */
  file?: string;
  /** Get what the packages need, too. */
  withDependencies?: boolean;
  /** More of pip's flags, such as a platform. */
  flags?: readonly string[];
  /** What to do where this way is closed, for messages. */
  otherWay: string;
  /** Told now and then how many bytes have come. With `env` only: else pip keeps them elsewhere until the end. */
  onBytes?: (bytes: number) => void;
}

const POLL_MS = 500;

/**
 * Lets pip download.
 *
 * @returns names of the files that came
 * @throws IloraError `setup` if Python or pip is missing or pip fails; AbortError after pip has ended
 */
export async function pipDownload(options: PipDownload): Promise<string[]> {
  const { python, requirements, folder, file, isShown, env, signal } = options;
  await mkdir(folder, { recursive: true });
  const before = await readdir(folder);
  const flags = ['--only-binary=:all:', '--no-input', '--no-cache-dir'];
  flags.push('--disable-pip-version-check', ...(options.flags ?? []));
  if (!isShown) flags.push('--progress-bar=off', '--quiet');
  if (!options.withDependencies) flags.push('--no-deps');
  const args = ['-m', 'pip', 'download', ...flags, '-d', folder, ...requirements];
  // Unfinished files go with the folder when pip is stopped.
  const child = { isShown, signal, ...(env && { env: { ...env, TMPDIR: folder } }) };
  const endReports = await reportBytes(options);
  try {
    const end = await runChild(python, args, child).catch((error: unknown) => {
      throw isSystemError(error) ? noPython(options, error) : error;
    });
    if (end.code !== 0 || (file !== undefined && !existsSync(join(folder, file))))
      throw failure(options, end);
  } finally {
    endReports();
  }
  return (await readdir(folder)).filter((name) => !before.includes(name));
}

/** Tells how much has come until the function it gives is called. */
async function reportBytes({ folder, onBytes }: PipDownload): Promise<() => void> {
  if (onBytes === undefined) return () => undefined;
  let isOver = false;
  const report = async (): Promise<void> => {
    const bytes = await folderBytes(folder);
    if (!isOver) onBytes(bytes);
  };
  await report();
  const timer = setInterval(report, POLL_MS);
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function noPython({ python, otherWay }: PipDownload, error: NodeJS.ErrnoException): IloraError {
  const hint = `install Python 3 (on Debian "apt install python3-pip"), or ${otherWay}`;
  const expected = 'Python 3 with pip';
  return mismatch('setup', { where: python, expected, got: error.code, hint }, error);
}

function failure(options: PipDownload, { code, stderr }: ChildEnd): IloraError {
  const { python, requirements, otherWay, isShown } = options;
  const where = `${python} -m pip`;
  if (/No module named pip/.test(stderr))
    return mismatch('setup', {
      where,
      expected: 'pip',
      got: lastLines(stderr),
      hint: `type "${python} -m ensurepip --user" (on Debian "apt install python3-pip"), or ${otherWay}`,
    });
  return mismatch('setup', {
    where,
    expected: `to download ${requirements.join(' ')}`,
    got: lastLines(stderr) || `exit code ${code}`,
    hint: `${isShown ? "pip's words above say why; " : ''}check the network and pip's index settings, or ${otherWay}`,
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ');
}
