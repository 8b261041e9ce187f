/**
 * The long run on MovieLens-100K behind the table in README: the methods of `ilora quickstart` with the
 * budget of runs/movielens.yaml, on the 95 published test rows and on several windows per test user.
 *
 *   node --import tsx runs/movielens.ts [--config FILE] [--device cuda] [--model PATH] [--set a.b=VALUE ...]
 *
 * Stopped by Ctrl-C it goes on where it was when called again. Writes runs/movielens.json.
 * `--wide-rows N` bounds the windows per test user. `--stage METHOD` does only that method, so that two of them can
 * run side by side, one thread each; the call without it then puts all together. Encoders come first.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { interruptible } from '../src/cli/interrupt.js';
import { resolveModel } from '../src/cli/model.js';
import { studyHooks } from '../src/cli/train-hooks.js';
import { type Comparison, type Evaluation, evaluationSummary } from '../src/evaluation/index.js';
import { snakeKeys } from '../src/files/index.js';
import { runStudy, runStudyMethod, type Study, studySettings } from '../src/studies/index.js';
import { engineInfo, processorName } from '../src/tensor/index.js';
import { readDocument } from '../src/training/index.js';

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

const input = readDocument(values.config);
if (values.device !== undefined) input.device = values.device;
for (const assignment of values.set) assign(input, assignment);
const settings = studySettings(input, values.config);
const baseName = String(input.base ?? 'smollm2-135m');

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
const study: Study = {
  title: 'iLoRA on MovieLens-100K with SmolLM2-135M',
  settings,
  basePath: values.model ?? resolveModel(baseName),
  baseName,
  wideRowsPerUser: Number(values['wide-rows']),
  isGenerating: true,
  command,
};
const { stage } = values;
if (stage !== undefined) {
  await interruptible((signal) => runStudyMethod(study, stage, studyHooks(signal)));
  process.exit();
}

const result = await interruptible((signal) => runStudy(study, studyHooks(signal)));

const summarise = (
  evaluations: readonly Evaluation[],
  comparisons: readonly Comparison[],
): unknown => ({ evaluations: evaluations.map(evaluationSummary), comparisons });
const { methods } = result;
const wide = methods.flatMap(({ wide: evaluation }) => evaluation ?? []);
const { libtorch, threads } = engineInfo();
const document = {
  createdAt: new Date().toISOString(),
  commit: commit(),
  command,
  settings: { ...input, data: undefined, out: undefined },
  dataset: { name: result.dataset.manifest.name, hash: result.dataset.hash },
  base: result.base,
  machine: {
    name: values.machine ?? processorName(),
    device: settings.common.device,
    threads,
    libtorch: libtorch.version,
  },
  wideRowsPerUser: study.wideRowsPerUser,
  trainSeconds: Object.fromEntries(
    methods.map(({ method, trainSeconds }) => [method.name, trainSeconds]),
  ),
  seconds: result.seconds,
  test: summarise(
    methods.map(({ evaluation }) => evaluation),
    result.comparisons,
  ),
  testWide: wide.length > 0 ? summarise(wide, result.wideComparisons) : undefined,
  generated: methods.flatMap(({ generated }) => (generated ? [evaluationSummary(generated)] : [])),
};
writeFileSync(values.result, `${JSON.stringify(snakeKeys(document), null, 2)}\n`);
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
