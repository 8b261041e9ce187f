/**
 * Speed of answers: all 20 candidates of a test row scored in one pass over a tree of tokens, beside the authors' greedy
 * answering (P1) and beside scoring one candidate at a time after a cached prompt (P2, transformers).
 *
 *   npm run --silent bench:score -- [--quick] [--json] [--result bench/results/score.json] [--peers PYTHON]
 *
 * Rankings must be those of the one-by-one scores in float32 before a timing counts; in the timed type the share of
 * rows with the same order and the same first item is reported. `ratio_vs_greedy` lets P1 write on to 64 tokens, as the
 * authors' program does (its answers end at the text's end token only); `ratio_vs_greedy_stopping` ends its answers where
 * the true titles end, as if it were trained and stopped at the line's end.
 */
import {
  alternate,
  type Contestant,
  type Entry,
  ratio,
  spread,
  startAll,
  stopAll,
} from '../harness/index.js';
import { type BenchDtype, type BenchOptions, bench } from './command.js';
import { launches, PEER_OF } from './compare/field.js';
import { exportRanked, GREEDY_TOKENS, timeMixed } from './compare/ranked.js';
import { type Agreement, agreement } from './compare/ranking.js';

await bench('score', async (options) => {
  const { isQuick, rounds, dtype, note } = options;
  const wanted = options.windows ?? (isQuick ? 8 : 95);
  const { rows, users } = exportRanked(options, wanted);

  note('comparing rankings in float32');
  const inFloat32 = await rankings(options, 'float32', rows);
  const failures = Object.entries(inFloat32).flatMap(([own, found]) => failed(own, found));
  if (failures.length > 0) return { failures, ranking: { float32: inFloat32 } };
  const ranking = {
    float32: inFloat32,
    ...(dtype !== 'float32' && { [dtype]: await rankings(options, dtype, rows) }),
  };

  note(`starting contestants in ${dtype}`);
  const contestants = await startAll(launches(options, dtype));
  try {
    const times = { rounds, warmUp: 1, note };
    const seconds = await alternate(entries(contestants, rows), times);
    const ilora = contestants[0] as Contestant;
    const mixed = await timeMixed(ilora, users, times);
    const own = seconds.get('ilora') ?? [];
    const versus = (name: string) => {
      const other = seconds.get(name);
      return other === undefined ? undefined : ratio(other, own);
    };
    const ratios = {
      ratio_vs_greedy: versus('authors_style_greedy'),
      ratio_vs_greedy_stopping: versus('authors_style_greedy_stopping'),
      ratio_vs_one_by_one: versus('peft_lora_one_by_one'),
      mixed_gates_ratio: ratio(mixed.own_gates, mixed.one_gate),
    };
    const rates = [...seconds].map(([name, values]) => [
      name,
      spread(values.map((value) => rows.length / value)),
    ]);
    return {
      failures,
      rows_per_second: rows.length / spread(own).median,
      ...Object.fromEntries(
        Object.entries(ratios).map(([name, value]) => [name, value?.ofMedians ?? null]),
      ),
      spreads: ratios,
      rates: Object.fromEntries(rates),
      mixed_gates: {
        users: users.length,
        seconds: Object.fromEntries(
          Object.entries(mixed).map(([name, values]) => [name, spread(values)]),
        ),
      },
      ranking,
      rows: rows.length,
      contestants: Object.fromEntries(contestants.map(({ name, about }) => [name, about])),
    };
  } finally {
    await stopAll(contestants);
  }
});

/** What is timed in turn. */
function entries(contestants: readonly Contestant[], rows: readonly number[]): Entry[] {
  return contestants.flatMap((contestant) => {
    const { name } = contestant;
    const rank = () => contestant.time('rank', { rows });
    if (name === 'ilora' || name === 'lora') return [{ name, run: rank }];
    if (name === PEER_OF.lora) return [{ name: `${name}_one_by_one`, run: rank }];
    const generate = (stops: boolean) =>
      contestant.time('generate', { rows, stops, maxNewTokens: GREEDY_TOKENS });
    return [
      { name: `${name}_greedy`, run: () => generate(false) },
      { name: `${name}_greedy_stopping`, run: () => generate(true) },
    ];
  });
}

/** Tree scores of ours beside one-by-one scores of the peer with the same adapter; two processes at a time. */
async function rankings(
  options: BenchOptions,
  dtype: BenchDtype,
  rows: readonly number[],
): Promise<Record<string, Agreement>> {
  const found: Record<string, Agreement> = {};
  if (options.python === undefined) return found;
  for (const kind of ['ilora', 'lora'] as const) {
    const pair = await startAll(launches(options, dtype, { kinds: [kind] }));
    try {
      const scores: number[][][] = [];
      for (const contestant of pair)
        scores.push((await contestant.ask('rank', { rows })).scores as number[][]);
      found[kind] = agreement(scores[0] as number[][], scores[1] as number[][]);
    } finally {
      await stopAll(pair);
    }
  }
  return found;
}

function failed(own: string, { differing, rows, largestDifference }: Agreement): string[] {
  if (differing.length === 0) return [];
  return [
    `${own} in float32: expected the ranking of one-by-one scores in all ${rows} rows, got another in rows ${differing.join(', ')} (scores differ by up to ${largestDifference})`,
  ];
}
