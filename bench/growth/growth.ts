/** What a series is told as. */
import type { Spread } from '../../harness/index.js';
import type { Series } from './axis.js';
import type { Fit } from './fit.js';

/** A series with its fits. */
export interface Growth extends Omit<Series, 'sizes' | 'quick'> {
  points: {
    size: number;
    tokens?: number;
    seconds: Spread;
    attentionSeconds?: number;
    peakMB: Spread;
  }[];
  time: { all: Fit; upper: Fit; withoutAttention?: Fit };
  memory: { all: Fit; upper: Fit };
}
