/** Folders of published rows, and MovieLens in its two layouts. */
import { readMovielens, readPublishedFolder } from '../../src/data/index.js';
import { caseOf } from './case.js';
import type { Target } from './target.js';

const ROWS = '{"history":[0,1,2,3],"next":4}\n{"history":[4,3,2],"next":0}\n';
const ITEMS = 'item_id\ttitle\n0\tRed\n1\tBlue\n2\tNight\n3\tRiver\n4\tStone\n';

const target: Target = {
  name: 'published',
  sources: {
    'data/sources/published-folder.ts': [],
    'data/sources/movielens-reader.ts': ['parseRecboleMovielens', 'linesOf'],
    'data/store/line-reader.ts': [],
  },
  seeds: async () => [
    caseOf({
      'items.tsv': ITEMS,
      'train_sequences.jsonl': '{"user":1,"items":[0,1,2,3,4]}\n{"user":"b","items":[4,3,2,1]}\n',
      'val.jsonl': ROWS,
      'test.jsonl': ROWS,
    }),
    caseOf({
      'items.tsv': ITEMS,
      'train_sample2.jsonl': ROWS,
      'val.jsonl': ROWS,
      'test.jsonl': ROWS,
    }),
    caseOf({
      'items.tsv': ITEMS,
      'users.tsv': 'user\tsplit\n1\ttrain\n2\tval\n3\ttest\n',
      'interactions.tsv': `user\titem\ttime\trating\tseq_pos\n${[1, 2, 3]
        .flatMap((user) =>
          [0, 1, 2, 3, 4].map((item) => `${user}\t${item}\t${10 + item}\t4\t${item}`),
        )
        .join('\n')}\n1\t2\t99\t1\t\n`,
    }),
    caseOf({
      'u.data': '1\t2\t5\t100\n1\t1\t3\t101\n2\t1\t4\t90\n',
      'u.item': '1|Toy (1995)|01-Jan-1995||u|0\n2|Gold, The (1995)|||u|1\n',
    }),
    caseOf({
      'ml-100k.inter':
        'user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t5\t100\n2\t1\t3\t7\n',
      'ml-100k.item':
        'item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy\t1995\tx\n2\tGold\tunkonwn\tx\n',
    }),
  ],
  async read(folder) {
    const movielens = await readMovielens(folder);
    if (movielens !== undefined) {
      if (movielens.ratings.users.length !== movielens.ratings.times.length)
        throw new Error('columns of different lengths');
      return;
    }
    const { sequences, items } = await readPublishedFolder(folder);
    for (let i = 0; i < sequences.size; i++)
      for (const item of sequences.get(i).items)
        if (items[item] === undefined) throw new Error(`no item ${item}`);
  },
  async heavy() {
    const places = (place: number): string =>
      `user\titem\ttime\trating\tseq_pos\n1\t0\t1\t4\t${place}\n`;
    const folder = { 'items.tsv': ITEMS, 'users.tsv': 'user\tsplit\n1\ttrain\n' };
    return {
      'a place of 2^32 in a sequence': caseOf({
        ...folder,
        'interactions.tsv': places(2 ** 32 - 2),
      }),
      'a place of thirty million in a sequence': caseOf({
        ...folder,
        'interactions.tsv': places(3e7),
      }),
    };
  },
};
export default target;
