/**
 * What a user gets wrong gives one clear message and a non-zero exit.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ilora } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-refusals-'));
after(() => rmSync(folder, { recursive: true }));

/** Writes a file into the test's folder. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** One message on stderr, nothing on stdout, no stack. */
function refused(
  args: readonly string[],
  status: number,
  message: RegExp,
  env: NodeJS.ProcessEnv = {},
): void {
  const result = ilora(args, { env });
  assert.equal(result.status, status, result.stderr);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, message);
  assert.doesNotMatch(result.stderr, /\n\s+at /);
}

describe('ilora refuses', () => {
  it('a wrong path', () =>
    refused(
      ['train', '--config', join(folder, 'none.yaml')],
      1,
      /none\.yaml: expected a settings file, got no such file/,
    ));

  it('wrong keys and values, all at once', () => {
    const config = file(
      'wrong.yaml',
      'method: iloar\ndata: x\nout: y\nlearningrate: 1\ntraining:\n  windows: many\n  batchsize: 3\n',
    );
    refused(['train', '--config', config], 1, /4 problems/);
    const { stderr } = ilora(['train', '--config', config]);
    for (const key of ['method', 'learningrate', 'training.windows', 'training.batchsize'])
      assert.ok(stderr.includes(key), key);
  });

  it('a truncated GGUF file', () => {
    const header = Buffer.alloc(40);
    header.write('GGUF');
    header.writeUInt32LE(3, 4);
    header.writeBigUInt64LE(272n, 8);
    header.writeBigUInt64LE(30n, 16);
    refused(['model', 'info', file('short.gguf', header)], 1, /short\.gguf/);
  });

  it('a libtorch that is not there, in the words of the doctor', () => {
    const { status, stdout } = ilora(['doctor', '--json'], {
      env: { LIBTORCH: join(folder, 'nowhere') },
    });
    assert.equal(status, 1);
    const { ok, checks } = JSON.parse(stdout) as {
      ok: boolean;
      checks: { status: string; fix?: string }[];
    };
    assert.equal(ok, false);
    assert.ok(checks.some((check) => check.status === 'fail' && check.fix?.includes('LIBTORCH')));
  });

  it('broken rows of interactions, by line', () => {
    const csv = file(
      'broken.csv',
      'user,item,timestamp\n1,10,100\n1,11\n2,10,yesterday\n2,12,200\n',
    );
    const result = ilora(['data', 'import', csv, '--out', join(folder, 'broken')]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /broken\.csv:3/);
    assert.match(result.stderr, /broken\.csv:4/);
  });

  it('an unknown command, and says which is near', () => refused(['trian'], 2, /train/));
});
