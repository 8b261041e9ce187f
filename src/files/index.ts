/** Files from outside: opened with care, failures told with path and remedy. */

export { findAbandoned, removeAbandoned } from './abandoned.js';
export type { FileContent } from './atomic.js';
export {
  appendAtomic,
  removeTemporaries,
  syncFile,
  writeFileAtomic,
  writeFolderAtomic,
} from './atomic.js';
export { fileError } from './file-error.js';
export { hashFile } from './file-hash.js';
export { camelCase, camelKeys, snakeCase, snakeKeys } from './keys.js';
export { takeLock } from './lock.js';
export {
  decodeUtf8,
  openRegular,
  readBytes,
  readStart,
  readText,
  streamRegular,
  streamUnpacked,
} from './regular-file.js';
export { isObject, parseStrictJson } from './strict-json.js';
export { parseYaml } from './yaml.js';
export { readZipEntry } from './zip.js';
