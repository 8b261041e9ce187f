/**
 * `ilora train`: a run from a settings file.
 */
import { Command } from '@commander-js/extra-typings';
import { openDataset } from '../data/index.js';
import { UsageError } from '../errors/index.js';
import { readSettings, settingsJsonSchema, trainRun } from '../training/index.js';
import { interruptible } from './interrupt.js';
import { resolveModel } from './model.js';
import { note, print, printJson } from './terminal.js';
import { trainHooks } from './train-hooks.js';

export function trainCommand(): Command {
  return new Command('train')
    .description('train SASRec, uniform LoRA or iLoRA as a settings file says')
    .option('--config <file>', 'settings (YAML)')
    .option('--out <folder>', 'run folder, in place of the one in the settings')
    .option('--data <folder>', 'dataset folder, in place of the one in the settings')
    .option('--resume', 'continue the run in the folder')
    .option('--schema', 'print the JSON Schema of a settings file and stop')
    .option('--json', 'print one JSON document')
    .action(async ({ config, out, data, resume, schema, json }) => {
      if (schema) {
        printJson(settingsJsonSchema());
        return;
      }
      if (config === undefined) {
        throw new UsageError(
          'ilora train: expected --config FILE, got nothing — presets/movielens-ilora.yaml is an example',
        );
      }
      const settings = readSettings(config, { ...(out && { out }), ...(data && { data }) });
      const basePath = settings.method === 'sasrec' ? undefined : resolveModel(settings.base);
      const run = await interruptible(async (signal) => {
        const dataset = await openDataset(settings.data);
        note(
          `${settings.method} on ${dataset.manifest.name}: ${dataset.rows('train')} training windows, seed ${settings.seed}, device ${settings.device}`,
        );
        return trainRun(settings, { shared: { dataset }, basePath, resume }, trainHooks(signal));
      });
      const { summary, folder, recommender } = run;
      if (json)
        printJson({
          out: folder.path,
          method: recommender.name,
          trainable_parameters: recommender.trainableParameters,
          ...summary,
        });
      else {
        print(
          `trained ${recommender.name}: ${summary?.steps} steps, best validation ${summary?.bestScore?.toFixed(4)} at step ${summary?.bestStep}, ${summary?.seconds.toFixed(0)} s`,
        );
        print(`next: ilora evaluate --run ${folder.path}`);
      }
    }) as unknown as Command;
}
