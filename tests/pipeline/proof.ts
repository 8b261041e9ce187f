/** Runs the short form of a proof as a command and reads the document it ends with. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './command.js';

export interface ProofEnd {
  status: number | null;
  stderr: string;
  /** The last line of stdout. */
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
  return { status, stderr, document: last === '' ? {} : JSON.parse(last) };
}
