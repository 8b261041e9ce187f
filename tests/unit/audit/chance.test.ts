import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { binomialTail, isAbove } from '../../../src/audit/chance.js';
import { PairTable } from '../../../src/audit/pair-table.js';

const close = (got: number, wanted: number) =>
  assert.ok(Math.abs(got - wanted) <= 1e-9 * Math.max(wanted, 1e-12), `${got}, not ${wanted}`);

test('binomial tails equal sums worked out by hand', () => {
  close(binomialTail(3, 3, 0.5), 0.125);
  close(binomialTail(2, 4, 0.5), 11 / 16);
  close(binomialTail(1, 10, 0.1), 1 - 0.9 ** 10);
  close(binomialTail(20, 20, 0.05), 0.05 ** 20);
  assert.equal(binomialTail(0, 5, 0.3), 1);
  assert.equal(binomialTail(6, 5, 0.3), 0);
  assert.equal(binomialTail(1, 5, 0), 0);
});

test('binomial tails equal the plain sum of Pascal’s triangle', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (total, count, share) => {
        let row = [1];
        for (let n = 0; n < total; n++)
          row = [1, ...row.slice(1).map((value, i) => value + row[i]!), 1];
        let wanted = 0;
        for (let k = count; k <= total; k++)
          wanted += row[k]! * share ** k * (1 - share) ** (total - k);
        assert.ok(Math.abs(binomialTail(count, total, share) - wanted) < 1e-9);
      },
    ),
  );
});

test('a share counts as high only where chance would hardly give it', () => {
  assert.equal(isAbove(2, 10, 0.05), false);
  assert.equal(isAbove(200, 1000, 0.05), true);
  assert.equal(isAbove(50, 1000, 0.05), false);
  assert.equal(isAbove(0, 0, 0.05), false);
});

test('a table of pairs counts as a map does, also after growing and far beyond 32 bits', () => {
  const size = 5_000_000;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 40 }),
      (some) => {
        const table = new PairTable(size);
        const wanted = new Map<string, number>();
        const add = (a: number, b: number) => {
          if (a === b) return;
          table.add(a, b);
          wanted.set(`${a},${b}`, (wanted.get(`${a},${b}`) ?? 0) + 1);
        };
        for (const [a, b] of [...some, ...some.slice(0, 5)]) add(a, b);
        for (const [a, b] of some) {
          assert.equal(table.before(a, b), wanted.get(`${a},${b}`) ?? 0);
          assert.equal(table.before(b, a), wanted.get(`${b},${a}`) ?? 0);
        }
      },
    ),
    { numRuns: 50 },
  );
  const table = new PairTable(200);
  for (let a = 0; a < 200; a++) for (let b = 0; b < a; b++) table.add(a, b);
  assert.equal(table.pairs, (200 * 199) / 2);
  assert.ok([...table.counts()].every(([forward, backward]) => forward === 0 && backward === 1));
});
