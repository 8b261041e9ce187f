/**
 * What is mutated, and the tests that should notice. A new target is a row here; nothing else names one.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
export interface Target {
  name: string;
  /** Source files, or folders with all files below, from the root of the repository. */
  sources: readonly string[];
  /** Test files, or folders with all `.test.ts` below. */
  tests: readonly string[];
}

/** Ordered as they run. */
export const TARGETS: readonly Target[] = [
  {
    name: 'lora',
    sources: ['src/lora'],
    tests: [
      'tests/unit/lora',
      'tests/parity/lora',
      'tests/parity/ilora/experts-and-gates.test.ts',
      'tests/invariants/layer.test.ts',
      'tests/invariants/gate.test.ts',
    ],
  },
  { name: 'evaluation', sources: ['src/evaluation'], tests: ['tests/unit/evaluation'] },
  { name: 'optim', sources: ['src/optim'], tests: ['tests/unit/optim', 'tests/parity/optim'] },
  {
    name: 'layout',
    sources: ['src/recommenders/llm/layout.ts'],
    tests: ['tests/unit/recommenders/layout.test.ts'],
  },
  {
    name: 'candidates',
    sources: ['src/data/candidates.ts'],
    tests: ['tests/unit/data/candidates.test.ts'],
  },
  {
    name: 'registry',
    sources: ['src/recommenders/registry.ts', 'src/recommenders/method.ts'],
    tests: ['tests/unit/recommenders/registry.test.ts', 'tests/unit/training/settings.test.ts'],
  },
];

/** The files that a target's list of files and folders names; a name that leads nowhere is an error. */
export function filesOf(root: string, names: readonly string[], ending: string): string[] {
  return names.flatMap((name) => {
    if (!statSync(join(root, name)).isDirectory()) return [name];
    return readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith(ending))
      .map((file) => `${name}/${file}`)
      .sort();
  });
}
