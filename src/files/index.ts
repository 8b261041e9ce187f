/** Files from outside: opened with care, failures told with path and remedy. */
export { fileError } from './file-error.js';
export {
  decodeUtf8,
  openRegular,
  readBytes,
  readStart,
  readText,
  streamRegular,
  streamUnpacked,
} from './regular-file.js';
