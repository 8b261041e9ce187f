/** The readers under attack. */
import type { Target } from './target.js';

/** Where each target lies; loaded one at a time, so that a child starts with the one it needs. */
export const TARGETS: Readonly<Record<string, () => Promise<{ default: Target }>>> = {
  safetensors: () => import('./safetensors.js'),
  sharded: () => import('./sharded.js'),
  config: () => import('./config.js'),
  gguf: () => import('./gguf.js'),
  'gguf-tokenizer': () => import('./gguf-tokenizer.js'),
  tokenizer: () => import('./tokenizer.js'),
  settings: () => import('./settings.js'),
  dataset: () => import('./dataset.js'),
  adapter: () => import('./adapter.js'),
  run: () => import('./run.js'),
  checkpoint: () => import('./checkpoint.js'),
  published: () => import('./published.js'),
  csv: () => import('./csv.js'),
  jsonl: () => import('./jsonl.js'),
  parquet: () => import('./parquet.js'),
};
