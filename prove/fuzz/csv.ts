/** Imports of CSV and TSV files through DuckDB. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Case, caseOf } from './case.js';
import { IMPORT_SOURCES, useImport } from './import-target.js';
import type { Target } from './target.js';

const target: Target = {
  name: 'csv',
  sources: {
    ...IMPORT_SOURCES,
    'data/import/text-layout.ts': [],
    'data/import/record-lines.ts': [],
  },
  seeds: async () => [
    caseOf({
      'ratings.csv':
        'user_id,item_id,rating,timestamp\n1,a,5,100\n1,b,4,101\n2,a,3,102\n2,"c",1,103\n\n3,b,2,104\n',
      'items.csv': 'item_id,title\na,"Red, the"\nb,"Blue ""one"""\nc,Night\n',
    }),
    caseOf({
      'ratings.tsv':
        'user:token\titem:token\ttime:float\r\n1\ta\t2024-05-01T12:00:00Z\r\n1\tb\t2024-05-02\r\n',
    }),
    caseOf({
      'ratings.dat': 'userId::movieId::rating::timestamp\n1::2::5::978300760\n1::3::4::978302109\n',
    }),
    caseOf({
      'ratings.csv.gz': gzipSync('user_id,item_id,timestamp\n1,a,100\n1,b,101\n2,a,102\n'),
    }),
  ],
  async read(folder) {
    const interactions =
      ['ratings.csv.gz', 'ratings.csv', 'ratings.tsv', 'ratings.dat'].find((name) =>
        existsSync(join(folder, name)),
      ) ?? 'ratings.csv';
    const items = interactions === 'ratings.csv' ? 'items.csv' : undefined;
    await useImport(folder, { interactions, ...(items !== undefined && { items }) });
  },
  async heavy() {
    const row = '1,a,5,100\n';
    const head = 'user_id,item_id,rating,timestamp\n';
    const zipped = (text: string | Buffer): Case => caseOf({ 'ratings.csv.gz': gzipSync(text) });
    return {
      'a first line of 500,000 columns': caseOf({
        'ratings.csv': `${','.repeat(500_000)}\n${row}`,
      }),
      'a first line of 500,000 columns of one name': caseOf({
        'ratings.csv': `${'a,'.repeat(500_000)}a\n${row}`,
      }),
      'a line of eight million characters': caseOf({
        'ratings.csv': `${head}1,${'a'.repeat(1 << 23)},5,100\n`,
        'items.csv': 'item_id,title\na,b\n',
      }),
      '100,000 bad rows': caseOf({
        'ratings.csv': `${head}${'1,a,5\n'.repeat(100_000)}`,
        'items.csv': 'item_id,title\na,b\n',
      }),
      'an open quote before one million lines': caseOf({
        'ratings.csv': `${head}"1,a,5,100\n${row.repeat(1 << 20)}`,
        'items.csv': 'item_id,title\na,b\n',
      }),
      'one line of 200 MB, packed': zipped(Buffer.alloc(200 << 20, 'a')),
    };
  },
};
export default target;
