/** Reads little-endian values from a file front to back, and never past its end or its budget. */
import { readSync } from 'node:fs';
import { mismatch } from '../errors/index.js';

const CHUNK_BYTES = 1 << 18;

/** A position in an open file; every read checks the bounds first and names the byte in errors. */
export class ByteCursor {
  private chunk: Buffer = Buffer.alloc(0);
  /** File position of the chunk's first byte. */
  private chunkStart = 0;
  private position = 0;
  /** Where the value last asked for starts; errors name it. */
  private valueStart = 0;

  /** @param limit  bytes that may be read: the file's size or less */
  constructor(
    private readonly path: string,
    private readonly file: number,
    private readonly limit: number,
  ) {}

  /** Bytes read so far. */
  get offset(): number {
    return this.position;
  }

  /** Bytes that may still be read. */
  get remaining(): number {
    return this.limit - this.position;
  }

  u8(what: string): number {
    return this.take(1, what).readUInt8(0);
  }
  i8(what: string): number {
    return this.take(1, what).readInt8(0);
  }
  u16(what: string): number {
    return this.take(2, what).readUInt16LE(0);
  }
  i16(what: string): number {
    return this.take(2, what).readInt16LE(0);
  }
  u32(what: string): number {
    return this.take(4, what).readUInt32LE(0);
  }
  i32(what: string): number {
    return this.take(4, what).readInt32LE(0);
  }
  f32(what: string): number {
    return this.take(4, what).readFloatLE(0);
  }
  f64(what: string): number {
    return this.take(8, what).readDoubleLE(0);
  }
  /** @throws IloraError of code `format` beyond the whole numbers JavaScript holds exactly */
  u64(what: string): number {
    return this.safe(this.take(8, what).readBigUInt64LE(0), what);
  }
  i64(what: string): number {
    return this.safe(this.take(8, what).readBigInt64LE(0), what);
  }

  /** A 64-bit length and as many bytes of UTF-8; invalid bytes become U+FFFD. */
  text(what: string, maxBytes: number): string {
    const byteLength = this.u64(`length of ${what}`);
    if (byteLength > maxBytes)
      throw this.broken(what, `a text of at most ${maxBytes} bytes`, byteLength);
    return this.take(byteLength, what).toString('utf8');
  }

  /** The next bytes; valid until the next read. */
  take(byteLength: number, what: string): Buffer {
    this.valueStart = this.position;
    if (byteLength > this.remaining)
      throw this.broken(what, `${byteLength} bytes`, `the end after ${this.remaining}`);
    const start = this.position - this.chunkStart;
    if (start + byteLength <= this.chunk.length) {
      this.position += byteLength;
      return this.chunk.subarray(start, start + byteLength);
    }
    this.fill(byteLength, what);
    this.position += byteLength;
    return this.chunk.subarray(0, byteLength);
  }

  /** An error that names file, byte and part. */
  broken(what: string, expected: string, got: unknown): Error {
    const where = `${this.path}: byte ${this.valueStart}: ${what}`;
    return mismatch('format', { where, expected, got });
  }

  private safe(value: bigint, what: string): number {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
      throw this.broken(what, 'a number below 2^53', value);
    return Number(value);
  }

  private fill(byteLength: number, what: string): void {
    const wanted = Math.min(Math.max(byteLength, CHUNK_BYTES), this.remaining);
    const chunk = Buffer.allocUnsafe(wanted);
    let done = 0;
    while (done < wanted) {
      const count = readSync(this.file, chunk, done, wanted - done, this.position + done);
      if (count === 0)
        throw this.broken(what, `${byteLength} bytes`, 'a file that shrank meanwhile');
      done += count;
    }
    this.chunk = chunk;
    this.chunkStart = this.position;
  }
}
