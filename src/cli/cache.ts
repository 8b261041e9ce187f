/** Where downloads and compiled files are kept. */
import { join } from 'node:path';
import { engineEnvironment } from '../tensor/index.js';

/** `ILORA_CACHE`, or `ilora` in the user's cache folder, as the engine reads it; it need not exist yet. */
export function cacheDir(): string {
  return engineEnvironment().cacheDir;
}

/** Path of a known model's file or folder in the cache, whether or not it is there. */
export function cachedModelPath(name: string, file: string): string {
  return join(cacheDir(), 'models', name, file);
}
