/**
 * Titles a language model cannot use: the same under several ids, empty, or not a title at all.
 */
import type { Dataset, Item } from '../data/index.js';
import { titleKey } from '../data/index.js';
import { type Check, type Finding, outOf, percent } from './finding.js';
import { heldOutSplits, rowsOf } from './rows.js';

/** Items whose title, letter case aside, stands under another id too. */
export const duplicateTitles: Check = {
  id: 'duplicate-titles',
  run(dataset: Dataset): Finding {
    const { items } = dataset.catalog;
    const shown = groups(items, (item) => titleKey(item.title));
    const source = groups(items, (item) => item.sourceTitle);
    const exact = groups(items, (item) => item.title);
    const shared = new Set(shown.flat());
    let targets = 0;
    let rows = 0;
    for (const split of heldOutSplits)
      for (const { target } of rowsOf(dataset, split)) {
        rows++;
        if (shared.has(target)) targets++;
      }
    const share = shared.size / items.length;
    const severity = share >= 0.1 ? 'severe' : shared.size > 0 ? 'warning' : 'info';
    return {
      id: 'duplicate-titles',
      severity,
      isKnown: true,
      figures: {
        titles: shown.length,
        items: shared.size,
        share,
        differByCaseOnly: shown.length - exact.length,
        titlesInSource: source.length,
        heldOutTargets: targets,
        heldOutRows: rows,
      },
      figure: `${shown.length} titles on ${shared.size} items (${percent(share)}); ${source.length} in the source`,
      message:
        severity === 'info'
          ? 'Every title stands for one item.'
          : 'A title does not always say which item is meant: the model sees the same text for different items, and an answer cannot be told apart.',
      advice:
        severity === 'info'
          ? ''
          : 'Add what tells them apart (year, author) to the titles, or merge ids of one thing; candidates never hold two of one title.',
    };
  },
};

/** Titles without anything to read. */
export const emptyTitles: Check = {
  id: 'empty-titles',
  run(dataset: Dataset): Finding {
    const { items } = dataset.catalog;
    const empty = items.filter(({ title }) => !/[^\p{C}\p{Z}\p{M}]/u.test(title));
    const wordless = items.filter(({ title }) => !/[\p{L}\p{N}]/u.test(title));
    const numbers = items.filter(({ title, sourceId }) => title === sourceId && isCode(title));
    const isIds = dataset.manifest.titles === 'ids' || numbers.length >= items.length / 2;
    const emptyIds = new Set(empty.map(({ id }) => id));
    let targets = 0;
    for (const split of heldOutSplits)
      for (const { target } of rowsOf(dataset, split)) if (emptyIds.has(target)) targets++;
    const severity =
      empty.length >= items.length / 100 && empty.length > 0
        ? 'severe'
        : isIds || empty.length > 0
          ? 'warning'
          : 'info';
    return {
      id: 'empty-titles',
      severity,
      isKnown: true,
      figures: {
        empty: empty.length,
        withoutLetterOrDigit: wordless.length,
        idsAsTitles: isIds ? items.length : numbers.length,
        heldOutTargets: targets,
        items: items.length,
      },
      figure: isIds ? 'titles are ids' : `${outOf(empty.length, items.length)} empty`,
      message: isIds
        ? 'Titles are item ids: a language model has nothing to read.'
        : empty.length > 0
          ? 'Some titles show nothing: the model cannot read the item, and as an answer it is only a line break.'
          : 'Every item has a title.',
      advice: severity === 'info' ? '' : 'Give titles with --items FILE, or leave these items out.',
    };
  },
};

/** Titles with text that is more than a title to a language model or a page. */
export const oddTitles: Check = {
  id: 'odd-titles',
  run(dataset: Dataset): Finding {
    const { items } = dataset.catalog;
    const count = (pattern: RegExp): number =>
      items.filter(({ title }) => pattern.test(title)).length;
    const figures = {
      withModelTokens: count(
        /<\|[^|>]{1,40}\|>|<\/?s>|\[\/?INST\]|<<\/?SYS>>|<\/?(bos|eos|pad|unk)>/i,
      ),
      withEntities: count(/&(?:[a-z]{2,8}|#\d{2,6}|#x[0-9a-f]{2,6});/i),
      withInvisible: count(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/u),
      longerThan200: items.filter(({ title }) => [...title].length > 200).length,
      longest: items.reduce((most, { title }) => Math.max(most, title.length), 0),
      notAscii: count(/[^\x20-\x7e]/),
    };
    const { withModelTokens, withEntities, withInvisible, longerThan200 } = figures;
    const odd = withModelTokens + withEntities + withInvisible + longerThan200;
    const severity =
      withModelTokens > 0 || (odd > 0 && odd >= items.length / 100) ? 'warning' : 'info';
    return {
      id: 'odd-titles',
      severity,
      isKnown: true,
      figures,
      figure: `${withModelTokens} with model tokens, ${withEntities} with entities, ${withInvisible} with invisible characters, ${longerThan200} over 200 characters; ${figures.notAscii} beyond ASCII`,
      message:
        odd === 0
          ? 'No title holds marks that mean more than text.'
          : 'Some titles hold text that a model or a page may take for more than a title.',
      advice:
        odd === 0
          ? ''
          : 'Clean them at the source; "ilora data audit --titles --run RUN" measures what hostile titles do to a trained run.',
    };
  },
};

/** Numbers, UUIDs and the like: nothing a language model could know. */
function isCode(title: string): boolean {
  return !/\p{L}/u.test(title) || /^[0-9a-f-]{16,}$/i.test(title);
}

/** Ids of items with equal keys, for keys that occur more than once. */
function groups(items: readonly Item[], keyOf: (item: Item) => string): number[][] {
  const byKey = new Map<string, number[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [item.id]);
    else group.push(item.id);
  }
  return [...byKey.values()].filter((group) => group.length > 1);
}
