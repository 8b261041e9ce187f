/**
 * Here: the dataset folder: files, manifest and hashes, written whole and read with care.
 * May use: files, random and below, and the files beside this folder; not import/ or sources/.
 * Used by: sources/ for its line reader, files beside it for types, data/index.ts.
 */
export { type Line, readLines } from './line-reader.js';
export { type DatasetManifest, datasetFormat } from './manifest.js';
export { openDataset } from './reader.js';
export { refuseTaken, type WriteDatasetOptions, writeDataset } from './writer.js';
