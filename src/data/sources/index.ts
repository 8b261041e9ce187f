/**
 * Here: known datasets: MovieLens-100K and folders of published splits.
 * May use: files and below, store/ and the files beside this folder; not import/.
 * Used by: data/index.ts.
 */
export { type Movielens, movielensTerms, prepareMovielens100k } from './movielens.js';
export {
  type PullOptions,
  type PullProgress,
  pullMovielens100k,
} from './movielens-pull.js';
export { readMovielens } from './movielens-reader.js';
export { numpyArgsort } from './numpy-argsort.js';
export { type PublishedFolderOptions, readPublishedFolder } from './published-folder.js';
