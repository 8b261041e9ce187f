/**
 * The work of training in floating-point operations, and what the hardware could do at best.
 */

import type { Contestant } from '../../harness/index.js';
import { median } from '../../harness/index.js';
import { rowTokens, type Work, type WorkRow } from '../ours/work.js';

/**
 * Operations of a step that no program can do without: 4 per frozen value and token (forward, and the gradient of
 * activations), 6 per adapter value and token, 4 per value of the output layer and answer token. Padding, attention
 * and what is computed twice do not count.
 */
export function usefulOperations(batch: readonly WorkRow[], { facts }: Work): number {
  const tokens = batch.reduce((total, row) => total + rowTokens(row), 0);
  const answers = batch.reduce((total, row) => total + row.answer.length, 0);
  return (
    tokens * (4 * facts.nonEmbeddingParameters + 6 * facts.adapterParameters) +
    4 * facts.vocabulary * facts.width * answers
  );
}

interface Speed {
  dtype: string;
  M: number;
  K: number;
  N: number;
  gflops: number;
}

/** Matrix products of the model's shapes, for one instance and for several at once, in the engine all of ours use. */
export async function matrixPeak(
  ilora: Contestant,
  { facts, batches }: Work,
  dtypes: readonly string[],
  seconds: number,
): Promise<{ best: Record<string, number>; speeds: Speed[] }> {
  const { width: D, keyValueWidth: G, innerWidth: F } = facts;
  const tokens = Math.round(median(batches.flat().map(rowTokens)));
  const sizes = [tokens, 4 * tokens].flatMap((M) => [
    { M, K: D, N: D },
    { M, K: D, N: G },
    { M, K: D, N: F },
    { M, K: F, N: D },
  ]);
  const { speeds } = (await ilora.ask('peak', { sizes, dtypes, seconds })) as { speeds: Speed[] };
  const best: Record<string, number> = {};
  for (const { dtype, gflops } of speeds) best[dtype] = Math.max(best[dtype] ?? 0, gflops);
  return { best, speeds };
}
