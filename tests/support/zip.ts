/** Zip archives made by hand, right or wrong in a way of choice. */
import { crc32, deflateRawSync } from 'node:zlib';

/** An entry; what is not given fits its content. */
export interface ZipEntry {
  name: string;
  content: string | Buffer;
  /** Stored (0), deflated (8) or another number. */
  method?: number;
  /** Kind and mode as Unix numbers them. */
  mode?: number;
  flags?: number;
  /** Unpacked bytes that the directory promises. */
  size?: number;
  crc?: number;
}

/** The bytes of an archive. */
export function zipOf(...entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method = 8, mode = 0, flags = 0, size, crc } of entries) {
    const plain = Buffer.from(content as string);
    const stored = method === 8 ? deflateRawSync(plain) : plain;
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(nameBytes.length, 26);
    bodies.push(local, nameBytes, stored);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE((3 << 8) | 20, 4); // made on Unix
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc ?? crc32(plain), 16);
    entry.writeUInt32LE(stored.length, 20);
    entry.writeUInt32LE(size ?? plain.length, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, nameBytes);
    offset += local.length + nameBytes.length + stored.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}
