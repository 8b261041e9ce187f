/**
 * Proves: a run that was stopped anywhere and resumed equals one that was never stopped, bit for bit.
 *
 *   npm run --silent prove:resume [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * SASRec, LoRA and iLoRA with three gates, in one thread and with workers, are trained through `trainRun` with
 * dropout, validation and early stopping; a stop is placed at every point where training asks whether to stop (before and after
 * each part of a step, while validating). Then two or three stops in one run; then the command line in
 * processes of its own with SIGINT at random times. Compared are all tensors and moments, the state, every
 * line of the metrics, the best weights and the summary; only times may differ.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../harness/index.js';
import { IloraError } from '../src/errors/index.js';
import { Random } from '../src/random/index.js';
import { engineThreads } from '../src/tensor/index.js';
import type { Settings } from '../src/training/index.js';
import { type Findings, type ProofOptions, prove } from './proof.js';
import { trainWithSignals } from './resume/command.js';
import { applyControl, CONTROLS } from './resume/control.js';
import { countOutcome, firstDifference, type Outcome, readOutcome } from './resume/outcome.js';
import { drawPlaces } from './resume/places.js';
import { StopAt, session, trainToEnd, trainWithStops } from './resume/session.js';
import {
  makeWorld,
  settingsInput,
  settingsOf,
  VARIANTS,
  type Variant,
  type World,
} from './resume/world.js';

interface Reference {
  settings: Settings;
  outcome: Outcome;
  /** How often training asks whether to stop. */
  asked: number;
}

/** How much is done. */
const LONG = {
  single: Number.POSITIVE_INFINITY,
  several: 12,
  controls: Number.POSITIVE_INFINITY,
  commands: 6,
  signals: 5,
  windows: 400,
};
const QUICK = { single: 0, several: 1, controls: 3, commands: 1, signals: 1, windows: 24 };

await prove('resume', (options) => inFolder('resume', (folder) => run(options, folder)));

async function run({ isQuick, seed, note }: ProofOptions, folder: string): Promise<Findings> {
  engineThreads(1);
  const amount = isQuick ? QUICK : LONG;
  const failures: string[] = [];
  const random = new Random(seed, 'prove-resume');
  const world = await makeWorld(join(folder, 'world'), seed);
  const variants: Record<string, unknown> = {};
  let interruptions = 0;
  let runs = 0;
  const references = new Map<Variant, Reference>();
  for (const variant of VARIANTS) {
    const reference = await referenceOf(world, variant, folder, seed);
    references.set(variant, reference);
    const all = Array.from({ length: reference.asked }, (_, i) => i + 1);
    const places = drawPlaces(all, amount.single, random).map((place) => [place]);
    for (let i = 0; i < amount.several; i++)
      places.push(Array.from({ length: 2 + random.int(2) }, () => 1 + random.int(reference.asked)));
    let stops = 0;
    for (const list of places) {
      const difference = await compareStopped(world, reference, list, join(folder, 'stopped'));
      stops += difference.stops;
      if (difference.text !== undefined)
        failures.push(`${variant}, stopped at ${list.join(', ')}: ${difference.text}`);
    }
    interruptions += stops;
    runs += places.length;
    variants[variant] = {
      steps: JSON.parse(reference.outcome.get('summary.json') as string).steps,
      placesToStop: reference.asked,
      runs: places.length,
      stops,
      compared: countOutcome(reference.outcome),
    };
    note(`${variant}: ${places.length} runs with ${stops} stops, ${failures.length} failures`);
  }
  const changes = Object.entries(CONTROLS).slice(0, amount.controls);
  const linear = references.get('linear') as Reference;
  const controls = await runControls(world, linear, { folder, changes });
  for (const [name, difference] of Object.entries(controls))
    if (difference === undefined) failures.push(`control: ${name} was changed unnoticed`);
  note(`controls: ${Object.keys(controls).length} changes`);
  const command = await runCommands(world, folder, { ...amount, seed, random }, failures);
  note(`command line: ${JSON.stringify(command)}`);
  return {
    ok: failures.length === 0,
    failures,
    runs,
    interruptions,
    variants,
    controls,
    command,
  };
}

/** The uninterrupted run; the language-model variants use the SASRec of the first. */
async function referenceOf(
  world: World,
  variant: Variant,
  folder: string,
  seed: number,
): Promise<Reference> {
  const encoder = join(folder, 'reference-sasrec');
  const out = join(folder, `reference-${variant}`);
  const settings = settingsOf(world, variant, { out, seed, encoder });
  return { settings, ...(await trainToEnd(world, settings)) };
}

async function compareStopped(
  world: World,
  { settings, outcome }: Reference,
  places: readonly number[],
  out: string,
): Promise<{ text?: string; stops: number }> {
  rmSync(out, { recursive: true, force: true });
  const stopped = await trainWithStops(world, { ...settings, out }, places);
  return { text: firstDifference(outcome, stopped.outcome), stops: stopped.stops };
}

/** What the comparison says of runs that were resumed from a changed checkpoint. */
async function runControls(
  world: World,
  { settings, outcome, asked }: Reference,
  { folder, changes }: { folder: string; changes: [string, (checkpoint: string) => void][] },
): Promise<Record<string, string | undefined>> {
  const stopped = join(folder, 'control-stopped');
  const half = new StopAt(Math.ceil(asked * 0.6));
  await session(world, { ...settings, out: stopped }, { resume: false, stop: half });
  const found: Record<string, string | undefined> = {};
  for (const [name, change] of [['nothing', undefined] as const, ...changes]) {
    const out = join(folder, 'control');
    rmSync(out, { recursive: true, force: true });
    cpSync(stopped, out, { recursive: true });
    if (change !== undefined) applyControl(out, change);
    let difference: string | undefined;
    try {
      await session(world, { ...settings, out }, { resume: true, stop: new StopAt() });
      difference = firstDifference(outcome, readOutcome(out));
    } catch (error) {
      if (!(error instanceof IloraError)) throw error;
      difference = `refused: ${error.message.replaceAll(folder, '')}`;
    }
    if (name !== 'nothing') found[name] = difference;
    else if (difference !== undefined)
      throw new Error(`the untouched control differs: ${difference}`);
  }
  return found;
}

/** The same through `ilora train`, which also trains the SASRec behind the gate. */
async function runCommands(
  world: World,
  folder: string,
  how: { commands: number; signals: number; windows: number; seed: number; random: Random },
  failures: string[],
): Promise<{ runs: number; stopped: number; stoppedBeforeTraining: number }> {
  const inputOf = (out: string): Record<string, unknown> => {
    const input = settingsInput(world, 'conv-batch-norm', { out, seed: how.seed });
    const training = { ...(input.training as object), windows: how.windows, patience: 0 };
    return { ...input, training };
  };
  const wanted = join(folder, 'command-reference');
  const config = join(folder, 'settings.yaml');
  const started = performance.now();
  await trainWithSignals(inputOf(wanted), config, { signals: 0, ofMs: 0, random: how.random });
  const ofMs = 0.7 * (performance.now() - started);
  const reference = readOutcome(wanted);
  let stopped = 0;
  let early = 0;
  for (let i = 0; i < how.commands; i++) {
    const out = join(folder, `command-${i}`);
    const counts = await trainWithSignals(inputOf(out), config, { ...how, ofMs });
    stopped += counts.stopped;
    early += counts.early;
    const difference = firstDifference(reference, readOutcome(out));
    if (difference !== undefined) failures.push(`command line, run ${i}: ${difference}`);
  }
  return { runs: how.commands, stopped, stoppedBeforeTraining: early };
}
