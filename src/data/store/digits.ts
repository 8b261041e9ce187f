/**
 * Reads lists of whole numbers out of text without making a string, or an object, of each.
 */

/** Whole numbers that were read; kept from line to line. */
export class NumberList {
  values = new Float64Array(256);
  length = 0;

  /** The numbers as an array of their own. */
  toArray(): number[] {
    const numbers: number[] = [];
    for (let i = 0; i < this.length; i++) numbers.push(this.values[i]!); // Array.from takes ten times as long
    return numbers;
  }

  /** Appends a number. */
  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }
}

const zero = 48;
const nine = 57;
/** A whole number of so many digits is exact in a double. */
const mostDigits = 15;

/**
 * Reads numbers of 1 to 15 digits, with one separator between them, in place of what the list held.
 *
 * @param at  place of the first digit
 * @returns the place behind the last digit; -1 if there are no such numbers
 */
export function readNumbers(text: string, at: number, separator: string, into: NumberList): number {
  const between = separator.charCodeAt(0);
  into.length = 0;
  for (let place = at; ; place++) {
    const start = place;
    let value = 0;
    let code = text.charCodeAt(place); // NaN behind the end, which is no digit
    while (code >= zero && code <= nine) {
      value = 10 * value + (code - zero);
      code = text.charCodeAt(++place);
    }
    if (place === start || place - start > mostDigits) return -1;
    into.push(value);
    if (code !== between) return place;
  }
}
