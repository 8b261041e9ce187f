/**
 * What counting alone scores on the frozen candidates: popularity, windowed co-occurrence, and the
 * common order of sequences. Not faults by themselves, but what every other result has to be read
 * beside.
 */
import type { Dataset, Instance } from '../data/index.js';
import { type Estimate, evaluate } from '../evaluation/index.js';
import { Cooccurrence, Popularity } from '../recommenders/index.js';
import { CommonOrder } from './common-order.js';
import type { Figures, Finding, Severity } from './finding.js';
import { countMeetingsFor } from './meetings.js';
import { OrderRule } from './order-rule.js';

/** Rows that are ranked at most, evenly spaced over test. */
const maxRows = 2000;
/** Rows for the order rule, which walks the graph of items once per row. */
const maxOrderRows = 500;
/** Co-occurrence of the settings that did best on MovieLens's validation rows; nothing is chosen on test. */
const window = 10;
/** On the lower end of the interval, as a share of the way from chance to always right. */
const limits = { popularity: { warning: 0.03, severe: 0.25 }, cooccurrence: 0.25, order: 0.05 };

/** Runs the counts on test and says how far above chance they are. */
export async function auditShortcuts(dataset: Dataset): Promise<Finding[]> {
  const instances = rowsToRank(dataset);
  const chance = 1 / dataset.manifest.candidates.count;
  if (instances.length === 0) return ['popularity-shortcut', 'order-shortcut'].map(unknown);
  const catalogSize = dataset.catalog.size;
  const train = [...dataset.sequencesOf('train')];
  const popularity = await hitRate(new Popularity({ catalogSize, sequences: train }), instances);
  const counted = new Cooccurrence({
    catalogSize,
    sequences: [],
    window,
    pairs: countMeetingsFor(instances, train, { catalogSize, window }),
  });
  const cooccurrence = await hitRate(counted, instances);
  const rule = new OrderRule(counted, new CommonOrder(train, catalogSize));
  const some = rowsToRank(dataset, maxOrderRows);
  const order = await hitRate(rule, some);
  const beside = await hitRate(counted, some);
  const shared = { rows: instances.length, chance };
  return [
    popularityFinding({ dataset, instances, train, chance, popularity, cooccurrence, shared }),
    orderFinding({ chance, cooccurrence: beside, order, rows: some.length }),
  ];
}

function popularityFinding(parts: {
  dataset: Dataset;
  instances: readonly Instance[];
  train: readonly { items: Int32Array }[];
  chance: number;
  popularity: Estimate;
  cooccurrence: Estimate;
  shared: Figures;
}): Finding {
  const { chance, popularity, cooccurrence } = parts;
  const popular = excess(popularity.low, chance);
  const near = excess(cooccurrence.low, chance);
  const severity: Severity =
    popular >= limits.popularity.severe
      ? 'severe'
      : popular >= limits.popularity.warning || near >= limits.cooccurrence
        ? 'warning'
        : 'info';
  return {
    id: 'popularity-shortcut',
    severity,
    isKnown: true,
    figures: {
      ...parts.shared,
      popularity: figuresOf(popularity, chance),
      cooccurrence: figuresOf(cooccurrence, chance),
      ...percentiles(parts),
    },
    figure: `HR@1 of popularity ${inWords(popularity)}, of co-occurrence ${inWords(cooccurrence)}; chance ${chance.toFixed(3)}`,
    message:
      severity === 'info'
        ? 'Counting alone is not far above chance.'
        : popular >= limits.popularity.warning
          ? `Popularity alone is ${(popularity.value / chance).toFixed(1)} times chance: targets are popular, uniform negatives are not.`
          : `Co-occurrence alone is ${(cooccurrence.value / chance).toFixed(1)} times chance.`,
    advice:
      severity === 'info'
        ? ''
        : 'Show both beside every method; to take the cue away, draw negatives by popularity.',
  };
}

function orderFinding(parts: {
  chance: number;
  cooccurrence: Estimate;
  order: Estimate;
  rows: number;
}): Finding {
  const { chance, cooccurrence, order, rows } = parts;
  const gain = order.value - cooccurrence.value;
  const isGain = gain >= limits.order && order.low > chance;
  return {
    id: 'order-shortcut',
    severity: isGain ? (gain >= 3 * limits.order ? 'severe' : 'warning') : 'info',
    isKnown: true,
    figures: {
      rows,
      chance,
      order: figuresOf(order, chance),
      cooccurrence: figuresOf(cooccurrence, chance),
      gain,
    },
    figure: `co-occurrence among candidates not proved to come before the last item: HR@1 ${inWords(order)}, ${(100 * gain).toFixed(1)} points beside co-occurrence alone`,
    message: isGain
      ? 'Ruling out whatever comes earlier in the common order finds targets without any sequence modelling.'
      : 'There is no common order to exploit.',
    advice: isGain ? 'See one-order; show this rule beside every method.' : '',
  };
}

/** Evenly spaced test rows whose list holds the target once; others cannot be ranked. */
export function rowsToRank(dataset: Dataset, most = maxRows): Instance[] {
  const total = dataset.rows('test');
  const count = Math.min(total, most);
  const instances: Instance[] = [];
  for (let i = 0; i < count; i++) {
    const row = count === total ? i : Math.floor((i * total) / count);
    const instance = dataset.instance('test', row);
    const places = instance.candidates.filter((item) => item === instance.target).length;
    if (places === 1) instances.push(instance);
  }
  return instances;
}

async function hitRate(
  recommender: Popularity | Cooccurrence | OrderRule,
  instances: readonly Instance[],
): Promise<Estimate> {
  return (await evaluate(recommender, instances)).metrics.hr_at_1;
}

/** 0 at chance, 1 where always right. */
function excess(value: number, chance: number): number {
  return (value - chance) / (1 - chance);
}

function figuresOf({ value, low, high, count, total }: Estimate, chance: number): Figures {
  return { hr_at_1: value, low, high, hits: count, rows: total, timesChance: value / chance };
}

function inWords({ value, low, high }: Estimate): string {
  return `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
}

/** Mean popularity percentile of targets, history items and negatives: 0 rarest, 1 most popular. */
function percentiles({
  dataset,
  instances,
  train,
}: {
  dataset: Dataset;
  instances: readonly Instance[];
  train: readonly { items: Int32Array }[];
}): Figures {
  const counts = new Float64Array(dataset.catalog.size);
  for (const { items } of train) for (const item of items) counts[item]!++;
  const sorted = counts.slice().sort();
  const percentile = Float64Array.from(counts, (count) => {
    const below = firstFrom(sorted, (value) => value >= count);
    const upTo = firstFrom(sorted, (value) => value > count);
    return (below + upTo) / 2 / sorted.length;
  });
  const mean = (items: readonly number[]): number =>
    items.reduce((sum, item) => sum + percentile[item]!, 0) / Math.max(1, items.length);
  return {
    percentileOfTargets: mean(instances.map(({ target }) => target)),
    percentileOfHistories: mean(instances.flatMap(({ history }) => [...history])),
    percentileOfNegatives: mean(
      instances.flatMap(({ candidates, target }) => candidates.filter((item) => item !== target)),
    ),
  };
}

function firstFrom(sorted: Float64Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function unknown(id: string): Finding {
  return {
    id,
    severity: 'info',
    isKnown: false,
    figures: { rows: 0 },
    figure: 'no row to rank',
    message: 'Cannot be told: no test row has its target among the candidates.',
    advice: '',
  };
}
