/** A made-up report: enough of everything, titles that try to break out, and no real result. */
import type { LossPoint, ReportData } from '../../../src/analysis/index.js';
import { compareWithAll, type Evaluation, evaluate } from '../../../src/evaluation/index.js';
import { Random } from '../../../src/random/index.js';

/** Films of the public domain, and two titles that are markup. */
export const TITLES = [
  'A Trip to the Moon',
  'The Great Train Robbery',
  'The Cabinet of Dr. Caligari',
  'The Kid',
  'Nosferatu',
  'Safety Last!',
  'Sherlock Jr.',
  'The Gold Rush',
  'Battleship Potemkin',
  'The General',
  'Metropolis',
  'Sunrise: A Song of Two Humans',
  'The Passion of Joan of Arc',
  'Steamboat Bill, Jr.',
  'The Crowd & <b>Others</b>',
  '<script>alert("title")</script>',
  'The Phantom of the Opera',
  'Greed',
  'The Thief of Bagdad',
  'Intolerance: Love’s Struggle Throughout the Ages, in a Title of Remarkable Length',
  'Broken Blossoms',
  'Pandora’s Box',
  'The Navigator',
  'The Circus',
  'Wings',
  'Seventh Heaven',
  'The Last Laugh',
  'Faust',
  'The Big Parade',
  'It',
  'The Lodger',
];

const NUM_CANDIDATES = 20;

/** Evaluates a made-up method whose target gets a head start of `skill` over uniform scores. */
async function madeUp(method: string, skill: number, trainableParameters: number, numRows: number) {
  const random = new Random(7, method);
  const instances = Array.from({ length: numRows }, (_, row) => ({
    split: 'test' as const,
    row,
    user: `user ${row + 1}`,
    history: [0],
    target: 0,
    candidates: Array.from({ length: NUM_CANDIDATES }, (_, item) => item),
  }));
  const score = async () =>
    instances.map(({ candidates }) => ({
      scores: candidates.map((item) => random.uniform() + (item === 0 ? skill : 0)),
    }));
  return evaluate({ name: method, trainableParameters, score }, instances, { resamples: 300 });
}

/** A complete report of six made-up methods. */
export async function sampleReport(numRows = 95): Promise<ReportData> {
  const evaluations: Evaluation[] = [
    await madeUp('ilora', 0.4, 1_221_376, numRows),
    await madeUp('lora', 0.42, 1_221_120, numRows),
    await madeUp('cooccurrence', 0.42, 0, numRows),
    await madeUp('sasrec', 0.38, 138_624, numRows),
    await madeUp('base', 0.2, 0, numRows),
    await madeUp('popularity', 0.15, 0, numRows),
  ];
  const labels = ['iLoRA', 'LoRA', 'Co-occurrence', 'SASRec', 'Base, not tuned', 'Popularity'];
  const trainSeconds = [1312, 1267, undefined, 41.3, undefined, undefined];
  evaluations.forEach((evaluation, index) => {
    evaluation.seconds = numRows * [0.142, 0.139, 3e-5, 4e-4, 0.121, 2e-6][index]!;
  });
  const comparisons = compareWithAll(evaluations[0]!, evaluations.slice(1), { resamples: 500 });
  const weightsOf = (key: string, sharpness: number) => {
    const random = new Random(3, key);
    const raw = [0, 1, 2, 3].map(() => Math.exp(sharpness * random.gaussian()));
    const sum = raw.reduce((total, value) => total + value);
    return raw.map((value) => value / sum);
  };
  const examples = [0.98, 0.5, 0.05].map((share, example) => {
    const random = new Random(5, 'example', example);
    const order = [...random.permutation(TITLES.length)];
    const scores = order
      .slice(0, NUM_CANDIDATES)
      .map(() => -4 - 14 * random.uniform())
      .sort((a, b) => a - b);
    const target = Math.round(share * (NUM_CANDIDATES - 1));
    return {
      user: `user ${[12, 57, 83][example]}`,
      history: order.slice(20, 30).map((item) => ({
        title: TITLES[item]!,
        ...(item % 2 === 0 && { details: 'Drama · 1994' }),
      })),
      candidates: scores.map((score, place) => ({
        title: TITLES[order[place]!]!,
        score,
        isTarget: place === target,
      })),
      gates: weightsOf(`example ${example}`, 0.6),
    };
  });
  return {
    title: 'iLoRA and five baselines on silent films',
    createdAt: '2026-01-31T12:00:00Z',
    dataset: {
      name: 'Silent films',
      split: 'test',
      numCandidates: NUM_CANDIDATES,
      numItems: 1682,
      numTrainRows: 66_126,
      candidatesSha256: 'a73b119dfc232ed9bd01c3aa35c27bcd1b34dfb241878e1530e1ace6bcc18aad',
    },
    methods: evaluations.map((evaluation, index) => ({
      label: labels[index]!,
      evaluation,
      isMain: index === 0,
      trainSeconds: trainSeconds[index],
      losses: trainSeconds[index] === undefined ? undefined : curve(labels[index]!),
    })),
    comparisons: comparisons.map((comparison, index) => ({
      first: labels[0]!,
      second: labels[index + 1]!,
      comparison,
    })),
    expertWeights: Array.from({ length: 10 }, (_, row) => ({
      user: `user ${row + 1}`,
      weights: weightsOf(`user ${row}`, 0.7),
    })),
    examples,
    settings:
      'preset: paper\nlora:\n  rank: 8\n  experts: 4\n  alpha: 32\ntraining:\n  epochs: 5\n',
    seeds: { training: 1234, candidates: 1234, bootstrap: 0 },
    hashes: {
      'base model': '3f1d0c5a9f2f8d3e5b7c1a0e4d6b8f9a2c3e5d7f1b0a9c8e7d6f5a4b3c2d1e0f',
      'candidates/test': 'a73b119dfc232ed9bd01c3aa35c27bcd1b34dfb241878e1530e1ace6bcc18aad',
      adapter: '9e107d9d372bb6826bd81d3542a419d6e277252de950abcfbf77aa11bb22cc33',
    },
    machine: {
      processor: '2 cores, x86-64',
      memory: '24 GB',
      engine: 'libtorch 2.9',
      precision: 'bf16',
    },
    timings: [
      { label: 'prepare data', seconds: 3.2 },
      { label: 'train SASRec', seconds: 41.3 },
      { label: 'train LoRA', seconds: 1267 },
      { label: 'train iLoRA', seconds: 1312 },
      { label: 'evaluate', seconds: 38 },
    ],
    command: 'ilora reproduce movielens --preset paper --seed 1234',
    notes: ['All methods and figures in this report are made up.'],
  };
}

function curve(label: string): LossPoint[] {
  const random = new Random(11, label);
  return Array.from({ length: 51 }, (_, step) => {
    const epoch = step / 10;
    const train = 0.6 + 1.7 * Math.exp(-epoch / 1.3) + 0.08 * random.gaussian();
    const validation = 0.75 + 1.5 * Math.exp(-epoch / 1.1) + 0.025 * epoch;
    return step % 10 === 0 ? { step, train, validation } : { step, train };
  });
}
