/**
 * Proves: whatever ends a training process, what it had saved is there, and the resumed run equals one that
 * was never ended, bit for bit.
 *
 *   npm run --silent prove:kill [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * Faults at file operations: a library preloaded into the process (kill/shim.c) ends it by SIGKILL before any
 * operation, tears a write, or lets the disk be full or broken from there; in the long form at every operation of
 * a run. Processes of the command line: SIGKILL at random moments, several on one folder, a tmpfs that is really
 * full, a learning rate that explodes. Damage: one changed byte anywhere in checkpoints, best weights, log, base
 * and dataset is noticed before use.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../harness/index.js';
import { Random } from '../src/random/index.js';
import { engineThreads } from '../src/tensor/index.js';
import { type FaultAmount, proveFaults } from './kill/faults.js';
import { proveFlips } from './kill/flips.js';
import { explode, fillDisk, killRandomly, startTogether } from './kill/processes.js';
import { type Findings, type ProofOptions, prove } from './proof.js';
import { makeWorld } from './resume/world.js';

interface Amount {
  faults: FaultAmount;
  random: { kills: number; perRun: number; windows: number };
  together: { processes: number; windows: number };
  disk: { levels: number; windows: number };
  perFile: number;
}

const ALL = Number.POSITIVE_INFINITY;
const LONG: Amount = {
  faults: { each: { kill: ALL, torn: ALL, full: 60, broken: 80 }, pairs: 30, ilora: 30 },
  random: { kills: 40, perRun: 6, windows: 160 },
  together: { processes: 4, windows: 160 },
  disk: { levels: 5, windows: 40 },
  perFile: 20,
};
const QUICK: Amount = {
  faults: { each: { kill: 4, torn: 2, full: 2, broken: 2 }, pairs: 1, ilora: 1 },
  random: { kills: 1, perRun: 1, windows: 24 },
  together: { processes: 0, windows: 0 },
  disk: { levels: 0, windows: 0 },
  perFile: 1,
};

await prove('kill', (options) => inFolder('kill', (folder) => run(options, folder)));

async function run({ isQuick, seed, note }: ProofOptions, folder: string): Promise<Findings> {
  engineThreads(1);
  const amount = isQuick ? QUICK : LONG;
  const failures: string[] = [];
  const random = new Random(seed, 'prove-kill');
  const world = await makeWorld(join(folder, 'world'), seed);
  const part = async <T>(name: string, run: (inside: string) => Promise<T>): Promise<T> => {
    const inside = join(folder, name);
    mkdirSync(inside);
    const found = await run(inside);
    note(`${name}: ${JSON.stringify(found)}, ${failures.length} failures`);
    return found;
  };
  const faults = await part('faults', (inside) =>
    proveFaults(world, inside, { amount: amount.faults, seed, failures }),
  );
  const flips = await part('flips', (inside) =>
    proveFlips(world, inside, { perFile: amount.perFile, seed, random, failures }),
  );
  const where = (inside: string) => ({ world, folder: inside, seed, random, failures });
  const processes = await part('random', (inside) => killRandomly(where(inside), amount.random));
  // The short form leaves these to unit tests and to the faults: each is several processes.
  const together = isQuick
    ? undefined
    : await part('together', (inside) => startTogether(where(inside), amount.together));
  const disk = isQuick
    ? undefined
    : ((await part('disk', (inside) => fillDisk(where(inside), amount.disk))) ??
      'mounting is not permitted here; the faults of kind "full" stand for it');
  const notFinite = isQuick ? undefined : await part('explode', (inside) => explode(where(inside)));
  const kills = (faults.tried.kill ?? 0) + (faults.tried.torn ?? 0) + processes.kills;
  return {
    ok: failures.length === 0,
    failures: failures.slice(0, 50),
    kills,
    faults,
    processes,
    disk,
    together,
    notFinite,
    flips,
  };
}
