/**
 * Weights of a quantised model, converted once and kept: a safetensors file in the wanted type that is
 * mapped from then on, and a seal beside it.
 *
 * An entry is named after the sha256 of the model's file, the type and the version of the conversion. Its seal
 * is the sha256 of the head and of sums over the values: each tensor is taken as a table of 64-bit words and added up
 * by rows and by columns. That runs at the speed of memory, a tenth of what hashing costs. It is checked on every
 * opening. A change escapes it only if four words or more lie in rectangles and cancel out exactly in both directions.
 * No flipped byte, lost page or cut does.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mismatch } from '../errors/index.js';
import { fileError, writeFileAtomic } from '../files/index.js';
import { bitcast, type DType, narrow, reshape, scope, sum, Tensor } from '../tensor/index.js';
import { MappedTensors, WEIGHT_DTYPES } from './mapped-tensors.js';
import { expectedShapes } from './model-config.js';
import { openSafetensors, type SafetensorsDtype, safetensorsHead } from './safetensors.js';
import type { ShardedTensor } from './sharded.js';
import { findTensor, readExactly, type StoredTensor, withFile } from './stored-tensor.js';
import { checkModel, type LoadOptions, type WeightSource } from './weight-source.js';

/** Raised when the same file would be converted to other values. */
const VERSION = 1;

const STORED: Partial<Record<DType, SafetensorsDtype>> = {
  float32: 'F32',
  bfloat16: 'BF16',
  float16: 'F16',
};

export interface ConvertOptions {
  /** Folder of the entries; made if it is missing. */
  folder: string;
  /** sha256 of the model's file. */
  sha256: string;
  dtype: DType;
  /** Told when something is converted, is damaged or cannot be kept. */
  onNotice?: (text: string) => void;
}

/**
 * The same weights from the converted copy, made now if there is none or if it is damaged.
 *
 * Where no copy can be kept, `source` itself is returned and a notice says why: it is slower, not wrong.
 */
export function openConverted(source: WeightSource, options: ConvertOptions): WeightSource {
  const { folder, onNotice = () => undefined } = options;
  const path = entryPath(options);
  try {
    const found = open(path, source);
    if (found !== undefined) return found;
  } catch (error) {
    onNotice(`${(error as Error).message} — converting it anew`);
  }
  try {
    mkdirSync(folder, { recursive: true });
    onNotice(`converting ${source.path} to ${options.dtype} once; kept in ${folder}`);
    write(path, source, options.dtype);
    const written = open(path, source);
    if (written !== undefined) return written;
  } catch (error) {
    removeEntry(path);
    onNotice(`${(error as Error).message} — going on without a converted copy`);
  }
  return source;
}

/** A converted copy on disk. */
export interface ConvertedEntry {
  path: string;
  byteLength: number;
}

/** What lies in a folder of converted copies. */
export function listConverted(folder: string): ConvertedEntry[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(folder, 'a readable folder', error);
  }
  const paths = names.filter((name) => name.endsWith('.safetensors')).map((n) => join(folder, n));
  return paths.sort().map((path) => ({ path, byteLength: statSync(path).size }));
}

/** Removes all converted copies; models that are open keep theirs. @throws IloraError `file` */
export function clearConverted(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    throw fileError(folder, 'a folder that can be removed', error);
  }
}

function entryPath({ folder, sha256, dtype }: ConvertOptions): string {
  return join(folder, `${sha256.slice(0, 32)}-${dtype}-v${VERSION}.safetensors`);
}

const sealPath = (path: string): string => `${path}.seal`;

function removeEntry(path: string): void {
  for (const file of [sealPath(path), path])
    try {
      rmSync(file, { force: true });
    } catch {
      // Without its seal, or with a wrong one, it is not used.
    }
}

/** Tensor by tensor, so that the model is in memory once at most. The seal comes last. */
function write(path: string, source: WeightSource, dtype: DType): void {
  const stored = STORED[dtype];
  if (stored === undefined)
    throw mismatch('format', { where: path, expected: Object.keys(STORED).join(), got: dtype });
  const shapes = [...expectedShapes(source.config)];
  const head = safetensorsHead(
    path,
    shapes.map(([name, shape]) => ({ name, dtype: stored, shape })),
    { format: 'ilora-converted', version: String(VERSION) },
    64, // so that the values lie as processors like to load them
  );
  const seal = createHash('sha256').update(head);
  function* blocks(): Iterable<Uint8Array> {
    yield head;
    for (const [name] of shapes)
      yield scope(() => {
        const values = source.load(name, { dtype }).toTypedArray();
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        addSums(seal, Tensor.from(bytes));
        return bytes;
      });
  }
  writeFileAtomic(path, blocks());
  writeFileAtomic(sealPath(path), `${seal.digest('hex')}\n`);
}

/** The copy; nothing if there is none. @throws IloraError if it is damaged */
function open(path: string, source: WeightSource): ConvertedSource | undefined {
  let seal: string;
  try {
    seal = readFileSync(sealPath(path), 'latin1').trim();
    statSync(path);
  } catch {
    return undefined;
  }
  const { tensors } = openSafetensors(path);
  const inFile = new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, path }]));
  const facts = { ...source.config, config: source.config, problems: [] };
  checkModel(path, { facts, tensors: inFile, readableTypes: Object.keys(WEIGHT_DTYPES) });
  const files = new MappedTensors();
  const got = sealOf(path, inFile, files);
  if (got === seal) return new ConvertedSource(path, source, inFile, files);
  files.close();
  throw mismatch('format', {
    where: path,
    expected: `the bytes that were written (seal ${seal.slice(0, 12)})`,
    got: `others (${got.slice(0, 12)}): the file was damaged`,
  });
}

function sealOf(
  path: string,
  tensors: ReadonlyMap<string, ShardedTensor>,
  files: MappedTensors,
): string {
  const byteLength = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  const seal = createHash('sha256');
  seal.update(withFile(path, (file) => readExactly(path, file, { offset: 0, byteLength })));
  for (const tensor of tensors.values()) scope(() => addSums(seal, files.bytes(tensor, 8)));
  return seal.digest('hex');
}

const ROW_WORDS = 512;

/** Sums of 64-bit words by rows and by columns; what does not fill a row enters as it is. */
function addSums(seal: Hash, bytes_X: Tensor): void {
  const rows = Math.floor(bytes_X.size / (8 * ROW_WORDS));
  const inRows = rows * 8 * ROW_WORDS;
  if (rows > 0) {
    const words = reshape(bitcast(narrow(bytes_X, 0, 0, inRows), 'int64'), [rows, ROW_WORDS]);
    for (const axis of [0, 1]) seal.update(sum(words, [axis]).toTypedArray());
  }
  seal.update(narrow(bytes_X, 0, inRows, bytes_X.size - inRows).toTypedArray());
}

/** Values from the copy; config and tokenizer from the model's own file. */
class ConvertedSource implements WeightSource {
  readonly kind = 'safetensors';
  readonly config: WeightSource['config'];
  readonly tokenizer: WeightSource['tokenizer'];
  readonly #tensors: ReadonlyMap<string, ShardedTensor>;
  readonly #files: MappedTensors;

  constructor(
    readonly path: string,
    { config, tokenizer }: WeightSource,
    tensors: ReadonlyMap<string, ShardedTensor>,
    files: MappedTensors,
  ) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.#tensors = tensors;
    this.#files = files;
  }

  names(): string[] {
    return [...expectedShapes(this.config).keys()];
  }

  stored(name: string): StoredTensor {
    return findTensor(this.path, this.#tensors, name);
  }

  load(name: string, options?: LoadOptions): Tensor {
    return this.#files.load(this.stored(name) as ShardedTensor, options);
  }

  close(): void {
    this.#files.close();
  }
}
