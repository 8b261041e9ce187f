/** Downloads by pip, with stand-ins for Python. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type PipDownload, pipDownload } from '../../../src/files/index.js';

const place = mkdtempSync(join(tmpdir(), 'pip-'));
after(() => rmSync(place, { recursive: true }));
let made = 0;

/** A Python that does this, with the folder to download into as $folder. */
function pythonThat(does: string): string {
  const path = join(place, `python-${made++}`);
  const program = `#!/bin/sh
asked="$*"
while [ "$1" != -d ]; do shift; done
folder=$2
${does}
`;
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  return path;
}

function download(python: string, more: Partial<PipDownload> = {}): Promise<string[]> {
  const folder = join(place, `folder-${made++}`);
  return pipDownload({ python, requirements: ['toy==1'], folder, otherWay: 'do it', ...more });
}

test('names of new files come back, and pip is asked for wheels only', async () => {
  const python = pythonThat('echo "$asked" > "$folder/asked" && echo wheel > "$folder/toy.whl"');
  const folder = mkdtempSync(join(place, 'wheels-'));
  writeFileSync(join(folder, 'old.whl'), '');
  assert.deepEqual((await download(python, { folder })).sort(), ['asked', 'toy.whl']);
  const check = pythonThat(`case "$asked" in
    "-m pip download "*--only-binary=:all:*--no-deps*" -d $folder toy==1") echo > "$folder/fine" ;;
  esac`);
  assert.deepEqual(await download(check), ['fine']);
});

test('its progress is told in bytes', async () => {
  const told: number[] = [];
  const python = pythonThat(
    'echo 12345 > "$TMPDIR/part"; sleep 1.2; mv "$folder/part" "$folder/a"',
  );
  const came = await download(python, { env: process.env, onBytes: (bytes) => told.push(bytes) });
  assert.deepEqual(came, ['a']);
  assert.equal(told[0], 0);
  assert.equal(told.at(-1), 6);
});

test('a missing Python is told from a missing pip', async () => {
  await assert.rejects(download('no-such-python'), {
    code: 'setup',
    message:
      'no-such-python: expected Python 3 with pip, got "ENOENT" — install Python 3 (on Debian "apt install python3-pip"), or do it',
  });
  const python = pythonThat(`echo "$0: No module named pip" >&2; exit 1`);
  await assert.rejects(download(python), {
    code: 'setup',
    message: /-m pip: expected pip, got ".*No module named pip" — type ".*ensurepip.*, or do it$/,
  });
});

test('a download that fails says why in the last words of pip', async () => {
  const python = pythonThat('echo first >&2; for i in 1 2 3; do echo "line $i" >&2; done; exit 1');
  await assert.rejects(download(python), {
    code: 'setup',
    message:
      /expected to download toy==1, got "line 1 line 2 line 3" — check the network .*, or do it$/,
  });
  await assert.rejects(download(pythonThat('exit 3'), { isShown: true }), {
    message: /got "exit code 3" — pip's words above say why; check the network/,
  });
});

test('another file than the expected one is a failed download', async () => {
  const python = pythonThat('echo > "$folder/toy-2.whl"');
  await assert.rejects(download(python, { file: 'toy-1.whl' }), {
    code: 'setup',
    message: /expected to download toy==1, got "exit code 0"/,
  });
});
