/** Where downloads and compiled files are kept. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `ILORA_CACHE`, or `ilora` in the user's cache folder; it need not exist yet. */
export function cacheDir(): string {
  const { ILORA_CACHE, XDG_CACHE_HOME } = process.env;
  return ILORA_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ilora');
}

/** Path of a known model's file or folder in the cache, whether or not it is there. */
export function cachedModelPath(name: string, file: string): string {
  return join(cacheDir(), 'models', name, file);
}
