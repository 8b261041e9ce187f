/**
 * What the `prove:*` commands share.
 *
 *   npm run --silent prove:NAME [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * `--quick` does the same with less, in under a minute. The document is `{ proof, ok, ... }`; `--result` adds commit,
 * machine and date, for docs/reliability.md.
 */
import { cpus } from 'node:os';
import { commit, lines, noteOnStderr, runCommand, wholeNumber } from '../harness/index.js';

/** What a proof is asked for. */
export interface ProofOptions {
  isQuick: boolean;
  /** Source of everything random; printed with the result, so that a failure can be repeated. */
  seed: number;
  /** One line of progress on stderr. */
  note: (text: string) => void;
}

/** What a proof found: counts tried, figures, and whether the promise held. */
export interface Findings {
  ok: boolean;
  /** What went wrong, one line each; empty if `ok`. */
  failures: string[];
  [figure: string]: unknown;
}

/** Runs a proof as a command: reads the flags, prints the findings, sets the exit code. */
export async function prove(
  name: string,
  run: (options: ProofOptions) => Promise<Findings>,
): Promise<void> {
  const usage = (): string =>
    `usage: npm run --silent prove:${name} [-- --quick] [--json] [--seed N] [--result FILE]`;
  const flags = { seed: { type: 'string', default: '1' } } as const;
  await runCommand({ name: `prove:${name}`, flags, usage }, async ({ quick, seed: text }) => {
    const started = performance.now();
    const seed = wholeNumber('seed', text, 0);
    const { ok, failures, ...figures } = await run({ isQuick: quick, seed, note: noteOnStderr });
    return {
      document: {
        proof: name,
        ok: ok && failures.length === 0,
        quick,
        seed,
        ...figures,
        failures,
        seconds: Math.round((performance.now() - started) / 100) / 10,
      },
      text: lines,
      place: { createdAt: new Date().toISOString(), commit: commit(), machine: machine() },
    };
  });
}

function machine(): { processor: string; cores: number; node: string } {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
  };
}
