/**
 * SASRec on MovieLens-100K: ours through the product's own training loop against RecBole's through its own trainer.
 *
 *   npm run --silent bench:sasrec -- [--peers PYTHON] [--quick] [--json] [--rounds EPOCHS] [--length L]
 *
 * Equal: sequences, targets per epoch, width 64, 2 blocks, 2 heads, inner width 256, GELU, cross-entropy over the
 * catalog, Adam at 1e-3, length of history, threads, allocator. They take turns, epoch by epoch.
 * An epoch means the same for both, every target once; the work is not: RecBole makes each prefix a row of its own and
 * runs it through the model for one prediction, ours predicts at every place of a chunk of L items in one pass,
 * cut at an offset that is drawn anew each epoch, so a target sees L / 2 items on average where RecBole's sees L.
 * That is why quality counts too: both are evaluated by the same code on the same rows after each epoch.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Contestant, environment, ROOT, spread } from '../harness/index.js';
import { openDataset } from '../src/data/index.js';
import { SASRec, SequenceLearner } from '../src/recommenders/index.js';
import { engineThreads, Generator, noGrad, scope } from '../src/tensor/index.js';
import { RunFolder } from '../src/training/run-folder.js';
import { train } from '../src/training/trainer.js';
import { command, type Findings } from './command.js';
import { RECBOLE } from './needs.js';
import {
  type Curve,
  type Held,
  held,
  learned,
  makeTask,
  qualityOf,
  secondsTo,
} from './sasrec/task.js';

const OURS = { width: 64, blocks: 2, heads: 2, dropout: 0.2, preset: 'modern' } as const;
/** Chunks per step. */
const CHUNKS = 32;
/** RecBole's defaults, but for the batch: 512 is as fast as 2,048 here and takes four times the steps. */
const THEIRS = {
  hidden_size: 64,
  inner_size: 256,
  n_layers: 2,
  n_heads: 2,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.2,
  attn_dropout_prob: 0.2,
  learning_rate: 1e-3,
  train_batch_size: 512,
};
const TARGET_RATIO = 2;

/** An epoch of one of them. */
interface Epoch {
  seconds: number;
  validation: number;
  test: number;
}

await command(
  'sasrec',
  { rounds: 40, quickRounds: 2, needs: ['data'], peers: RECBOLE },
  async (options): Promise<Findings> => {
    const { length, rounds: epochs, isQuick, work, note } = options;
    const task = makeTask(await openDataset(options.data), isQuick ? 60 : undefined);
    const { sequences, catalogSize, targets } = task;
    const rows = {
      validation: sequences.map((items) => held(items, 'validation')),
      test: sequences.map((items) => held(items, 'test')),
    };
    const files = {
      sequences: join(work, 'sequences'),
      validation: join(work, 'v'),
      test: join(work, 't'),
    };
    const lines = (lists: readonly (readonly number[])[]): string =>
      lists.map((list) => `${JSON.stringify(list)}\n`).join('');
    writeFileSync(files.sequences, lines(sequences));
    for (const part of ['validation', 'test'] as const)
      writeFileSync(files[part], lines(rows[part].map(({ history }) => history)));

    engineThreads(options.threads);
    const peer =
      options.python === undefined
        ? undefined
        : await Contestant.start({
            name: 'RecBole',
            command: options.python,
            args: ['-W', 'ignore', join(ROOT, 'bench', 'peers', 'recbole_sasrec.py')],
            env: environment(options),
            cwd: work, // it leaves logs where it stands
          });
    const about = await peer?.ask('start', {
      sequences: files.sequences,
      folder: join(work, 'recbole'),
      settings: { ...THEIRS, MAX_ITEM_LIST_LENGTH: length, seed: 1 },
    });
    const model = new SASRec({ ...OURS, catalogSize, maxHistory: length }, new Generator(1));
    const learner = new SequenceLearner(
      model,
      sequences.map((items, user) => ({ user: `${user}`, items: Int32Array.from(learned(items)) })),
      { learningRate: 1e-3, weightDecay: 1e-6, loss: 'softmax' },
    );
    const ours: Epoch[] = [];
    const theirs: Epoch[] = [];

    async function theirTurn(recbole: Contestant): Promise<void> {
      const { seconds } = await recbole.ask('epoch');
      const quality = async (part: 'validation' | 'test'): Promise<number> => {
        const out = join(work, 'scores');
        const { catalog } = await recbole.ask('scores', { histories: files[part], out });
        const bytes = readFileSync(out);
        const scores = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
        return qualityOf(rows[part], widen(scores, catalog as number, catalogSize), catalogSize)
          .ndcg_at_10;
      };
      theirs.push({
        seconds: seconds as number,
        validation: await quality('validation'),
        test: await quality('test'),
      });
    }

    let started = performance.now();
    const validate = async () => {
      const seconds = (performance.now() - started) / 1000;
      const quality = (part: 'validation' | 'test'): number =>
        qualityOf(rows[part], scoresOf(model, rows[part]), catalogSize).ndcg_at_10;
      ours.push({ seconds, validation: quality('validation'), test: quality('test') });
      if (peer !== undefined) await theirTurn(peer);
      note(`epoch ${ours.length}: ours ${say(ours.at(-1))}, RecBole ${say(theirs.at(-1))}`);
      started = performance.now();
      const { validation } = ours.at(-1) as Epoch;
      return { score: validation, metrics: { ndcg_at_10: validation } };
    };
    const folder = new RunFolder(join(work, 'run'));
    folder.prepare(false);
    await train(
      learner,
      folder,
      {
        seed: 1,
        batchSize: CHUNKS,
        totalExamples: epochs * learner.examples,
        warmupShare: 0,
        schedule: 'constant',
        optimizer: 'adam',
        clipNorm: 0,
        validateEvery: learner.examples,
        patience: 0,
        checkpointSeconds: 600,
      },
      { validate },
    );
    await peer?.stop();

    const failures =
      about === undefined || about.rows === targets
        ? []
        : [`expected ${targets} rows of RecBole, as many as our targets, got ${about.rows}`];
    return {
      length,
      users: sequences.length,
      catalogSize,
      targetsPerEpoch: targets,
      targetRatio: TARGET_RATIO,
      ours: { ...summary(ours, targets), ...OURS, chunksPerStep: CHUNKS, chunks: learner.examples },
      ...(about !== undefined && {
        recbole: { ...summary(theirs, targets), ...THEIRS, ...about },
        ...compare(ours, theirs),
      }),
      failures,
    };
  },
);

function scoresOf(model: SASRec, rows: readonly Held[]): Float32Array {
  return noGrad(() =>
    scope(
      () =>
        model
          .logits(model.represent(rows.map(({ history }) => history)))
          .toTypedArray() as Float32Array,
    ),
  );
}

/** Rows of all items' scores, where the peer knows no item above its last. */
function widen(scores: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return scores;
  const wide = new Float32Array((scores.length / from) * to).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < scores.length / from; row++)
    wide.set(scores.subarray(row * from, (row + 1) * from), row * to);
  return wide;
}

function summary(epochs: readonly Epoch[], targets: number): Record<string, unknown> {
  const best = epochs.reduce((a, b) => (b.validation > a.validation ? b : a));
  return {
    secondsPerEpoch: spread(epochs.map(({ seconds }) => seconds)),
    epochsPerSecond: spread(epochs.map(({ seconds }) => 1 / seconds)),
    targetsPerSecond: spread(epochs.map(({ seconds }) => targets / seconds)),
    bestEpoch: epochs.indexOf(best) + 1,
    validationNdcg10: short(best.validation),
    testNdcg10: short(best.test),
    curve: epochs.map(({ validation }) => short(validation)),
  };
}

/** Epochs a second as a ratio, and the time until both have reached what the worse of them reaches at best. */
function compare(ours: readonly Epoch[], theirs: readonly Epoch[]): Record<string, unknown> {
  const ratio = spread(theirs.map(({ seconds }, i) => seconds / (ours[i] as Epoch).seconds));
  const [own, other] = [curveOf(ours), curveOf(theirs)];
  const best = (curve: readonly Curve[]): number =>
    Math.max(...curve.map(({ ndcg_at_10 }) => ndcg_at_10));
  const quality = Math.min(best(own), best(other));
  const [ownSeconds, otherSeconds] = [secondsTo(own, quality), secondsTo(other, quality)];
  return {
    ratioEpochsPerSecond: ratio,
    isMet: ratio.median >= TARGET_RATIO,
    sameQuality: {
      validationNdcg10: short(quality),
      ours: short(ownSeconds as number),
      recbole: short(otherSeconds as number),
      ratio: short((otherSeconds as number) / (ownSeconds as number)),
    },
  };
}

function curveOf(epochs: readonly Epoch[]): Curve[] {
  let total = 0;
  return epochs.map(({ seconds, validation }) => {
    total += seconds;
    return { seconds: total, ndcg_at_10: validation };
  });
}

function short(value: number): number {
  return Number(value.toPrecision(4));
}

function say(epoch?: Epoch): string {
  if (epoch === undefined) return '-';
  return `${epoch.seconds.toFixed(2)} s, NDCG@10 ${epoch.validation.toFixed(4)}`;
}
