/**
 * One input of the fuzzer: a few files by name, and where a file belongs perhaps something else.
 *
 * Writing the case is what records it: when the process dies on it, what killed it lies in the folder.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** What may stand in a file's place. */
export const PLACES = [
  'missing',
  'empty',
  'folder',
  'pipe', // whoever opens it for reading waits for a writer that never comes
  'dangling link',
  'link to itself',
  'endless device',
  'failing device', // a file by its kind; reading it fails
  'unreadable', // for root all files are readable
] as const;
export type Place = (typeof PLACES)[number];

/** Bytes of a file, or what stands in its place. */
export type Content = Buffer | Place;

/** Files by name relative to the folder of the case. */
export type Case = ReadonlyMap<string, Content>;

/** A case of texts and bytes. */
export function caseOf(files: Readonly<Record<string, string | Uint8Array>>): Case {
  return new Map(
    Object.entries(files).map(([name, content]) => [name, Buffer.from(content as string)]),
  );
}

/** A case of text files' names and what is read back from a folder. */
export function caseFrom(folder: string, names: readonly string[]): Case {
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Number of bytes in all files. */
export function sizeOf(input: Case): number {
  let bytes = 0;
  for (const content of input.values()) if (typeof content !== 'string') bytes += content.length;
  return bytes;
}

/** A folder that holds one case after the other; only what differs is written. */
export class CaseFolder {
  private current: Case = new Map();
  private readonly pipe: string;

  /** @param path  a new folder; its parent must exist */
  constructor(readonly path: string) {
    mkdirSync(path, { recursive: true });
    this.pipe = `${path}.pipe`;
    const made = spawnSync('mkfifo', [this.pipe]);
    if (made.status !== 0) throw new Error(`mkfifo ${this.pipe}: ${made.stderr}`);
  }

  /** Makes the folder hold exactly this case. */
  write(input: Case): void {
    for (const name of this.current.keys()) if (!input.has(name)) this.clear(name);
    for (const [name, content] of input) {
      if (this.current.get(name) === content) continue;
      // Never over the old bytes: they may still be mapped into memory.
      this.clear(name);
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      this.put(join(this.path, name), content);
    }
    this.current = input;
  }

  /** Forgets what lies there, for a reader that writes into its folder. */
  forget(): void {
    rmSync(this.path, { recursive: true, force: true });
    mkdirSync(this.path, { recursive: true });
    this.current = new Map();
  }

  private clear(name: string): void {
    rmSync(join(this.path, name), { recursive: true, force: true });
  }

  private put(path: string, content: Content): void {
    if (typeof content !== 'string') {
      writeFileSync(path, content);
      return;
    }
    switch (content) {
      case 'missing':
        break;
      case 'empty':
        writeFileSync(path, '');
        break;
      case 'folder':
        mkdirSync(path);
        writeFileSync(join(path, 'file'), 'text');
        break;
      case 'pipe':
        linkSync(this.pipe, path);
        break;
      case 'dangling link':
        symlinkSync(`${path}.nowhere`, path);
        break;
      case 'link to itself':
        symlinkSync(path, path);
        break;
      case 'endless device':
        symlinkSync('/dev/zero', path);
        break;
      case 'failing device':
        symlinkSync('/proc/self/mem', path);
        break;
      case 'unreadable':
        writeFileSync(path, 'text');
        chmodSync(path, 0);
        break;
    }
  }
}
