import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeComparison,
  formatCount,
  formatDuration,
  formatPoints,
  formatPValue,
} from '../../../src/analysis/index.js';
import type { Comparison } from '../../../src/evaluation/index.js';

const comparison: Comparison = {
  methods: ['ilora', 'lora'],
  numRows: 95,
  numUsers: 95,
  protocol: 'window',
  hits: { both: 30, onlyFirst: 12, onlySecond: 1, neither: 52 },
  test: 'mcnemar',
  pValue: 0.0034,
  differences: { hr_at_1: { value: 0.1158, low: 0.042, high: 0.189 } },
};

test('a comparison reads as a sentence with difference, interval and p-value', () => {
  const { evidence, conclusion } = describeComparison({ first: 'A', second: 'B', comparison });
  assert.match(evidence, /A is right where B is wrong 12 times, and wrong where B is right once\./);
  assert.match(
    evidence,
    /\+11\.6 points \(95% interval \+4\.2 to \+18\.9; exact McNemar test, p = 0\.003\)/,
  );
  assert.match(conclusion, /^A is better than B/);
});

test('the conclusion follows the corrected p-value and the sign', () => {
  const say = (change: Partial<Comparison>) =>
    describeComparison({ first: 'A', second: 'B', comparison: { ...comparison, ...change } });
  assert.match(say({ adjustedPValue: 0.07 }).conclusion, /do not separate A from B/);
  assert.match(say({ adjustedPValue: 0.07 }).evidence, /p = 0\.07 after Holm/);
  const worse = { hr_at_1: { value: -0.1, low: -0.2, high: -0.01 } };
  assert.match(say({ differences: worse }).conclusion, /^B is better than A/);
});

test('numbers as people read them', () => {
  assert.equal(formatCount(19_988_480), '19,988,480');
  assert.equal(formatCount(999), '999');
  assert.deepEqual([0.0526, -0.021, 0.0001, -0.0001].map(formatPoints), [
    '+5.3',
    '−2.1',
    '0.0',
    '0.0',
  ]);
  assert.deepEqual([0.00001, 0.004, 0.046, 1].map(formatPValue), [
    'p < 0.001',
    'p = 0.004',
    'p = 0.05',
    'p = 1.00',
  ]);
  assert.deepEqual([4e-6, 0.00412, 0.038, 4.21, 59.96, 725, 3600, 12_010].map(formatDuration), [
    '4 µs',
    '4.1 ms',
    '38 ms',
    '4.2 s',
    '1 min',
    '12 min 5 s',
    '1 h',
    '3 h 20 min',
  ]);
});
