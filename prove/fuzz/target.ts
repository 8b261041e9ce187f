/** What the fuzzer asks of a reader. */
import type { Case, Content } from './case.js';

/** A reader under attack. */
export interface Target {
  readonly name: string;
  /** Files of src/ whose code is counted, with the functions in them that do not read. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
  /** Valid inputs, made by code; every one must be accepted. */
  seeds(): Promise<Case[]>;
  /**
   * Reads what lies in the folder and makes light use of it.
   * @throws IloraError if it is refused; anything else that is thrown is a defect
   */
  read(folder: string): void | Promise<void>;
  /** Makes checksums fit again after a change, so that what lies behind them is reached too. */
  seal?(input: Map<string, Content>): void;
  /** Large inputs that promise much or unfold to much; the memory they take is measured. */
  heavy?(): Promise<Record<string, Case>>;
  /** The reader may write into its folder, which is then laid out anew for each input. */
  readonly writes?: boolean;
}

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
