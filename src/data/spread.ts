/**
 * A few of many, evenly spaced.
 */

/**
 * Places of `count` among `length`, rising, the last one always among them; all where there are no more.
 *
 * place i = ⌈(i + 1) · length / count⌉ − 1
 */
export function evenlySpaced(length: number, count: number): number[] {
  const kept = Math.min(count, length);
  return Array.from({ length: kept }, (_, i) => Math.ceil(((i + 1) * length) / kept) - 1);
}
