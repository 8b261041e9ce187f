/** Ctrl-C during `ilora data import`, through the launcher as a user runs it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { interrupted } from '../../pipeline/command.js';
import { temporaryFolder } from './helper.js';

const root = temporaryFolder();
const file = join(root, 'rows.parquet');
const temporary = temporaryFolder();
process.env.TMPDIR = temporary; // for the children: where DuckDB keeps what it cannot hold

before(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `COPY (SELECT i % 3000 AS user, hash(i) % 900 AS item, hash(i + 1) % 100000000 AS time FROM range(400000) r(i))
     TO '${file}' (FORMAT parquet)`,
  );
  connection.closeSync();
});

for (const moment of ['reading', 'sorting', 'writing'])
  test(`Ctrl-C while ${moment}: exit 130 and nothing is left`, async () => {
    const { status, stderr } = await interrupted(
      ['data', 'import', file, '--split', 'by-time', '--out', join(root, 'out')],
      (text) => text.includes(moment),
    );
    assert.equal(status, 130, stderr);
    assert.match(stderr, /stopping/);
    assert.deepEqual(readdirSync(root), ['rows.parquet']);
    const ours = readdirSync(temporary).filter((name) => name.startsWith('ilora'));
    assert.deepEqual(ours, []);
  });
