/** `ilora data audit` as a user starts it: on an imported dataset, on one with faults, on a run. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Finding } from '../../src/audit/index.js';
import { openDataset } from '../../src/data/index.js';
import { datasetHash, manifestText } from '../../src/data/store/manifest.js';
import { cleanUsers, type User } from '../unit/audit/helper.js';
import { type Finished, ilora } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-audit-'));
after(() => rmSync(folder, { recursive: true }));

interface Document {
  dataset: { name: string; hash: string; folder: string };
  findings: Finding[];
}

/** Imports users as a CSV of their own. */
function imported(name: string, change: (user: User) => void = () => {}): string {
  const { users, titles } = cleanUsers(31);
  for (const user of users) change(user);
  const out = join(folder, name);
  const events = users.flatMap((user) =>
    user.items.map(
      (item, i) => `${user.name},${item},${1_500_000_000 + Math.round(user.times[i]! * 100)}`,
    ),
  );
  writeFileSync(`${out}.csv`, ['user,item,time', ...events].join('\n'));
  writeFileSync(
    `${out}-items.csv`,
    ['item,title', ...titles.map((title, id) => `${id},${title}`)].join('\n'),
  );
  const result = ilora([
    'data',
    'import',
    `${out}.csv`,
    '--items',
    `${out}-items.csv`,
    '--split',
    'by-time',
    '--out',
    out,
  ]);
  assert.equal(result.status, 0, result.stderr);
  return out;
}

const documentOf = ({ stdout, stderr }: Finished): Document => {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Document;
};

let clean = '';
before(() => {
  clean = imported('clean');
});

test('an imported clean dataset passes, with a finding of every check', () => {
  const result = ilora(['data', 'audit', clean, '--json', '--fail-on', 'warning']);
  assert.equal(result.status, 0, result.stdout + result.stderr);
  const { dataset, findings } = documentOf(result);
  assert.equal(dataset.name, 'clean');
  assert.equal(findings.length, 17);
  for (const finding of findings) {
    const { id, severity, is_known } = finding as unknown as Record<string, unknown>;
    assert.deepEqual([id, severity, is_known], [id, 'info', true]);
  }
});

test('faults give findings, and an exit code of 1 where asked for; faulty lists are audited, not refused', async () => {
  const faulty = imported('faulty', (user) => {
    user.items.sort((a, b) => a - b);
    user.times = user.times.map((_, i) => user.times[i - (i % 3)]!);
  });
  repeatCandidate(faulty);
  await assert.rejects(openDataset(faulty), { code: 'format' }, 'not for training');
  const result = ilora(['data', 'audit', faulty, '--json', '--fail-on', 'severe']);
  assert.equal(result.status, 1);
  const { findings } = documentOf(result);
  const severe = findings.filter(({ severity }) => severity === 'severe').map(({ id }) => id);
  for (const id of ['one-order', 'timestamp-ties', 'candidate-lists'])
    assert.ok(severe.includes(id), id);
  assert.equal(findings.find(({ id }) => id === 'candidate-lists')?.figures.faulty, 1);
});

/** What a tool with hashes right and a list wrong would leave. */
function repeatCandidate(out: string): void {
  const file = join(out, 'candidates', 'test.tsv');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const repeated = lines[2]!.split('\t');
  repeated[1] = repeated[0]!;
  lines[2] = repeated.join('\t');
  const text = `${lines.join('\n')}\n`;
  writeFileSync(file, text);
  const path = join(out, 'manifest.json');
  const { seal: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  manifest.files['candidates/test.tsv'] = createHash('sha256').update(text).digest('hex');
  manifest.hash = datasetHash(manifest);
  writeFileSync(path, manifestText(manifest));
}

test('hostile titles do not move what a SASRec run ranks', () => {
  const run = join(folder, 'run');
  const config = join(folder, 'sasrec.json');
  writeFileSync(
    config,
    JSON.stringify({
      method: 'sasrec',
      data: clean,
      out: run,
      sasrec: { width: 8, blocks: 1, epochs: 1 },
    }),
  );
  const trained = ilora(['train', '--config', config]);
  assert.equal(trained.status, 0, trained.stderr);
  const result = ilora(['data', 'audit', '--titles', '--run', run, '--rows', '5']);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /finding +severity +figure +what it means +what to do/);
  assert.match(result.stdout, /hostile-titles +info/);
  const rows = result.stdout
    .split('\n')
    .filter((line) => / (target|negative) +0\.0 +0\.0 to 0\.0 /.test(line));
  assert.equal(rows.length, 14, 'seven titles for target and negative, none with a gain');
  assert.match(result.stdout, /0 severe, 0 warnings, 0 that cannot be told, 1 findings/);
});

test('wrong usage is named, and the exit code is 2', () => {
  for (const [args, message] of [
    [[], /expected a dataset folder/],
    [[clean, '--run', 'x'], /expected --titles beside --run/],
  ] as const) {
    const { status, stderr } = ilora(['data', 'audit', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
  }
  assert.equal(ilora(['data', 'audit', join(folder, 'nowhere')]).status, 1);
});
