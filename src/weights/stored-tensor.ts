/** How a tensor lies in a file: its name, type, axes and bytes; and reading those bytes. */
import { closeSync, readSync } from 'node:fs';
import { internal, mismatch } from '../errors/index.js';
import { fileError, openRegular } from '../files/index.js';

/** A tensor as it lies in a file. */
export interface StoredTensor {
  name: string;
  /** The file format's own name of the type: `F32`, `BF16`, `Q4_1` ... */
  dtype: string;
  /** Outermost axis first. */
  shape: readonly number[];
  /** First byte, counted from the start of the file. */
  offset: number;
  byteLength: number;
}

/** Number of elements of a shape. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Opens a file, hands it to `use` with its size, and closes it whatever happens. */
export function withFile<T>(path: string, use: (file: number, size: number) => T): T {
  const { file, size } = openRegular(path);
  try {
    refusePointer(path, file, size);
    return use(file, size);
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  } finally {
    closeSync(file);
  }
}

const POINTER = 'version https://git-lfs';

/** A clone without git-lfs has small texts in place of the weights. */
function refusePointer(path: string, file: number, size: number): void {
  if (size > 1024 || size < POINTER.length) return;
  const start = readExactly(path, file, { offset: 0, byteLength: POINTER.length });
  if (Buffer.from(start).toString('latin1') !== POINTER) return;
  throw mismatch('format', {
    where: path,
    expected: 'weights',
    got: 'a git-lfs pointer to them',
    hint: 'get the files themselves: git lfs pull, in the clone that it is from',
  });
}

/**
 * Reads exactly `byteLength` bytes.
 *
 * @throws IloraError of code `format` if the file ends before them
 */
export function readExactly(
  path: string,
  file: number,
  { offset, byteLength }: { offset: number; byteLength: number },
): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  const maxBytes = 1 << 28;
  let done = 0;
  while (done < byteLength) {
    const count = readSync(file, bytes, done, Math.min(maxBytes, byteLength - done), offset + done);
    if (count === 0)
      throw mismatch('format', {
        where: path,
        expected: `${byteLength} bytes at byte ${offset}`,
        got: `the end of the file after ${done} of them`,
      });
    done += count;
  }
  return bytes;
}

/** Reads the bytes of one tensor. */
export function readTensorBytes(path: string, tensor: StoredTensor): Uint8Array {
  return withFile(path, (file) => readExactly(path, file, tensor));
}

/** Whether two tensors, each in its file, are the same byte for byte; reads a part at a time. */
export function haveSameBytes(
  a: StoredTensor & { path: string },
  b: StoredTensor & { path: string },
): boolean {
  if (a.byteLength !== b.byteLength) return false;
  return withFile(a.path, (fileA) =>
    withFile(b.path, (fileB) => {
      for (let done = 0; done < a.byteLength; done += PART) {
        const byteLength = Math.min(PART, a.byteLength - done);
        const partA = readExactly(a.path, fileA, { offset: a.offset + done, byteLength });
        const partB = readExactly(b.path, fileB, { offset: b.offset + done, byteLength });
        if (Buffer.compare(partA, partB) !== 0) return false;
      }
      return true;
    }),
  );
}

const PART = 1 << 24;

/** The tensor of this name, or an error that lists what is like it. */
export function findTensor(
  where: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
): StoredTensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  const last = name.split('.').at(-2) ?? name;
  const similar = [...tensors.keys()].filter((key) => key.includes(last)).slice(0, 3);
  const got = similar.length > 0 ? `none of that name, but ${similar.join(', ')}` : 'no such name';
  throw mismatch('format', { where, expected: `a tensor ${name}`, got });
}

/** A Float32Array over bytes, without a copy where they are aligned. */
export function asFloat32(bytes: Uint8Array): Float32Array {
  if (bytes.byteLength % 4 !== 0) throw internal(`${bytes.byteLength} bytes are no float32 values`);
  if (bytes.byteOffset % 4 !== 0) return asFloat32(bytes.slice());
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
