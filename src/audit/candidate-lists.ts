/**
 * Candidate lists that cannot be ranked as they should: without the target, with repeats, with items
 * of the history. And, as a figure only, how many negatives the user knows from outside the window.
 */
import type { Dataset } from '../data/index.js';
import { frozenSplitNames, titleKey } from '../data/index.js';
import { type Check, type Finding, percent } from './finding.js';
import { rowsOf } from './rows.js';

export const candidateLists: Check = {
  id: 'candidate-lists',
  run(dataset: Dataset): Finding {
    const titles = dataset.catalog.items.map(({ title }) => titleKey(title));
    const splits = Object.fromEntries(
      frozenSplitNames.map((split) => [split, faultsIn(dataset, split, titles)]),
    );
    const sum = (name: keyof Faults): number =>
      Object.values(splits).reduce((total, faults) => total + faults[name]!, 0);
    const rows = sum('rows');
    const faulty = sum('faulty');
    const known = sum('negativesMet') / Math.max(1, sum('negatives'));
    return {
      id: 'candidate-lists',
      severity: faulty > 0 ? 'severe' : 'info',
      isKnown: rows > 0,
      figures: { rows, faulty, ...splits },
      figure: `${faulty} of ${rows} lists faulty: ${sum('withoutTarget')} without the target, ${sum('repeated')} with a repeat, ${sum('sameTitle')} with one title twice, ${sum('inHistory')} with an item of the history; ${percent(known)} of negatives known to the user`,
      message:
        faulty > 0
          ? 'Rows with such lists cannot be answered, or are easier than the rest.'
          : 'Every list holds its target once and no item or title twice.',
      advice: faulty > 0 ? 'Draw the lists again: import the data anew.' : '',
    };
  },
};

type Faults = Record<
  | 'rows'
  | 'faulty'
  | 'withoutTarget'
  | 'repeated'
  | 'sameTitle'
  | 'inHistory'
  | 'negatives'
  | 'negativesMet',
  number
>;

function faultsIn(
  dataset: Dataset,
  split: (typeof frozenSplitNames)[number],
  titles: readonly string[],
): Faults {
  const found: Faults = {
    rows: 0,
    faulty: 0,
    withoutTarget: 0,
    repeated: 0,
    sameTitle: 0,
    inHistory: 0,
    negatives: 0,
    negativesMet: 0,
  };
  let own = new Set<number>();
  let ownSequence = -1;
  for (const { row, sequence, history, target } of rowsOf(dataset, split)) {
    if (sequence !== ownSequence) {
      own = new Set(dataset.sequences.itemsOf(sequence));
      ownSequence = sequence;
    }
    const { candidates } = dataset.instance(split, row);
    const negatives = candidates.filter((item) => item !== target);
    const faults = {
      withoutTarget: negatives.length === candidates.length,
      repeated: new Set(candidates).size < candidates.length,
      sameTitle: new Set(candidates.map((item) => titles[item])).size < new Set(candidates).size,
      inHistory: negatives.some((item) => history.includes(item)),
    };
    found.rows++;
    if (Object.values(faults).includes(true)) found.faulty++;
    for (const [name, isSo] of Object.entries(faults))
      if (isSo) found[name as keyof typeof faults]++;
    found.negatives += negatives.length;
    for (const item of negatives) if (own.has(item)) found.negativesMet++;
  }
  return found;
}
