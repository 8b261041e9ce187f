/**
 * Here: files and folders: opened, hashed, locked, written whole, unpacked; pip’s downloads; keys.
 * May use: errors.
 * Used by: every room above.
 */
export { findAbandoned, removeAbandoned } from './abandoned.js';
export type { FileContent } from './atomic.js';
export {
  appendAtomic,
  removeTemporaries,
  syncFile,
  syncFolder,
  writeFileAtomic,
  writeFolderAtomic,
} from './atomic.js';
export { type ChildEnd, type ChildOptions, runChild } from './child.js';
export { fileError } from './file-error.js';
export { folderBytes } from './folder-bytes.js';
export { hashFile, hashFileAsync } from './hash-file.js';
export { camelCase, camelKeys, snakeCase, snakeKeys } from './keys.js';
export { type LockUse, takeLock } from './lock.js';
export { type PipDownload, pipDownload } from './pip.js';
export {
  decodeUtf8,
  openRegular,
  readBytes,
  readStart,
  readText,
  streamRegular,
  streamUnpacked,
} from './regular-file.js';
export { replaceFolder } from './replace-folder.js';
export { isObject, parseStrictJson } from './strict-json.js';
export { parseYaml } from './yaml.js';
export { readZipEntry, unpackZip } from './zip.js';
