/**
 * Titles and names that try to be more, from import through training to recommendations and the report.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { studyHooks } from '../../src/cli/train-hooks.js';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { runStudy, type StudyResult, studySettings } from '../../src/studies/index.js';
import { openRun } from '../../src/training/index.js';
import { writeBaseFolder } from '../support/base-folder.js';
import { HOSTILE_TITLES } from '../support/hostile.js';
import { ilora } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-hostile-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** The last two are the same to the model and different to the data. */
const TITLES = [...HOSTILE_TITLES, 'Plain One', 'Plain Two', 'Twin', 'T\u200bw\u200bi\u200bn'];
const TWINS = [TITLES.length - 2, TITLES.length - 1] as const;
const USERS = 20;
/** Escape sequences, in 7 and 8 bits, and what turns the direction of writing. */
const OBEYED = /[^\P{Control}\n]|\p{Bidi_Control}|[\u2028\u2029]/u;

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function writeTables(): void {
  const items = TITLES.map((title, id) => `${id},${quoted(title)}`);
  writeFileSync(at('items.csv'), ['item,title', ...items].join('\n'));
  const rows = Array.from({ length: USERS }, (_, user) => {
    const name = quoted(`user ${user} ${TITLES[user]?.slice(0, 40)}`);
    return Array.from({ length: 6 }, (_, k) =>
      [name, (5 * user + k * (1 + (user % 3))) % TITLES.length, 1000 + 10 * user + k].join(','),
    );
  });
  writeFileSync(at('ratings.csv'), ['user,item,timestamp', ...rows.flat()].join('\n'));
}

/** Runs a command that must succeed and send nothing to the terminal that it would obey. */
function run(...args: string[]): string {
  const { status, stdout, stderr } = ilora(args);
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, OBEYED);
  assert.doesNotMatch(stderr, OBEYED);
  return stdout;
}

const STUDY = {
  data: at('data'),
  out: at('experiment'),
  base: 'tiny',
  prompt: 'movie',
  dtype: 'float32',
  sasrec: { width: 8, blocks: 1, heads: 2, epochs: 1 },
  adapter: { rank: 4, experts: 2, learningRate: 0.01 },
  training: { windows: 8, batchSize: 4, validateEvery: 8, validationRows: 2 },
};

describe('hostile titles', () => {
  let dataset: Dataset;
  let result: StudyResult;
  before(async () => {
    writeTables();
    writeBaseFolder(at('base'));
    const places = ['--items', at('items.csv'), '--out', at('data'), '--candidates', '6'];
    run('data', 'import', at('ratings.csv'), ...places, '--keep-unused-items');
    dataset = await openDataset(at('data'));
    result = await runStudy(
      {
        title: TITLES.slice(0, 3).join(' '),
        basePath: at('base'),
        settings: studySettings(STUDY, 'test'),
        isGenerating: true,
        command: 'test',
      },
      studyHooks(new AbortController().signal),
    );
  });

  it('are all imported, with their users', () => {
    assert.equal(dataset.catalog.size, TITLES.length);
    assert.equal(dataset.sequences.size, USERS);
  });

  it('train and are evaluated with finite scores', () => {
    for (const { method, outcomes } of result.sections[0]!.evaluations)
      for (const { scores = [] } of outcomes)
        assert.ok(scores.length === 6 && scores.every(Number.isFinite), method);
    assert.equal(result.methods.filter(({ runs }) => runs[0]!.generated).length, 3);
  });

  it('score separately where they are the same to the model', async () => {
    const { recommender } = await openRun(at('experiment/lora'), { basePath: at('base') });
    const candidates = [...TWINS, 20];
    const instance = {
      history: [20, 21],
      candidates,
    };
    const [ranking] = await recommender.score([instance]);
    const [first, second, other] = ranking?.scores ?? [];
    assert.ok(Number.isFinite(first) && first !== other);
    // Of slots only the prompt has a pair of its own; both titles follow the same prompt.
    assert.ok(Math.abs((first as number) - (second as number)) < 1e-4);
  });

  it('are shown in the report, not obeyed', () => {
    const page = readFileSync(result.report, 'utf8');
    assert.doesNotMatch(page, OBEYED);
    assert.doesNotMatch(page, /<img|<script>|<script(?! type="application\/json")|\son[a-z]+="/i);
    assert.ok(page.includes('\\u001b'), 'an escape sequence can be seen');
  });

  it('are shown on the terminal, not obeyed', () => {
    const items = run('data', 'preview', at('items.csv'), '--rows', '30');
    assert.equal(items.trimEnd().split('\n').length, 3 + TITLES.length, 'one line per item');
    assert.ok(items.includes('\\u001b[2J\\u001b[31mCleared screen'));
    run('data', 'preview', at('data'), '--rows', '9', '--split', 'train');
  });

  it('are recommended, and are found by their exact titles', () => {
    const { items } = dataset.catalog;
    const history = [0, 1, 2, 10, 11].map((item) => items[item]?.title.replaceAll(';', '\\;'));
    const words = [
      '--history',
      `${history.join(';')};Plain Two`,
      '--retrieve',
      '24',
      '--top',
      '24',
    ];
    const table = run('recommend', '--run', at('experiment/ilora'), '--base', at('base'), ...words);
    const [first, , header, , ...lines] = table.split('\n');
    assert.match(first as string, /^history: .*<script>.*&lt;b&gt;.* \| Plain Two$/);
    assert.match(header as string, /^ *# +title +score +share$/);
    const ranked = lines.slice(0, lines.indexOf(''));
    assert.equal(ranked.length, TITLES.length - history.length - 1);
    for (const line of ranked) assert.match(line, /^ *\d+ .* -\d+\.\d\d +\d+\.\d %$/);
    assert.ok(
      table.split('\n').every((line) => line.length < 700),
      'no title widens the table',
    );
  });

  it('in a wrong history are shown in the error, not obeyed', () => {
    const history = 'no such \x1b[2J film \u202e; Reversed';
    const where = ['--run', at('experiment/ilora'), '--base', at('base')];
    const { status, stdout, stderr } = ilora(['recommend', ...where, '--history', history]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /"no such \\u001b\[2J film \\u202e": no such title/);
    assert.doesNotMatch(stderr, OBEYED);
  });
});
