/** What must be there before a command can work: looked for at once, and made at once. */
import { UsageError } from './command.js';

/** Something that must be there. */
export interface Need {
  /** What is wrong, as one line; undefined if it is there. */
  fault: () => string | undefined;
  /** Commands that make it; none where only the user can. */
  steps: readonly (readonly string[])[];
}

/**
 * Stops once, with all that is missing.
 *
 * @param remedy the one command that makes all of it
 * @param others ways to do without, if there are some
 * @throws UsageError with a line for each need that is not met
 */
export function checkNeeds(
  needs: readonly Need[],
  { remedy, others }: { remedy: string; others?: string },
): void {
  const missing = needs.flatMap(({ fault, steps }) => {
    const text = fault();
    return text === undefined ? [] : [{ text, canBeMade: steps.length > 0 }];
  });
  if (missing.length === 0) return;
  const lines = [
    `${missing.length === 1 ? 'one thing is' : `${missing.length} things are`} missing`,
    ...missing.map(({ text }) => `  ${text}`),
    ...(missing.some(({ canBeMade }) => canBeMade) ? [`get all that can be had: ${remedy}`] : []),
    ...(others === undefined ? [] : [others]),
  ];
  throw new UsageError(lines.join('\n'));
}

/**
 * Makes what is missing, and nothing else.
 *
 * @param run does one command and says its exit code
 * @throws UsageError where a command fails, or all went well and something is still missing
 */
export function prepareNeeds(
  needs: readonly Need[],
  run: (step: readonly string[]) => number | null,
): void {
  for (const { fault, steps } of needs) {
    if (fault() === undefined) continue;
    for (const step of steps) {
      const code = run(step);
      if (code !== 0) throw new UsageError(`"${step.join(' ')}" ended with ${code}`);
    }
    const left = fault();
    if (left !== undefined) throw new UsageError(left);
  }
}
