/** Files that someone else made. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  openRegular,
  readStart,
  readText,
  streamRegular,
  streamUnpacked,
} from '../../../src/files/index.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
writeFileSync(path('text'), 'grün\n');
mkdirSync(path('folder'));
symlinkSync(path('loop'), path('loop'));
symlinkSync('/dev/zero', path('endless'));
symlinkSync('/proc/self/mem', path('failing'));
spawnSync('mkfifo', [path('pipe')]);

/** Every way to open; each must come back at once, whatever lies there. */
const ways: Record<string, (path: string) => unknown> = {
  openRegular: (path) => closeSync(openRegular(path).file),
  readText: (path) => readText(path),
  readStart: (path) => readStart(path, 16),
  streamRegular: (path) => streamRegular(path).destroy(),
};

describe('a place without a regular file', () => {
  for (const [way, open] of Object.entries(ways))
    for (const [name, got] of [
      ['missing', 'no such file'],
      ['folder', 'a folder'],
      ['loop', 'a symbolic link that leads to itself'],
      ['pipe', 'a pipe, socket or device'],
      ['endless', 'a pipe, socket or device'],
    ] as const)
      it(`is refused by ${way}: ${name}`, () =>
        assert.throws(() => open(path(name)), {
          code: 'file',
          message: new RegExp(`^${path(name)}: expected a readable file, got ${got}`),
        }));
});

describe('readText', () => {
  it('gives the text of a file, without a byte order mark', () => {
    assert.equal(readText(path('text')), 'grün\n');
    writeFileSync(path('marked'), '\ufeffa');
    assert.equal(readText(path('marked')), 'a');
  });
  it('names the first byte that is no UTF-8', () => {
    for (const [bytes, at, got] of [
      [[0x61, 0xff, 0x62], 1, 'byte 0xff'],
      [[0xff], 0, 'byte 0xff'],
      [[0xc3, 0xa9, 0x61, 0xe2, 0x61], 4, 'byte 0x61'],
      [[0x61, 0xc3], 2, 'the end inside a character'],
    ] as const) {
      writeFileSync(path('bytes'), Uint8Array.from(bytes));
      assert.throws(() => readText(path('bytes')), {
        code: 'format',
        message: new RegExp(`bytes: byte ${at}: expected UTF-8 text, got ${got}$`),
      });
    }
  });
  it('refuses more bytes than asked for', () =>
    assert.throws(() => readText(path('text'), { maxBytes: 3 }), {
      code: 'format',
      message: /text: expected at most 3 bytes, got 6/,
    }));
  it('tells a device that fails', () =>
    assert.throws(() => readText(path('failing')), { code: 'file', message: /EIO/ }));
});

it('readStart gives what there is of a shorter file', () => {
  assert.equal(readStart(path('text'), 2).toString(), 'gr');
  assert.equal(readStart(path('text'), 100).toString(), 'grün\n');
});

it('streamRegular streams from the start', async () => {
  const parts: Buffer[] = [];
  for await (const part of streamRegular(path('text'))) parts.push(part as Buffer);
  assert.equal(Buffer.concat(parts).toString(), 'grün\n');
});

describe('streamUnpacked', () => {
  const all = async (name: string): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of streamUnpacked(path(name))) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  it('unpacks what is named .gz, and nothing else', async () => {
    writeFileSync(path('packed.gz'), gzipSync('packed'));
    assert.equal(await all('packed.gz'), 'packed');
    assert.equal(await all('text'), 'grün\n');
  });
  it('refuses what is no packed file, or was cut', async () => {
    writeFileSync(path('plain.gz'), 'plain');
    writeFileSync(path('cut.gz'), gzipSync('packed').subarray(0, 12));
    for (const name of ['plain.gz', 'cut.gz'])
      await assert.rejects(all(name), {
        code: 'format',
        message: new RegExp(`${name}: expected a whole gzip file, got `),
      });
  });
  it('does not wait for a file that fails', async () => {
    symlinkSync('/proc/self/mem', path('failing.gz'));
    await assert.rejects(all('failing.gz'), { code: 'file', message: /EIO/ });
  });
});
