/** One change of a case: which file, and what kind of change its kind of file asks for. */
import type { Random } from '../../src/random/index.js';
import { type Case, type Content, PLACES } from './case.js';
import { mapGguf } from './gguf-file.js';
import { borderNumber, mutateBytes, pick, putNumber } from './mutate-bytes.js';
import { mutateJson } from './mutate-json.js';
import { mutateLines } from './mutate-lines.js';

/**
 * A new case with one to four changes.
 *
 * @param other  another case, for parts to be spliced in
 */
export function mutate(input: Case, other: Case, random: Random): Map<string, Content> {
  const out = new Map(input);
  const names = [...input.keys()];
  for (let left = 1 + random.int(random.int(3) === 0 ? 4 : 1); left > 0; left--) {
    const name = pick(random, names);
    const content = out.get(name)!;
    if (random.int(100) === 0) out.set(name, pick(random, PLACES));
    else if (typeof content !== 'string') {
      const donor = other.get(name);
      out.set(name, change(name, content, typeof donor === 'object' ? donor : content, random));
    }
  }
  return out;
}

function change(name: string, bytes: Buffer, other: Buffer, random: Random): Buffer {
  const isRaw = random.int(5) === 0;
  if (name.endsWith('.safetensors')) return changeSafetensors(bytes, other, random);
  if (name.endsWith('.gguf')) return changeGguf(bytes, other, random);
  if (name.endsWith('.parquet')) return changeParquet(bytes, other, random);
  if (isRaw) return mutateBytes(bytes, other, random);
  if (name.endsWith('.json')) {
    const made = mutateJson(bytes.toString('utf8'), other.toString('utf8'), random);
    return made === undefined ? mutateBytes(bytes, other, random) : Buffer.from(made);
  }
  return Buffer.from(mutateLines(bytes.toString('utf8'), other.toString('utf8'), random));
}

/** Half of the changes are of the header's tree; its length then fits again, mostly. */
function changeSafetensors(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const header = headerOf(bytes);
  if (header === undefined || random.int(2) === 0)
    return mutateBytes(bytes, other, random, [{ at: 0, width: 8 }]);
  const made = mutateJson(header, headerOf(other) ?? header, random);
  if (made === undefined) return mutateBytes(bytes, other, random, [{ at: 0, width: 8 }]);
  const body = Buffer.from(made);
  const head = Buffer.alloc(8);
  const isLying = random.int(20) === 0;
  putNumber(head, 0, 8, isLying ? borderNumber(random, bytes.length) : BigInt(body.length));
  return Buffer.concat([head, body, bytes.subarray(8 + Buffer.byteLength(header))]);
}

function headerOf(bytes: Buffer): string | undefined {
  if (bytes.length < 8) return undefined;
  const length = Number(bytes.readBigUInt64LE(0));
  return length <= bytes.length - 8 ? bytes.toString('utf8', 8, 8 + length) : undefined;
}

/** Numbers of the structure, whole entries with their count, or bytes. */
function changeGguf(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const { marks, entries, metadata } = mapGguf(bytes);
  if (entries.length < 3 || random.int(3) > 0) return mutateBytes(bytes, other, random, marks);
  const i = random.int(entries.length - 1);
  const entry = bytes.subarray(entries[i]!, entries[i + 1]!);
  const out =
    random.int(2) === 0
      ? Buffer.concat([bytes.subarray(0, entries[i]!), bytes.subarray(entries[i + 1]!)])
      : Buffer.concat([
          bytes.subarray(0, entries[i]!),
          donated(other, random) ?? entry,
          bytes.subarray(entries[i]!),
        ]);
  const delta = out.length < bytes.length ? -1n : 1n;
  const at = i < metadata ? 16 : 8;
  putNumber(out, at, 8, BigInt.asUintN(64, bytes.readBigUInt64LE(at) + delta));
  return out;
}

/** An entry of another file, half of the time. */
function donated(other: Buffer, random: Random): Buffer | undefined {
  const { entries } = mapGguf(other);
  if (entries.length < 3 || random.int(2) === 0) return undefined;
  const i = random.int(entries.length - 1);
  return other.subarray(entries[i]!, entries[i + 1]!);
}

/** The description of a Parquet file stands at its end, behind the data; its length comes last. */
function changeParquet(bytes: Buffer, other: Buffer, random: Random): Buffer {
  if (bytes.length < 12 || random.int(4) === 0) return mutateBytes(bytes, other, random);
  const length = Math.min(bytes.readUInt32LE(bytes.length - 8), bytes.length - 12);
  const start = bytes.length - 8 - length;
  if (random.int(10) === 0)
    return mutateBytes(bytes, other, random, [{ at: bytes.length - 8, width: 4 }]);
  const footer = mutateBytes(bytes.subarray(start, start + length), other, random);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(footer.length);
  return Buffer.concat([bytes.subarray(0, start), footer, size, Buffer.from('PAR1')]);
}
