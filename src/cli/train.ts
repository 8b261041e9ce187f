/**
 * `ilora train`: a run from a settings file.
 */
import { Command } from '@commander-js/extra-typings';
import { openDataset } from '../data/index.js';
import { UsageError } from '../errors/index.js';
import { snakeCase } from '../files/index.js';
import { methodNamed } from '../recommenders/index.js';
import { type Run, readSettings, settingsJsonSchema, trainRun } from '../training/index.js';
import { interruptible } from './interrupt.js';
import { command } from './invocation.js';
import { resolveModel } from './model.js';
import { note, print, printJson, printSchema } from './terminal.js';
import { trainHooks } from './train-hooks.js';

export function trainCommand() {
  return new Command('train')
    .description('train a method by a settings file; `ilora methods` lists the methods')
    .option('--config <file>', 'settings (YAML); presets/ has some to start from')
    .option('--out <folder>', 'run folder, instead of the one in the settings')
    .option('--data <folder>', 'dataset folder, instead of the one in the settings')
    .option('--resume', 'go on with a run that was stopped')
    .option('--schema', 'print the JSON Schema of a settings file and stop')
    .option('--json', 'print one JSON document')
    .action(async ({ config, out, data, resume, schema, json }) => {
      if (schema) {
        printSchema(settingsJsonSchema());
        return;
      }
      if (config === undefined) {
        throw new UsageError(
          'ilora train: expected --config FILE, got nothing — presets/movielens-ilora.yaml is an example',
        );
      }
      const settings = readSettings(config, { ...(out && { out }), ...(data && { data }) });
      const { needs } = methodNamed(settings.method);
      const base = needs.base ? settings.base : undefined;
      const run = await interruptible(async (signal) => {
        const basePath = base === undefined ? undefined : resolveModel(base);
        const dataset = await openDataset(settings.data);
        note(
          `${settings.method} on ${dataset.manifest.name}: ${dataset.rows('train')} training windows, seed ${settings.seed}, device ${settings.device}`,
        );
        return trainRun(
          settings,
          { shared: { dataset }, ...(basePath && { basePath }), ...(resume && { resume }) },
          trainHooks(signal),
        );
      });
      if (json) printJson(documentOf(run));
      else print(describe(run));
    });
}

function documentOf({ summary, folder, recommender }: Run): unknown {
  return {
    out: folder.path,
    method: recommender.name,
    trainableParameters: recommender.trainableParameters,
    ...summary,
  };
}

function describe({ summary, folder, recommender }: Run): string {
  const { steps = 0, bestScore, bestStep, seconds = 0, chosen = {} } = summary ?? {};
  const choices = Object.entries(chosen).map(
    ([name, value]) => `${snakeCase(name)} ${shown(value)}`,
  );
  const best =
    bestScore === undefined
      ? ''
      : `${steps} steps, best validation ${bestScore.toFixed(4)} at step ${bestStep}, `;
  const byItself = choices.length > 0 ? `chosen on validation: ${choices.join(', ')}; ` : '';
  return [
    `trained ${recommender.name}: ${byItself}${best}${seconds.toFixed(seconds < 10 ? 1 : 0)} s`,
    `next: ${command('evaluate', '--run', folder.path)}`,
  ].join('\n');
}

/** A number in few digits. */
function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
