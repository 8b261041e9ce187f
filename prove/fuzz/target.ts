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
