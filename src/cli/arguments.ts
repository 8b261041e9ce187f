/**
 * Parsers of flag values.
 */
import { InvalidArgumentError } from '@commander-js/extra-typings';

/** A whole number from 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number from 1, got "${text}"`);
  return value;
}
