/**
 * Opens a dataset and draws random instances from it, as training does.
 *
 *   node --import tsx prove/import/open-dataset.ts FOLDER COUNT SEED
 */
import { openDataset } from '../../src/data/index.js';
import { Random } from '../../src/random/index.js';

const [folder = '', count = '', seed = ''] = process.argv.slice(2);
const started = performance.now();
const dataset = await openDataset(folder);
const opened = performance.now();
const random = new Random(Number(seed), 'prove-import');
const rows = dataset.rows('train');
let faults = 0;
for (let i = 0; i < Number(count); i++) {
  const row = random.int(rows);
  const { history, target, candidates } = dataset.instance('train', row, {
    draw: { seed: 1, epoch: i },
  });
  const isGood =
    history.length >= 3 &&
    history.length <= 10 &&
    candidates.length === 20 &&
    new Set(candidates).size === 20 &&
    candidates.includes(target) &&
    candidates.every((item) => item === target || !history.includes(item));
  if (!isGood) faults++;
}
console.log(
  JSON.stringify({
    openSeconds: (opened - started) / 1000,
    drawSeconds: (performance.now() - opened) / 1000,
    instances: Number(count),
    faults,
  }),
);
