/** Which places are tried, where trying all takes too long. */
import type { Random } from '../../src/random/index.js';

/** `count` different ones of some places, ascending; all of them if there are no more. */
export function drawPlaces(places: readonly number[], count: number, random: Random): number[] {
  if (places.length <= count) return [...places];
  return [...random.shuffle([...places]).slice(0, count)].sort((a, b) => a - b);
}
