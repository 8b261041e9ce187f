/** Settings files in YAML. */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readSettings, resolveSettings } from '../../src/training/settings.js';
import { caseOf } from './case.js';
import type { Target } from './target.js';

const FILE = 'settings.yaml';

const target: Target = {
  name: 'settings',
  sources: {
    'training/settings.ts': ['settingsJsonSchema'],
    'files/yaml.ts': [],
  },
  async seeds() {
    return [
      `# a comment
method: ilora
data: data/movielens
out: runs/a # where it goes
base: smollm2-135m
seed: 3
preset: authors-code
dtype: bfloat16
adapter:
  rank: 8
  alpha: 16.5
  experts: 2
  targets: [q_proj, "v_proj"]
  hasSlots: true
training:
  windows: 100
  batchSize: 4
  select: mrr
encoder: { method: sasrec, sasrec: { width: 16, heads: 2, blocks: 1, dropout: 0.1 } }
`,
      'method: sasrec\ndata: d\nout: o\n',
      `shared: &shared
  - q_proj
method: lora
data: |
  d
out: >-
  o
adapter:
  targets: [a, b]
`.replace(/shared: &shared\n {2}- q_proj\n/, ''),
      '{"method":"ilora","data":"d","out":"o","training":{"curriculum":"hybrid","optimizer":"adamw"}}',
    ].map((text) => caseOf({ [FILE]: text }));
  },
  read(folder) {
    const settings = readSettings(join(folder, FILE));
    if (
      !isDeepStrictEqual(resolveSettings(JSON.parse(JSON.stringify(settings)), 'again'), settings)
    )
      throw new Error('resolved settings are not what they resolve to');
  },
  async heavy() {
    const aliases = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 9 }, (_, i) => {
        const [name, before] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
        return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`;
      }),
    ];
    return {
      'aliases of aliases of aliases': caseOf({ [FILE]: aliases.join('\n') }),
      '100,000 nested lists': caseOf({ [FILE]: `method: ${'['.repeat(100_000)}` }),
      '20,000 nested block lists': caseOf({ [FILE]: `method:\n  ${'- '.repeat(20_000)}x` }),
      '20,000 unknown keys': caseOf({
        [FILE]: Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'),
      }),
      'a list of 200,000 numbers': caseOf({ [FILE]: `method: [${'1, '.repeat(200_000)}1]` }),
    };
  },
};
export default target;
