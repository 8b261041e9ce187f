/**
 * What the `prove:*` commands share: their flags, their progress and the document they end with.
 *
 *   npm run --silent prove:NAME [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * `--quick` does the same with less, in under a minute. `--json` makes the last line of stdout one object
 * `{ proof, ok, ... }`; without it a table is printed. `--result` also writes the object, with commit, machine and
 * date, for docs/reliability.md. The exit code is 0 if `ok`, 1 if not, 2 for wrong usage.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

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
  const flags = readFlags(name);
  const started = performance.now();
  const options: ProofOptions = {
    isQuick: flags.quick,
    seed: flags.seed,
    note: (text) => process.stderr.write(`${text}\n`),
  };
  const { ok, failures, ...figures } = await run(options);
  const document = {
    proof: name,
    ok: ok && failures.length === 0,
    quick: flags.quick,
    seed: flags.seed,
    ...figures,
    failures,
    seconds: Math.round((performance.now() - started) / 100) / 10,
  };
  if (flags.result !== undefined) {
    const place = { createdAt: new Date().toISOString(), commit: commit(), machine: machine() };
    writeFileSync(flags.result, `${JSON.stringify({ ...document, ...place }, null, 2)}\n`);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else console.log(table(document));
  process.exitCode = document.ok ? 0 : 1;
}

function readFlags(name: string): { quick: boolean; json: boolean; seed: number; result?: string } {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        result: { type: 'string' },
      },
    });
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new Error(`--seed: expected a whole number from 0, got ${values.seed}`);
    return { ...values, seed };
  } catch (error) {
    process.stderr.write(
      `prove:${name}: ${(error as Error).message}\nusage: npm run --silent prove:${name} [-- --quick] [--json] [--seed N] [--result FILE]\n`,
    );
    process.exit(2);
  }
}

function table(document: Record<string, unknown>): string {
  return Object.entries(document)
    .map(([key, value]) => {
      const isList = Array.isArray(value) && value.length > 0;
      const shown = typeof value === 'object' ? JSON.stringify(value) : String(value);
      return isList
        ? `${key}:\n  ${value.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join('\n  ')}`
        : `${key}: ${shown}`;
    })
    .join('\n');
}

function machine(): { processor: string; cores: number; node: string } {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
  };
}

function commit(): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}
