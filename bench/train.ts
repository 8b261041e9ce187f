/**
 * Training speed: `ilora` and uniform LoRA of ours, beside the authors' way of working (P1) and LoRA on transformers
 * and PEFT (P2).
 *
 *   npm run --silent bench:train -- [--quick] [--json] [--result bench/results/train.json] [--peers PYTHON]
 *
 * Everybody makes the same optimizer steps on the same MovieLens windows with SmolLM2-135M's weights, in turn. Losses
 * and gradients must agree before a timing counts. `fraction_of_peak` is useful operations per second over the best
 * matrix product at the model's shapes; useful are 4 per frozen value and token (forward, and the gradient of
 * activations), 6 per adapter value and token and 4 per value of the output layer and answer token.
 */

import {
  alternate,
  Contestant,
  environment,
  type Launch,
  median,
  ratio,
  spread,
  startAll,
  stopAll,
} from '../harness/index.js';
import { type BenchOptions, bench } from './command.js';
import {
  differences,
  disagreements,
  exportWork,
  launches,
  longInstance,
  losses,
  lossesInFloat32,
  ourLaunch,
  TOLERANCE,
} from './compare/field.js';
import { matrixPeak, usefulOperations } from './compare/operations.js';
import { rowTokens, type WorkRow } from './ours/work.js';

/** Steps before the first round that counts: memory grows in them. */
const WARM_UP = 2;
/** Longest trial of a setting of P2; compiling may take minutes. */
const TRIAL_MINUTES = 15;

await bench('train', async (options) => {
  const { isQuick, rounds, dtype, note } = options;
  const batchSize = options.windows ?? (isQuick ? 8 : 32);
  const steps = rounds + WARM_UP;
  note(`writing the work: batches of ${batchSize} windows`);
  const work = exportWork(options, { batchSize, batches: 3 * steps, ranked: 0 });
  const failures: string[] = [];

  const hasPeers = options.python !== undefined;
  if (hasPeers) note('comparing losses in float32');
  const inFloat32 = hasPeers ? await lossesInFloat32(options) : {};
  failures.push(...disagreements(inFloat32, 'float32'));
  if (failures.length > 0) return { failures, losses: { float32: inFloat32 } };

  const sweep = hasPeers ? await choosePeftSettings(options) : undefined;
  note(`starting contestants in ${dtype}`);
  const place = { work: options.work, dtype, env: environment(options) };
  const contestants = await startAll([
    ...launches(options, dtype, { ...(sweep && { peftSettings: sweep.chosen }) }),
    ...(options.threads > 1 ? [ourLaunch('ilora', place, 1)] : []),
  ]);
  try {
    const loadPeaks = await peaks(contestants);
    const inTimedType = await losses(contestants, 0);
    failures.push(...disagreements(inTimedType, dtype));
    if (failures.length > 0) return { failures, losses: { [dtype]: inTimedType } };
    const byName = new Map(contestants.map((contestant) => [contestant.name, contestant]));
    await peaks(contestants, true);

    const seconds = await alternate(
      contestants.map((contestant) => ({
        name: contestant.name,
        run: (round) => contestant.time('train', { batch: round }),
      })),
      { rounds, warmUp: WARM_UP, note },
    );
    const timed = (name: string): number[] => seconds.get(name) ?? [];
    const memory = await peaks(contestants);
    const ilora = byName.get('ilora') as Contestant;
    const peak = await matrixPeak(ilora, work, ['float32', 'bfloat16'], isQuick ? 0.2 : 1.5);

    const own = timed('ilora');
    const batches = work.batches.slice(WARM_UP, steps);
    const rates = batches.map(
      (batch, round) => usefulOperations(batch, work) / (own[round] as number),
    );
    const usefulGflops = median(rates) / 1e9;
    const versus = (name: string) => (byName.has(name) ? ratio(timed(name), own) : undefined);
    const [authors, peftRatio] = [versus('authors_style'), versus('peft_lora')];
    const overLora = ratio(own, timed('lora'));
    const oneWorker = timed('ilora_1_worker');
    await stopAll(contestants.filter(({ name }) => name !== 'ilora'));
    const inProcesses = hasPeers ? await timeInProcesses(options, ilora, sweep?.chosen ?? {}) : {};
    return {
      failures,
      instances_per_second: batchSize / median(own),
      ratio_vs_authors_style: authors?.ofMedians ?? null,
      ratio_vs_peft_lora: peftRatio?.ofMedians ?? null,
      fraction_of_peak: usefulGflops / (peak.best[dtype] ?? Number.NaN),
      ilora_over_lora_step: overLora.ofMedians,
      peak_memory_ratio_vs_authors_style: share(memory.ilora, memory.authors_style),
      peak_memory_ratio_vs_peft_lora: share(memory.ilora, memory.peft_lora),
      long_instance: longInstance(options, dtype),
      peers_in_processes: inProcesses,
      ...(oneWorker.length > 0 && { workers_over_threads: ratio(oneWorker, own) }),
      spreads: {
        ...(authors && { ratio_vs_authors_style: authors }),
        ...(peftRatio && { ratio_vs_peft_lora: peftRatio }),
        ilora_over_lora_step: overLora,
      },
      step_seconds: Object.fromEntries(
        [...byName.keys()].map((name) => [name, spread(timed(name))]),
      ),
      peak_memory_bytes: memory,
      load_peak_memory_bytes: loadPeaks,
      useful_gflops: usefulGflops,
      matrix_peak_gflops: peak,
      ...(sweep && { peft_settings: sweep }),
      losses: {
        float32: inFloat32,
        [dtype]: inTimedType,
        differences: { float32: differences(inFloat32), [dtype]: differences(inTimedType) },
        tolerance: TOLERANCE,
      },
      work: describe(batches, batchSize),
      contestants: Object.fromEntries(contestants.map(({ name, about }) => [name, about])),
    };
  } finally {
    await stopAll(contestants);
  }
});

/**
 * Ours against peers that split each step between processes of one thread each, as ours does between its workers. They
 * need not even exchange their gradients, which a real data-parallel run would.
 */
async function timeInProcesses(
  options: BenchOptions,
  ilora: Contestant,
  peftSettings: PeftSettings,
): Promise<Record<string, unknown>> {
  const { threads, rounds, dtype, note } = options;
  if (threads < 2) return {};
  const found: Record<string, unknown> = { processes: threads };
  const [, , ...peers] = launches({ ...options, threads: 1 }, dtype, { peftSettings });
  for (const [i, peer] of peers.entries()) {
    const first = (i + 1) * (rounds + WARM_UP); // ours goes on where it was
    const name = `${peer.name} in ${threads} processes`;
    const processes = await startAll(new Array<Launch>(threads).fill(peer));
    try {
      const seconds = await alternate(
        [
          {
            name: 'ilora',
            run: (round) => ilora.time('train', { batch: first + round }),
          },
          {
            name,
            run: async (round) => {
              const times = processes.map((process, own) =>
                process.time('train', { batch: first + round, share: [own, threads] }),
              );
              return Math.max(...(await Promise.all(times)));
            },
          },
        ],
        { rounds, warmUp: WARM_UP, note },
      );
      found[peer.name] = ratio(seconds.get(name) ?? [], seconds.get('ilora') ?? []);
    } finally {
      await stopAll(processes);
    }
  }
  return found;
}

function share(own: number | undefined, other: number | undefined): number | null {
  return own === undefined || other === undefined ? null : own / other;
}

type PeftSettings = Record<string, unknown>;

/** Best of several settings of PEFT, one thing after the other: instances at once, how adapters compute, compiling. */
async function choosePeftSettings(
  options: BenchOptions,
): Promise<{ chosen: PeftSettings; tried: Record<string, unknown>[]; note?: string }> {
  const { isQuick, dtype, note } = options;
  const tried: Record<string, unknown>[] = [];
  let best: { settings: PeftSettings; seconds: number } | undefined;
  const trial = async (settings: PeftSettings): Promise<void> => {
    const launch = launches(options, dtype, { kinds: ['lora'], peftSettings: settings })[1];
    const peft = await Contestant.start(launch as Launch);
    const patience = setTimeout(() => void peft.stop(), TRIAL_MINUTES * 60_000);
    try {
      await peft.ask('train', { batch: 0 });
      const seconds = await peft.time('train', { batch: 0 });
      note(`peft_lora ${JSON.stringify(settings)}: ${seconds.toFixed(2)} s`);
      tried.push({ ...settings, seconds });
      if (best === undefined || seconds < best.seconds) best = { settings, seconds };
    } catch (error) {
      const lines = String(error).trim().split('\n');
      tried.push({ ...settings, failed: lines.slice(-2).join(' ').slice(0, 300) });
    } finally {
      clearTimeout(patience);
      await peft.stop();
    }
  };
  const adapters = dtype === 'float32' ? ['float32'] : ['base', 'autocast', 'float32'];
  for (const batch of [1, 2, 4, 8]) await trial({ batch, adapters: adapters[0], compile: false });
  for (const kind of adapters.slice(1)) await trial({ ...best?.settings, adapters: kind });
  if (!isQuick) await trial({ ...best?.settings, compile: true });
  return {
    chosen: best?.settings ?? {},
    tried,
    ...(isQuick && { note: 'torch.compile is not tried with --quick' }),
  };
}

/** Peak resident memory by contestant; counted anew after it if wished. */
async function peaks(
  contestants: readonly Contestant[],
  reset = false,
): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  for (const contestant of contestants)
    bytes[contestant.name] = (await contestant.ask('memory', { reset })).peakBytes as number;
  return bytes;
}

function describe(batches: readonly WorkRow[][], batchSize: number): Record<string, unknown> {
  const rows = batches.flat();
  return {
    instances_per_step: batchSize,
    steps: batches.length,
    tokens_per_instance: spread(rows.map(rowTokens)),
    answer_tokens: spread(rows.map((row) => row.answer.length)),
    tokens: rows.reduce((total, row) => total + rowTokens(row), 0),
  };
}
