/** Imports of JSON lines through DuckDB. */
import { caseOf } from './case.js';
import { IMPORT_SOURCES, useImport } from './import-target.js';
import type { Target } from './target.js';

const target: Target = {
  name: 'jsonl',
  sources: IMPORT_SOURCES,
  seeds: async () => [
    caseOf({
      'events.jsonl':
        '{"user":"u1","item":"a","time":1700000000}\n{"user":"u1","item":"b","time":1700000001,"rating":4.5}\n\n{"user":2,"item":"a","time":"2024-05-01"}\n',
    }),
  ],
  read: (folder) => useImport(folder, { interactions: 'events.jsonl' }),
  async heavy() {
    const line = '{"user":"u","item":"a","time":1}\n';
    return {
      'a line of 500,000 nested lists': caseOf({
        'events.jsonl': `${line}{"user":${'['.repeat(500_000)}${']'.repeat(500_000)}}\n`,
      }),
      'a line of 20 MB': caseOf({ 'events.jsonl': `${line}{"user":"${'u'.repeat(20 << 20)}"}\n` }),
      'a line of 100,000 keys': caseOf({
        'events.jsonl': `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}\n${line}`,
      }),
    };
  },
};
export default target;
