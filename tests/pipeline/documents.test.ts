/** What commands print with `--json` is the document that its schema promises, keys in snake_case. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DOCUMENTS } from '../../src/cli/documents.js';
import { writeBaseFolder } from '../support/base-folder.js';
import { ilora } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-documents-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

interface Info {
  attributes: { name: string; type: string }[];
}

/** Runs a command and checks its document. */
function documentOf(name: keyof typeof DOCUMENTS, ...args: string[]): unknown {
  const { status, stdout, stderr } = ilora([...args, '--json']);
  assert.equal(status, 0, stderr);
  const document: unknown = JSON.parse(stdout);
  checkDocument(name, document);
  return document;
}

function checkDocument(name: keyof typeof DOCUMENTS, document: unknown): void {
  const { error } = DOCUMENTS[name].safeParse(document);
  assert.equal(error?.message, undefined, name);
  // A JSON Schema has the keywords of the standard.
  const isSchema = (key: string): boolean => name === 'methods' && key === 'settings';
  for (const key of keysOf(document, isSchema)) assert.match(key, /^[a-z][a-z0-9_]*$/, name);
}

function keysOf(value: unknown, isLeftOut: (key: string) => boolean): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((entry) => keysOf(entry, isLeftOut));
  return Object.entries(value).flatMap(([key, inner]) => [
    key,
    ...(isLeftOut(key) ? [] : keysOf(inner, isLeftOut)),
  ]);
}

describe('documents', () => {
  before(() => {
    const items = Array.from(
      { length: 30 },
      (_, id) => `${id},Title ${id},Comedy|Drama,${1950 + id}`,
    );
    writeFileSync(at('items.csv'), ['itemId,title,genres,releaseYear', ...items].join('\n'));
    const rows = Array.from({ length: 20 }, (_, user) =>
      Array.from({ length: 8 }, (_, k) => `${user},${(5 * user + 3 * k) % 30},${1000 + k}`),
    );
    writeFileSync(at('ratings.csv'), ['userId,itemId,timestamp', ...rows.flat()].join('\n'));
    writeBaseFolder(at('base'));
    const settings = {
      method: 'sasrec',
      data: at('data'),
      out: at('run'),
      sasrec: { width: 8, epochs: 1, batch_size: 8 },
    };
    writeFileSync(at('settings.yaml'), JSON.stringify(settings));
    const tiny = { ...settings, method: 'popularity', out: at('counts'), sasrec: undefined };
    writeFileSync(at('counts.yaml'), JSON.stringify(tiny));
  });

  it('of data: preview, import, info, audit, cold', () => {
    const preview = documentOf('data-preview', 'data', 'preview', at('ratings.csv')) as {
      columns: string[];
      rows: string[][];
    };
    assert.deepEqual(preview.columns, ['userId', 'itemId', 'timestamp'], 'names of the file stay');
    assert.deepEqual(preview.rows[0], ['0', '0', '1000']);
    const places = ['--items', at('items.csv'), '--out', at('data'), '--candidates', '5'];
    documentOf('data-import', 'data', 'import', at('ratings.csv'), ...places);
    const info = documentOf('data-info', 'data', 'info', at('data')) as Info;
    assert.deepEqual(
      info.attributes.map(({ name, type }) => [name, type]),
      [
        ['genres', 'texts'],
        ['release_year', 'number'],
      ],
    );
    const some = ['--items', at('items.csv'), '--out', at('some'), '--candidates', '5'];
    documentOf(
      'data-import',
      'data',
      'import',
      at('ratings.csv'),
      ...some,
      '--attributes',
      'genres',
    );
    const { attributes } = documentOf('data-info', 'data', 'info', at('some')) as Info;
    assert.deepEqual(
      attributes.map(({ name }) => name),
      ['genres'],
    );
    documentOf('data-preview', 'data', 'preview', at('data'), '--rows', '2');
    documentOf('data-audit', 'data', 'audit', at('data'));
    documentOf('data-import', 'data', 'cold', at('data'), '--out', at('cold'), '--share', '0.4');
    documentOf('data-info', 'data', 'info', at('cold'));
    documentOf('data-audit', 'data', 'audit', at('cold'));
  });

  it('of runs: train, evaluate with its file, recommend', () => {
    documentOf('train', 'train', '--config', at('settings.yaml'));
    documentOf('train', 'train', '--config', at('counts.yaml'));
    const out = at('outcomes.json');
    documentOf('evaluate', 'evaluate', '--run', at('run'), '--out', out);
    checkDocument('evaluate-out', JSON.parse(readFileSync(out, 'utf8')));
    const wide = ['--split', 'test-wide', '--wide-rows', '2', '--out', out];
    const whole = ['evaluate', '--run', at('run'), '--protocol', 'history', ...wide];
    const { evaluations } = documentOf('evaluate', ...whole) as {
      evaluations: { protocol: string; num_rows: number; catalog_size: number; metrics: object }[];
    };
    for (const { protocol, num_rows, catalog_size, metrics } of evaluations) {
      assert.deepEqual([protocol, num_rows, catalog_size], ['history', 4, 30]);
      assert.ok('expected_hr_at_1' in metrics && 'recall_at_50' in metrics);
    }
    checkDocument('evaluate-out', JSON.parse(readFileSync(out, 'utf8')));
    const frozen = documentOf('evaluate', 'evaluate', '--run', at('run'), '--no-catalog') as {
      evaluations: { metrics: object }[];
    };
    assert.ok(!('expected_hr_at_1' in frozen.evaluations[0]!.metrics));
    for (const run of ['run', 'counts'])
      documentOf('recommend', 'recommend', '--run', at(run), '--history', 'Title 3; Title 4');
  });

  it('of a study, and --set that cannot be read is an error', () => {
    const study = {
      data: at('data'),
      out: at('study'),
      methods: ['popularity', 'cooccurrence', 'sasrec'],
      sasrec: { width: 8, epochs: 5, batch_size: 8 },
    };
    writeFileSync(at('study.yaml'), JSON.stringify(study));
    const call = ['study', '--config', at('study.yaml'), '--set'];
    const document = documentOf('study', ...call, 'sasrec.epochs=1') as {
      settings: { sasrec: { epochs: number } };
      test: { evaluations: { method: string }[] };
    };
    assert.equal(document.settings.sasrec.epochs, 1);
    assert.equal(document.test.evaluations.length, 3);
    const again = [...call, 'sasrec.epochs=1', '--wide-rows', '2'];
    assert.equal(ilora(again).status, 0, 'finished runs are opened');
    const others = ilora([...call, 'sasrec.epochs=2']);
    assert.equal(others.status, 1, 'and not shown as runs of other settings');
    assert.match(others.stderr, /study\/sasrec: expected the settings the run was begun with/);
    for (const wrong of ['sasrec', 'out.x=1', 'sasrec.epochs=[']) {
      const { status, stderr } = ilora([...call, wrong]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /--set/);
    }
  });

  it('of the engine and models: doctor, setup, methods, model', () => {
    documentOf('doctor', 'doctor');
    documentOf('setup', 'setup', '--dry-run');
    documentOf('methods', 'methods');
    documentOf('model-info', 'model', 'info', at('base'));
    documentOf('model-converted', 'model', 'converted');
  });
});
