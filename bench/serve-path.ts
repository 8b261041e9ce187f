/**
 * The path of a served recommendation: one user at a time, and 32 users with their own gates at once.
 *
 *   npm run --silent bench:serve-path -- [--quick] [--json] [--result bench/results/serve-path.json] [--peers PYTHON]
 *
 * `lora_returning` is a user who comes back with one title more, whose prompt is remembered; iLoRA's gate, and with it every
 * key and value, changes with the history.
 *
 * `streaming` is streaming iLoRA, which ranks the whole catalog: one request, a user who returns with one item more, and
 * the predictions per second that it learns from (`bench:streaming` has these alone). Beside them stand those of the
 * title likelihood, one per window.
 *
 * A request is a history and 20 candidates; what it takes is the wait of one user on an idle machine. Beside it:
 * one greedy answer of the authors' way (P1, 64 tokens, which names one title and ranks nothing) and 20
 * candidates scored one by one after a cached prompt (P2).
 */
import {
  alternate,
  type Contestant,
  quantile,
  ratio,
  spread,
  startAll,
  stopAll,
} from '../harness/index.js';
import { bench } from './command.js';
import { launches, PEER_OF } from './compare/field.js';
import { exportRanked, GREEDY_TOKENS, timeMixed } from './compare/ranked.js';
import { streamingFigures } from './compare/streaming.js';

await bench('serve-path', async (options) => {
  const { isQuick, rounds, dtype, note } = options;
  const requests = options.windows ?? (isQuick ? 12 : 95);
  const { rows, users } = exportRanked(options, requests);
  const streaming = streamingFigures(options, dtype, { requests, steps: isQuick ? 4 : 12 });
  const contestants = await startAll(launches(options, dtype));
  try {
    const [ilora, lora] = contestants as [Contestant, Contestant];
    const one = (contestant: Contestant) => (row: number) =>
      contestant.time('rank', { rows: [row] });
    const seconds: Record<string, number[]> = {
      ilora: await each(rows, one(ilora)),
      lora: await each(rows, one(lora)),
    };
    note(`one at a time: ${(1000 * quantile(seconds.ilora as number[], 0.5)).toFixed(0)} ms`);

    const returning = await lora.ask('returning', { rows });

    const windows: number[] = [];
    for (let step = 0; step < (isQuick ? 3 : 6); step++)
      windows.push(await ilora.time('train', { batch: step }));

    // A few requests in turn with the peers, whose answers take seconds.
    const few = rows.slice(0, isQuick ? 2 : 5);
    const peers = contestants.filter(({ name }) => name !== 'ilora' && name !== 'lora');
    const entry = (contestant: Contestant) => ({
      name: contestant.name,
      run: async (): Promise<number> => {
        const times = await each(few, (row) =>
          contestant.name === PEER_OF.ilora
            ? contestant.time('generate', {
                rows: [row],
                stops: false,
                maxNewTokens: GREEDY_TOKENS,
              })
            : contestant.time('rank', { rows: [row] }),
        );
        return spread(times).median;
      },
    });
    const times = { rounds, warmUp: 1, note };
    const turns = await alternate([ilora, ...peers].map(entry), times);
    const own = turns.get('ilora') ?? [];
    const ratios = Object.fromEntries(
      peers.map(({ name }) => [name, ratio(turns.get(name) ?? [], own)]),
    );

    const batches = await timeMixed(ilora, users, times);
    const together = spread(batches.own_gates).median;
    return {
      failures: [],
      median_ms: 1000 * quantile(seconds.ilora as number[], 0.5),
      p99_ms: 1000 * quantile(seconds.ilora as number[], 0.99),
      lora_median_ms: 1000 * quantile(seconds.lora as number[], 0.5),
      lora_returning_median_ms: 1000 * quantile(returning.seconds as number[], 0.5),
      lora_returning_known_share: returning.knownShare,
      requests: rows.length,
      title_targets_per_second: 1 / quantile(windows.slice(1), 0.5),
      ...streaming,
      mixed_users_per_second: users.length / together,
      mixed_gates_ratio: ratio(batches.own_gates, batches.one_gate).ofMedians,
      ...Object.fromEntries(
        Object.entries(ratios).map(([name, found]) => [`ratio_vs_${name}`, found.ofMedians]),
      ),
      spreads: ratios,
      contestants: Object.fromEntries(contestants.map(({ name, about }) => [name, about])),
    };
  } finally {
    await stopAll(contestants);
  }
});

/** Seconds of each row, after one that does not count. */
async function each(
  rows: readonly number[],
  run: (row: number) => Promise<number>,
): Promise<number[]> {
  await run(rows[0] as number);
  const seconds: number[] = [];
  for (const row of rows) seconds.push(await run(row));
  return seconds;
}
