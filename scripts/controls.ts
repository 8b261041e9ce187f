/**
 * Controls of a study's main method that need no training: what it answers where something is wrong on purpose.
 *
 * `npm run --silent results:controls -- --config runs/next-item.yaml --result runs/results/next-item-controls.json`
 *
 * - histories shuffled: the items that are read, in another order;
 * - another user's history: that of a row of another user;
 * - another user's gates: experts mixed as for a history of another user, as long as the own one.
 *
 * The filter and the candidates stay those of the row. The runs of the study must be there.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { commit } from '../harness/index.js';
import type { CandidateQuery, Instance } from '../src/data/index.js';
import { affordableCatalog, evaluate } from '../src/evaluation/index.js';
import { writeFileAtomic } from '../src/files/index.js';
import { Random } from '../src/random/index.js';
import type { Recommender } from '../src/recommenders/index.js';
import { readFrom } from '../src/recommenders/llm/streaming/reading.js';
import { StreamingRecommender } from '../src/recommenders/llm/streaming/streaming-recommender.js';
import {
  figuresOf,
  resultsOf,
  resultsText,
  type StudyMethod,
  type StudyRun,
  studySettings,
} from '../src/studies/index.js';
import { openRun, readDocument } from '../src/training/index.js';

const PROTOCOL = 'history';

const { values } = parseArgs({
  options: {
    config: { type: 'string', default: 'runs/next-item.yaml' },
    result: { type: 'string', default: 'runs/results/next-item-controls.json' },
    rows: { type: 'string', default: '5' },
  },
});

const command = `npm run results:controls -- --config ${values.config}`;
const settings = studySettings(readDocument(values.config), values.config);
const { main } = settings;
const controls = {
  [main.name]: main.label,
  'histories-shuffled': 'histories shuffled',
  'other-history': "another user's history",
  'other-gates': "another user's gates",
};
const found = new Map<string, StudyRun[]>(Object.keys(controls).map((name) => [name, []]));
let dataset: Awaited<ReturnType<typeof openRun>>['dataset'] | undefined;

for (const { name, seed, settings: own } of main.runs) {
  const run = await openRun(own.out);
  dataset = run.dataset;
  const { recommender, model, folder } = run;
  if (!(recommender instanceof StreamingRecommender))
    throw new Error(`${main.name}: expected a streaming method`);
  const instances = Array.from({ length: run.dataset.rows('test-wide') }, (_, row) =>
    run.dataset.instance('test-wide', row, { protocol: PROTOCOL }),
  );
  const catalogSize = affordableCatalog(model, run.dataset.catalog.size);
  for (const [control, altered] of Object.entries(alterations(recommender, instances))) {
    process.stderr.write(`${name}: ${control}\n`);
    const evaluation = {
      ...(await evaluate(altered, instances, {
        ...(catalogSize !== undefined && { catalogSize }),
      })),
      method: control,
    };
    const measured = [{ protocol: PROTOCOL, split: 'test-wide', evaluation } as const];
    found.get(control)?.push({ name, seed, trainSeconds: 0, folder, measured });
  }
  run.model.release?.();
}

const methods: StudyMethod[] = Object.entries(controls).map(([name, label]) => ({
  variant: { ...main, name, label, protocols: [PROTOCOL] },
  runs: found.get(name) as StudyRun[],
}));
const study = {
  title: `Controls: ${settings.document.title}`,
  settings: { ...settings, pairs: [] },
  wideRowsPerUser: Number(values.rows),
  command,
};
if (dataset === undefined) throw new Error('no runs');
const result = { dataset, methods, sections: [], examples: [], report: '', seconds: 0 };
const rows = resultsOf(study, result, { commit: commit() });
const figures = figuresOf(rows, basename(values.result, '.json'));
writeFileAtomic(values.result, resultsText({ ...rows, figures }));

function alterations(
  inner: StreamingRecommender,
  instances: readonly Instance[],
): Record<string, Recommender> {
  const { reading } = inner.model.parts;
  const read = (history: readonly number[]): readonly number[] =>
    history.slice(readFrom(history.length, reading));
  const users = new Map(instances.map(({ history, user }) => [read(history).join(), user]));
  /** A history of another user that has at least so many items. */
  const stranger = (history: readonly number[], least: number): readonly number[] => {
    const key = read(history).join();
    const random = new Random(0, 'stranger', ...history.slice(-2));
    const long = instances.filter(
      (one) => one.user !== users.get(key) && read(one.history).length >= least,
    );
    return (long[random.int(long.length)] as Instance).history;
  };
  const withHistories = (
    alter: (history: readonly number[]) => readonly number[],
  ): Recommender => ({
    name: inner.name,
    trainableParameters: inner.trainableParameters,
    score: (queries: readonly CandidateQuery[], options) =>
      inner.score(
        queries.map((query) => ({ ...query, history: alter(query.history) })),
        options,
      ),
  });
  const shuffled = (history: readonly number[]): readonly number[] =>
    new Random(0, 'shuffled', ...history.slice(-2)).shuffle([...read(history)]);
  return {
    [main.name]: inner,
    'histories-shuffled': withHistories(shuffled),
    'other-history': withHistories((history) => stranger(history, 1)),
    'other-gates': {
      ...withHistories((history) => history),
      score: async (queries, options) => {
        const { model } = inner;
        const own = model.states.bind(model);
        model.states = (histories, asked, more) => {
          const gatesOf = histories.map((history) =>
            read(stranger(history, history.length)).slice(-history.length),
          );
          return own(histories, asked, { ...more, gatesOf });
        };
        try {
          return await inner.score(queries, options);
        } finally {
          model.states = own;
        }
      },
    },
  };
}
