/**
 * Every sequence model of the registry through the command line: trained, evaluated, asked, and behind iLoRA both
 * as a finished run and trained on the way.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encoderMethods } from '../../src/recommenders/index.js';
import { writeBaseFolder } from '../support/base-folder.js';
import { ilora } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-encoders-'));
const data = join(folder, 'data');
const base = join(folder, 'base');

/** The document that a command prints. */
function documentOf(...args: string[]): Record<string, unknown> {
  const { status, stdout, stderr } = ilora([...args, '--json']);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** Trains what the settings say, and gives the run folder. */
function train(name: string, settings: object): string {
  const config = join(folder, `${name}.yaml`);
  const out = join(folder, name);
  writeFileSync(config, JSON.stringify({ data, out, ...settings }));
  documentOf('train', '--config', config);
  return out;
}

before(() => {
  writeBaseFolder(base);
  // Thirty users walk over forty items in steps of one, two or three.
  const lines = Array.from({ length: 30 }, (_, user) =>
    Array.from(
      { length: 12 },
      (_, i) => `u${user},Film ${(user + i * (1 + (user % 3))) % 40},${1000 + i}`,
    ),
  );
  const file = join(folder, 'ratings.csv');
  writeFileSync(file, ['user,item,time', ...lines.flat()].join('\n'));
  documentOf('data', 'import', file, '--out', data);
});
after(() => rmSync(folder, { recursive: true }));

for (const { name } of encoderMethods())
  describe(name, () => {
    const section = { [name]: { width: 8, epochs: 2 } };
    const adapted = {
      method: 'ilora',
      base,
      adapter: { rank: 4, targets: ['q_proj', 'v_proj'] },
      training: { windows: 8, batchSize: 4, validationRows: 2, workers: 2 },
    };
    let run = '';

    it('is trained, evaluated and asked', () => {
      run = train(name, { method: name, ...section });
      const evaluated = JSON.stringify(documentOf('evaluate', '--run', run));
      assert.match(evaluated, /hr_at_1/);
      const asked = documentOf('recommend', '--run', run, '--history', 'Film 1; Film 2');
      assert.ok(JSON.stringify(asked).includes('Film '));
    });

    it('stands behind iLoRA as a run of its own', () => {
      const on = train(`ilora-${name}`, { ...adapted, encoder: run });
      const asked = documentOf('recommend', '--run', on, '--history', 'Film 1; Film 2');
      assert.equal((asked.expert_weights as unknown[]).length, 4);
    });

    it('is trained on the way to an iLoRA', () => {
      const on = train(`both-${name}`, { ...adapted, encoder: { method: name, ...section } });
      assert.ok(existsSync(join(on, name, 'best.safetensors')));
    });
  });
