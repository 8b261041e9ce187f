/** Runs the short form of a proof as a command and reads the document it ends with. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { camelKeys } from '../../src/files/index.js';
import { ROOT } from './command.js';

export interface ProofEnd {
  status: number | null;
  stderr: string;
  /** The last line of stdout, keys in camelCase. */
  document: Record<string, unknown>;
}

/** `npm run --silent prove:NAME -- --quick --json`, without npm around it. */
export function proof(name: string): ProofEnd {
  const args = ['--import', 'tsx', join(ROOT, 'prove', `${name}.ts`), '--quick', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  assert.doesNotMatch(last, /"[a-z]+[A-Z]\w*":/, 'keys are snake_case');
  const document = camelKeys(last === '' ? {} : JSON.parse(last)) as Record<string, unknown>;
  return { status, stderr, document };
}
