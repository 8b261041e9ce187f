import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importInteractions } from '../../../src/data/index.js';
import { Random } from '../../../src/random/index.js';
import { temporaryFolder } from './helper.js';

test('many users in any order: sequences, users and items as a plain sort gives them', async () => {
  const random = new Random(3, 'gather');
  const rows = Array.from({ length: 20_000 }, (_, place) => ({
    user: `${Math.floor(random.uniform() ** 2 * 1500)}`,
    item: `${random.int(300)}`,
    time: 1_600_000_000 + random.int(2000) / 4,
    place,
  }));
  const path = join(temporaryFolder(), 'rows.csv');
  const lines = rows.map(({ user, item, time }) => `${user},${item},${time}`);
  writeFileSync(path, `user,item,time\n${lines.join('\n')}\n`);
  const { draft } = await importInteractions({ interactions: path });

  const users = [...new Set(rows.map(({ user }) => user))];
  const items = [...new Set(rows.map(({ item }) => item))].sort((a, b) => Number(a) - Number(b));
  assert.ok(users.length > 1000, 'more users than groups');
  assert.deepEqual(
    draft.items.map(({ sourceId }) => sourceId),
    items,
  );
  const sorted = [...rows].sort((a, b) => a.time - b.time || a.place - b.place);
  const bySorted = groupBy(sorted);
  assert.equal(draft.sequences.size, users.length);
  assert.equal(draft.sequences.interactions, rows.length);
  for (const [number, user] of users.entries()) {
    const own = bySorted.get(user)!;
    assert.equal(draft.sequences.user(number), user);
    assert.deepEqual(
      Array.from(draft.sequences.itemsOf(number), (item) => draft.items[item]!.sourceId),
      own.map(({ item }) => item),
    );
    assert.deepEqual(
      Array.from(draft.sequences.timesOf(number)!),
      own.map(({ time }) => time),
    );
  }
});

function groupBy<T extends { user: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.user, [...(groups.get(row.user) ?? []), row]);
  return groups;
}

test('ids are the same only if they are spelled the same; whole numbers keep all their digits', async () => {
  const path = join(temporaryFolder(), 'ids.csv');
  const ids = [
    '1',
    '01',
    '9007199254740993',
    '9007199254740992',
    '99999999999999999999',
    '-5',
    'x',
  ];
  const rows = ids.flatMap((id) => [1, 2, 3, 4].map((time) => `${id},${id},${time}`));
  writeFileSync(path, `user,item,time\n${rows.join('\n')}\n`);
  const { draft } = await importInteractions({ interactions: path });
  const users = Array.from({ length: draft.sequences.size }, (_, i) => draft.sequences.user(i));
  assert.deepEqual(users, ids);
  const whole = ids.filter((id) => id !== '01' && id !== 'x' && id.length < 20);
  writeFileSync(
    path,
    `user,item,time\n${whole.flatMap((id) => [1, 2, 3, 4].map((time) => `${id},${id},${time}`)).join('\n')}\n`,
  );
  const second = (await importInteractions({ interactions: path })).draft;
  assert.deepEqual(
    Array.from({ length: second.sequences.size }, (_, i) => second.sequences.user(i)),
    whole,
  );
  assert.deepEqual(
    second.items.map(({ sourceId }) => sourceId),
    ['-5', '1', '9007199254740992', '9007199254740993'],
  );
});
