/**
 * Gets what the benchmarks need and is not there: dataset, base, and the Python packages of the peers.
 *
 *   npm run bench:setup [-- --data FOLDER] [--base NAME] [--recbole]
 *
 * `--recbole` also installs the peer of `bench:sasrec`.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { noteOnStderr, prepareNeeds, ROOT, UsageError } from '../harness/index.js';
import { baseNeed, DEFAULT_PLACES, dataNeed, PYTORCH, peersNeed, RECBOLE } from './needs.js';

try {
  const { values: places } = parseArgs({
    options: {
      data: { type: 'string', default: DEFAULT_PLACES.data },
      base: { type: 'string', default: DEFAULT_PLACES.base },
      recbole: { type: 'boolean', default: false },
    },
  });
  const peers = places.recbole ? [PYTORCH, RECBOLE] : [PYTORCH];
  const needs = [dataNeed(places), baseNeed(places), ...peers.map((one) => peersNeed(places, one))];
  prepareNeeds(needs, ([command = '', ...args]) => {
    noteOnStderr(`> ${[command, ...args].join(' ')}`);
    return spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] }).status;
  });
  noteOnStderr('all that the benchmarks need is there');
} catch (error) {
  noteOnStderr(`bench:setup: ${(error as Error).message}`);
  process.exitCode = error instanceof UsageError ? 1 : 2;
}
