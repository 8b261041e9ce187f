/** What the quickstart expects of a machine, and what it leaves out on a slow one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { budgetOf, cutDown, keptShare } from '../../../src/cli/budget.js';
import { readDocument } from '../../../src/training/index.js';
import { temporaryFolder } from '../../support/folder.js';

test('a quickstart goes on with the share it was begun with, however fast the machine is by then', () => {
  const marker = join(temporaryFolder(), 'quickstart.json');
  writeFileSync(marker, '{"format":"ilora-quickstart-1"}\n');
  assert.equal(
    keptShare(marker, () => 0.4),
    0.4,
  );
  assert.equal(
    keptShare(marker, () => 1),
    0.4,
  );
  assert.equal(readDocument(marker).format, 'ilora-quickstart-1');
  writeFileSync(marker, '{"format":');
  assert.throws(() => keptShare(marker, () => 1), { code: 'settings' });
});

test('a fast machine does all, a slower one less in ten minutes, and none nothing', () => {
  const fast = budgetOf(1e4);
  assert.equal(fast.share, 1);
  const rates = [1e4, 200, 100, 80, 60, 5];
  const budgets = rates.map(budgetOf);
  for (const [i, { seconds, share }] of budgets.entries()) {
    assert.ok(share >= 0.25 && share <= 1);
    if (share > 0.25) assert.ok(seconds <= 600 + 1e-9, `${seconds} s`);
    if (i > 0) assert.ok(share <= (budgets[i - 1]?.share as number));
  }
  assert.equal(budgets.at(-1)?.share, 0.25);
  assert.ok((budgets.at(-1)?.seconds as number) > 600, 'what cannot be kept is said');
});

test('less is cut from the language models alone', () => {
  const document = {
    sasrec: { epochs: 60 },
    training: { windows: 97, validate_every: 96, batch_size: 8 },
    variants: {
      streaming: { method: 'x', training: { epochs: 2, validations: 1 } },
      blend: { method: 'y' },
    },
  };
  assert.deepEqual(cutDown(document, 0.5), {
    sasrec: { epochs: 60 },
    training: { windows: 49, validate_every: 48, batch_size: 8 },
    variants: {
      streaming: { method: 'x', training: { epochs: 1, validations: 1 } },
      blend: { method: 'y' },
    },
  });
  assert.equal(cutDown(document, 1), document);
});
