/**
 * What those that time answers share: rows of the test split to be ranked, and many users in one batch.
 */
import { alternate, type Contestant } from '../../harness/index.js';
import type { BenchOptions } from '../command.js';
import { exportWork } from './field.js';

/** As many users as share a batch in the measurement of mixed gates. */
const MIXED_USERS = 32;
/** As many tokens as the authors' program writes. */
export const GREEDY_TOKENS = 64;

/** Writes rows to be ranked into the benchmark's folder. @returns their numbers, and those of a mixed batch */
export function exportRanked(
  options: BenchOptions,
  wanted: number,
): { rows: number[]; users: number[] } {
  const ranked = Math.max(wanted, MIXED_USERS);
  const work = exportWork(options, { batchSize: 1, batches: 1, ranked });
  const all = work.ranked.map((_, row) => row);
  return { rows: all.slice(0, wanted), users: all.slice(0, MIXED_USERS) };
}

/** Seconds of all users in one batch, each with a gate of its own and all with the first one's. */
export async function timeMixed(
  ilora: Contestant,
  users: readonly number[],
  times: Parameters<typeof alternate>[1],
): Promise<{ own_gates: number[]; one_gate: number[] }> {
  const seconds = await alternate(
    [
      { name: 'own_gates', run: () => ilora.time('mixed', { rows: users }) },
      { name: 'one_gate', run: () => ilora.time('mixed', { rows: users, hasOneGate: true }) },
    ],
    times,
  );
  return { own_gates: seconds.get('own_gates') ?? [], one_gate: seconds.get('one_gate') ?? [] };
}
