/**
 * Streaming iLoRA alone: milliseconds of a recommendation from the whole catalog, and of one for a user who returns with
 * one item more; predictions per second that it learns from. With six layers of the base, and with two.
 *
 *   npm run --silent bench:streaming -- [--quick] [--json] [--dtype float32] [--result bench/results/streaming.json]
 *
 * `bench:serve-path` has the same beside what the title likelihood takes.
 */
import { command } from './command.js';
import { exportRanked } from './compare/ranked.js';
import { streamingFigures } from './compare/streaming.js';

await command('streaming', { needs: ['data', 'base'] }, async (options) => {
  const requests = options.windows ?? (options.isQuick ? 12 : 95);
  exportRanked(options, requests);
  const steps = options.isQuick ? 4 : 12;
  const figures = streamingFigures(options, options.dtype, { requests, steps });
  return { failures: [], requests, ...figures };
});
