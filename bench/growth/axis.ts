/**
 * What grows, and what is measured of it. Work is what the product does in one go: a step of training (forward
 * and backward with dropout, gradients of the adapter), the scores of candidates, retrieval from the catalog.
 */

export interface Series {
  /** The work. */
  name: string;
  /** What its size counts. */
  axis: 'prompt' | 'batch' | 'experts' | 'candidates' | 'catalog';
  unit: string;
  /** Sizes of the whole measurement and of `--quick`. */
  sizes: readonly number[];
  quick: readonly number[];
  /** What is held fixed, in words. */
  fixed: string;
}

export const SERIES: readonly Series[] = [
  {
    name: 'training by prompt',
    axis: 'prompt',
    unit: 'tokens',
    sizes: [128, 256, 512, 1024, 1536, 2048],
    quick: [64, 128, 256],
    fixed: '1 window, 4 experts of rank 2',
  },
  {
    name: 'scoring by prompt',
    axis: 'prompt',
    unit: 'tokens',
    sizes: [128, 256, 512, 1024, 1536, 2048],
    quick: [64, 128, 256],
    fixed: '1 user, 20 candidates',
  },
  {
    name: 'training by batch',
    axis: 'batch',
    unit: 'windows',
    sizes: [1, 2, 4, 8, 16, 32],
    quick: [1, 2, 4],
    fixed: 'prompts of 64 tokens in one pass, a gate of its own each',
  },
  {
    name: 'scoring by batch',
    axis: 'batch',
    unit: 'users',
    sizes: [1, 2, 4, 8, 16, 32],
    quick: [1, 2, 4],
    fixed: 'prompts of 64 tokens, 20 candidates each, a gate of its own each',
  },
  {
    name: 'training by experts',
    axis: 'experts',
    unit: 'experts',
    sizes: [1, 2, 4, 8, 16],
    quick: [1, 4, 16],
    fixed: '1 window, prompt of 256 tokens, total rank 16',
  },
  {
    name: 'scoring by candidates',
    axis: 'candidates',
    unit: 'candidates',
    sizes: [10, 20, 50, 100, 200, 500],
    quick: [5, 10, 20],
    fixed: '1 user; the prompt lists the candidates too',
  },
  {
    name: 'retrieval by catalog',
    axis: 'catalog',
    unit: 'items',
    sizes: [1e3, 1e4, 1e5, 1e6],
    quick: [1e3, 1e4, 1e5],
    fixed: 'SASRec of width 64, 10 items of history, 10 best',
  },
];

/** What a process measured at one size. */
export interface Measured {
  series: string;
  size: number;
  /** Seconds of each run after the first. */
  seconds: number[];
  /** Seconds of attention alone at the same shapes, in all layers; where it grows faster than the rest. */
  attentionSeconds?: number;
  /** Most resident memory of the first run, above the loaded model. */
  peakMB: number;
  /** Tokens that went through the model. */
  tokens?: number;
}
