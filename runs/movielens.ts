/**
 * The long run on MovieLens-100K behind the table in README: the methods of `ilora quickstart` with the
 * budget of runs/movielens.yaml, on the 95 published test rows and on several windows per test user.
 *
 *   node --import tsx runs/movielens.ts [--config FILE] [--device cuda] [--model PATH] [--set a.b=VALUE ...]
 *
 * Stopped by Ctrl-C it goes on where it was when called again. Writes runs/movielens.json.
 * `--wide-rows N` bounds the windows per test user. `--stage sasrec|lora|ilora` does only that stage, so that the
 * two language-model methods can run side by side, one thread each; the call without it then puts all together.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { type ExperimentPlan, runExperiment, runMethod, runSasrec } from '../src/cli/experiment.js';
import { interruptible } from '../src/cli/interrupt.js';
import { resolveModel } from '../src/cli/model.js';
import type { Comparison, Evaluation } from '../src/evaluation/index.js';
import { engineInfo, processorName } from '../src/tensor/index.js';
import { resolveSettings } from '../src/training/index.js';

const { values } = parseArgs({
  options: {
    config: { type: 'string', default: 'runs/movielens.yaml' },
    device: { type: 'string' },
    model: { type: 'string' },
    machine: { type: 'string' },
    result: { type: 'string', default: 'runs/movielens.json' },
    set: { type: 'string', multiple: true, default: [] },
    stage: { type: 'string' },
    'wide-rows': { type: 'string', default: '5' },
  },
});

const input = parse(readFileSync(values.config, 'utf8')) as Record<string, unknown>;
if (values.device !== undefined) input.device = values.device;
for (const assignment of values.set) assign(input, assignment);
const settings = resolveSettings(input, values.config);

/** What was typed, without what names a place on this machine. */
const command = [
  'node --import tsx runs/movielens.ts',
  ...process.argv
    .slice(2)
    .filter(
      (word, i, words) =>
        !/^--(model|result|machine)/.test(words[i - 1] ?? '') &&
        !/^--(model|result|machine)/.test(word),
    ),
].join(' ');
const plan: ExperimentPlan = {
  title: 'iLoRA on MovieLens-100K with SmolLM2-135M',
  out: settings.out,
  basePath: values.model ?? resolveModel(settings.base),
  baseName: settings.base,
  settings,
  wideRowsPerUser: Number(values['wide-rows']),
  isGenerating: true,
  command,
};
const { stage } = values;
if (stage !== undefined) {
  if (stage === 'sasrec') await interruptible((signal) => runSasrec(plan, signal));
  else if (stage === 'lora' || stage === 'ilora')
    await interruptible((signal) => runMethod(plan, stage, signal));
  else throw new Error(`--stage: expected sasrec, lora or ilora, got ${stage}`);
  process.exit();
}

const result = await interruptible((signal) => runExperiment(plan, signal));

const summary = (evaluation: Evaluation): unknown => {
  const { outcomes: _, ...rest } = evaluation;
  return rest;
};
const summarise = (part: {
  evaluations: readonly Evaluation[];
  comparisons: readonly Comparison[];
}): unknown => ({
  evaluations: part.evaluations.map(summary),
  comparisons: part.comparisons,
});
const { libtorch, threads } = engineInfo();
const document = {
  createdAt: new Date().toISOString(),
  commit: commit(),
  command,
  settings: { ...settings, data: undefined, out: undefined },
  dataset: { name: result.dataset.manifest.name, hash: result.dataset.hash },
  base: result.base,
  machine: {
    name: values.machine ?? processorName(),
    device: settings.device,
    threads,
    libtorch: libtorch.version,
  },
  wideRowsPerUser: plan.wideRowsPerUser,
  trainSeconds: result.trainSeconds,
  seconds: result.seconds,
  test: summarise({
    evaluations: Object.values(result.evaluations),
    comparisons: result.comparisons,
  }),
  testWide: result.wide && summarise(result.wide),
  generated: result.generated.map(summary),
};
writeFileSync(values.result, `${JSON.stringify(document, null, 2)}\n`);
console.log(`wrote ${values.result} and ${result.report}`);

/** Sets `a.b=VALUE`; the value is read as YAML. */
function assign(target: Record<string, unknown>, assignment: string): void {
  const [path = '', value = ''] = assignment.split('=');
  const keys = path.split('.');
  let place = target;
  for (const key of keys.slice(0, -1)) {
    place[key] ??= {};
    place = place[key] as Record<string, unknown>;
  }
  place[keys.at(-1) as string] = parse(value);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
