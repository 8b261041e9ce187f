/**
 * Here: random streams, each a function of its names.
 * May use: errors.
 * Used by: every room above.
 */
export type { RandomState } from './random.js';
export { Random } from './random.js';
