/**
 * Writes a large text file piece by piece: numbers become bytes without a string of their own, and the
 * file's hash grows on the way.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes gathered before they are written; a line may be longer. */
const flushBytes = 1 << 20;

/** Text being built. */
export class TextBuffer {
  private bytes = Buffer.allocUnsafe(flushBytes + (1 << 16));
  private used = 0;

  /** Whether it is time to write what is there. */
  get isFull(): boolean {
    return this.used >= flushBytes;
  }

  /** Appends a text. */
  text(text: string): this {
    this.reserve(3 * text.length); // most bytes a UTF-16 unit can take
    this.used += this.bytes.write(text, this.used, 'utf8');
    return this;
  }

  /** Appends a finite number as JavaScript and JSON spell it. */
  number(value: number): this {
    if (!(Number.isInteger(value) && value >= 0 && value < 1e15)) return this.text(String(value));
    this.reserve(mostDigits);
    this.used = writeWhole(this.bytes, this.used, value);
    return this;
  }

  /** Appends numbers with a separator of one ASCII character between them. */
  numbers(values: ArrayLike<number>, separator: string): this {
    const code = separator.charCodeAt(0);
    for (let i = 0; i < values.length; i++) {
      this.reserve(mostDigits + 1);
      if (i > 0) this.bytes[this.used++] = code;
      const value = values[i]!;
      // Most are of this kind: ids and times.
      if (value === value >>> 0) this.used = writeWhole(this.bytes, this.used, value);
      else this.number(value);
    }
    return this;
  }

  /** What was gathered; valid until the next append. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.used);
    this.used = 0;
    return taken;
  }

  private reserve(count: number): void {
    if (this.used + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.used + count));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}

const mostDigits = 16;

/** `0000` to `9999`, one after another. */
const fourDigits = Uint8Array.from({ length: 40_000 }, (_, i) => {
  return 48 + (Math.floor(Math.floor(i / 4) / 10 ** (3 - (i % 4))) % 10);
});

/** Writes a whole number from 0 to before 1e15, four digits at a time; gives the place behind it. */
function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  if (value < 10_000) return writeFirst(bytes, at, value);
  const high = Math.floor(value / 10_000);
  const end = high < 10_000 ? writeFirst(bytes, at, high) : writeWhole(bytes, at, high);
  const low = 4 * (value - high * 10_000);
  bytes[end] = fourDigits[low]!;
  bytes[end + 1] = fourDigits[low + 1]!;
  bytes[end + 2] = fourDigits[low + 2]!;
  bytes[end + 3] = fourDigits[low + 3]!;
  return end + 4;
}

/** Writes a number below 10,000 without leading zeros. */
function writeFirst(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  const place = 4 * value;
  if (value >= 1000) bytes[end++] = fourDigits[place]!;
  if (value >= 100) bytes[end++] = fourDigits[place + 1]!;
  if (value >= 10) bytes[end++] = fourDigits[place + 2]!;
  bytes[end++] = fourDigits[place + 3]!;
  return end;
}

/**
 * Writes a new file, makes it durable and returns its sha256.
 *
 * @param fill  appends to the text; it yields wherever what is there may be written
 */
export async function writeTextFile(
  path: string,
  fill: (out: TextBuffer) => Iterable<void>,
): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    const out = new TextBuffer();
    for (const _ of fill(out)) if (out.isFull) await flush(out, file, hash);
    await flush(out, file, hash);
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function flush(
  out: TextBuffer,
  file: FileHandle,
  hash: ReturnType<typeof createHash>,
): Promise<void> {
  const bytes = out.take();
  hash.update(bytes);
  await file.writeFile(bytes);
}
