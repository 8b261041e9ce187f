/**
 * Training on a GPU beside the authors' way (P1) and LoRA on transformers and PEFT (P2): models of SmolLM2-135M's and
 * Llama-2-7B's shape with random bf16 weights, made-up items, no network. Started by `bench/gpu/run.sh`.
 *
 *   gpu.ts [--device cuda|cpu] [--shapes smollm2-135m,llama2-7b] [--rounds 5] [--windows N] [--python PYTHON] [--minutes 9]
 *
 * First a tiny model: losses of all contestants must agree in float32, and bf16 gradients on the device must be those of
 * float32 on the CPU up to rounding. Progress on stderr, one JSON object as the last line of stdout.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  alternate,
  Contestant,
  environment,
  type Launch,
  median,
  place,
  ratio,
  relativeDifference,
  rounded,
  spread,
  stopAll,
} from '../../harness/index.js';
import {
  disagreements,
  type Losses,
  losses,
  ourLaunch,
  peerLaunch,
  writeWork,
} from '../compare/field.js';
import { matrixPeak, usefulOperations } from '../compare/operations.js';
import { hubConfig } from '../ours/hub-config.js';
import { WORK_FILE, type Work } from '../ours/work.js';
import { factsOf, SHAPES, type ShapeName, writeMadeUpDataset } from './shape.js';

const { values: flags } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    shapes: { type: 'string', default: 'smollm2-135m,llama2-7b' },
    rounds: { type: 'string', default: '5' },
    windows: { type: 'string', default: '32' },
    python: { type: 'string' },
    minutes: { type: 'string', default: '9' },
  },
});
const device = flags.device === 'cuda' ? 'cuda' : 'cpu';
const rounds = Number(flags.rounds);
const { python } = flags;
const env = environment();
const WARM_UP = 2;
/** Tokens at once on a GPU; what the product takes by default would not leave room for three programs. */
const BATCH_TOKENS = 8192;
/** How far bf16 gradients may be from float32 ones: the angle by its cosine, the length relative. */
const GRADIENT = { leastCosine: 0.99, norm: 0.05 };

const started = performance.now();
const secondsLeft = (): number => 60 * Number(flags.minutes) - (performance.now() - started) / 1000;
const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const folder = mkdtempSync(join(tmpdir(), 'ilora-gpu-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const failures: string[] = [];
await writeMadeUpDataset(join(folder, 'data'));
const tiny = join(folder, 'tiny');
mkdirSync(tiny);
const world = {
  data: join(folder, 'data'),
  base: 'random',
  shape: 'tiny' as const,
  batchSize: Number(flags.windows),
  seed: 1,
};
const tinyWork = writeWork(tiny, { world, batches: rounds + WARM_UP, ranked: 0 }, env);

const agreement = await checkTiny();
const shapes: Record<string, unknown> = {};
for (const name of flags.shapes.split(',')) {
  if (!Object.hasOwn(SHAPES, name)) failures.push(`--shapes: no shape "${name}"`);
  else if (failures.length === 0) shapes[name] = await timeShape(name as ShapeName);
}
const document = {
  bench: 'gpu',
  ok: failures.length === 0,
  failures,
  device,
  gpu: device === 'cuda' ? smi('name') : null,
  agreement,
  shapes,
  rounds,
  seconds: Math.round((performance.now() - started) / 1000),
  ...place(),
};
process.stdout.write(`${JSON.stringify(rounded(document))}\n`);
process.exit(failures.length === 0 ? 0 : 1);

/** The contestants of a folder's work: ours with experts and, with a Python, both peers. */
function field(
  work: string,
  dtype: 'float32' | 'bfloat16',
  kinds = ['ilora', 'lora'] as const,
): Launch[] {
  const here = { work, dtype, env };
  const ours = kinds.map((kind) => ourLaunch(kind, here));
  if (python === undefined) return ours;
  const peftSettings = { batch: device === 'cuda' ? 16 : 1 };
  const peers = kinds.map((kind) => peerLaunch(kind, { ...here, python, device, peftSettings }));
  return [...ours, ...peers];
}

/** Losses of everybody on the device in float32; bf16 gradients on the device beside float32 ones on the CPU. */
async function checkTiny(): Promise<unknown> {
  note('tiny model: losses, gradients');
  const onDevice = writeFolder('tiny-device', 'tiny');
  const found: Losses = {};
  for (const launch of field(onDevice, 'float32')) {
    const contestant = await Contestant.start(launch);
    Object.assign(found, await losses([contestant], 0));
    await contestant.stop();
  }
  failures.push(...disagreements(found, 'float32'));
  const exact = await gradient(tiny, 'float32');
  const rough = await gradient(onDevice, 'bfloat16');
  const cosine = dot(exact, rough) / Math.sqrt(dot(exact, exact) * dot(rough, rough));
  const norm = relativeDifference(Math.sqrt(dot(rough, rough)), Math.sqrt(dot(exact, exact)));
  if (!(cosine >= GRADIENT.leastCosine && norm <= GRADIENT.norm))
    failures.push(
      `bf16 gradients on ${device}: expected a cosine of ${GRADIENT.leastCosine} with float32 on the CPU and norms within ${GRADIENT.norm}, got ${cosine} and ${norm}`,
    );
  return { losses: found, bf16_gradient: { cosine, norm_difference: norm } };
}

async function gradient(work: string, dtype: 'float32' | 'bfloat16'): Promise<number[]> {
  const contestant = await Contestant.start(ourLaunch('ilora', { work, dtype, env }));
  const answer = await contestant.ask('loss', { batch: 0, hasGradient: true });
  await contestant.stop();
  return answer.gradient as number[];
}

function dot(x: readonly number[], y: readonly number[]): number {
  return x.reduce((total, value, i) => total + value * (y[i] as number), 0);
}

/** The tiny model's instances for another shape; weights are not written but drawn by each contestant. */
function writeFolder(name: string, shape: ShapeName): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'base'), { recursive: true });
  copyFileSync(join(tiny, 'items.safetensors'), join(path, 'items.safetensors'));
  if (shape === 'tiny')
    for (const file of ['ilora.safetensors', 'lora.safetensors', 'base/model.safetensors'])
      copyFileSync(join(tiny, file), join(path, file));
  const work: Work = {
    ...tinyWork,
    world: { ...world, shape, device, ...(device === 'cuda' && { batchTokens: BATCH_TOKENS }) },
    facts: factsOf(SHAPES[shape], tinyWork.adapter.rank as number),
  };
  writeFileSync(join(path, WORK_FILE), JSON.stringify(work));
  writeFileSync(join(path, 'base', 'config.json'), JSON.stringify(hubConfig(SHAPES[shape])));
  return path;
}

/** Speed and memory of one shape; fewer rounds where the time is running out. */
async function timeShape(shape: ShapeName): Promise<unknown> {
  note(`${shape}: ${Math.round(secondsLeft())} s left`);
  const path = writeFolder(shape === 'tiny' ? 'tiny-timed' : shape, shape);
  const work = { ...tinyWork, facts: factsOf(SHAPES[shape], tinyWork.adapter.rank as number) };
  const contestants: Contestant[] = [];
  try {
    // One after the other, so that what the device holds more afterwards is this one's.
    const memoryMiB: Record<string, number | null> = {};
    let stepSeconds = 0;
    for (const launch of field(path, 'bfloat16').filter(({ name }) => name !== 'lora')) {
      const before = usedMiB();
      const contestant = await Contestant.start(launch);
      contestants.push(contestant);
      for (let batch = 0; batch < WARM_UP; batch++) {
        const seconds = await contestant.time('train', { batch });
        note(`${shape} warm-up: ${launch.name} ${seconds.toFixed(2)} s`);
        if (batch === WARM_UP - 1) stepSeconds += seconds;
      }
      const after = usedMiB();
      memoryMiB[launch.name] = after === null || before === null ? null : after - before;
    }
    const possible = Math.floor((0.7 * secondsLeft()) / stepSeconds);
    const done = Math.max(1, Math.min(rounds, possible));
    const entries = contestants.map((contestant) => ({
      name: contestant.name,
      run: (round: number) => contestant.time('train', { batch: WARM_UP + round }),
    }));
    const seconds = await alternate(entries, { rounds: done, warmUp: 0, note });
    const own = seconds.get('ilora') as number[];
    const rates = own.map((s, i) => usefulOperations(work.batches[WARM_UP + i] ?? [], work) / s);
    const peak = await matrixPeak(contestants[0] as Contestant, work, ['bfloat16'], 0.5);
    const versus = (name: string) => {
      const other = seconds.get(name);
      return other === undefined ? null : ratio(other, own);
    };
    return {
      rounds: done,
      instances_per_second: world.batchSize / median(own),
      ratio_vs_authors_style: versus('authors_style'),
      ratio_vs_peft_lora: versus('peft_lora'),
      fraction_of_peak: median(rates) / 1e9 / (peak.best.bfloat16 as number),
      matrix_peak_gflops: peak,
      memory_mib: memoryMiB,
      step_seconds: Object.fromEntries([...seconds].map(([name, s]) => [name, spread(s)])),
      contestants: Object.fromEntries(contestants.map(({ name, about }) => [name, about])),
    };
  } finally {
    await stopAll(contestants);
  }
}

/** Memory in use on the GPU, by all programs. */
function usedMiB(): number | null {
  const text = device === 'cuda' ? smi('memory.used') : null;
  return text === null ? null : Number.parseInt(text, 10);
}

/** What nvidia-smi says of the first GPU. */
function smi(field: string): string | null {
  const args = [`--query-gpu=${field}`, '--format=csv,noheader', '--id=0'];
  const { status, stdout } = spawnSync('nvidia-smi', args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
