export type { RandomState } from './random.js';
export { Random } from './random.js';
