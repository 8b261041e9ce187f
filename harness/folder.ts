/** Folders that last as long as some work. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Does work in a new folder, which is gone afterwards, also where a signal or process.exit ends it early.
 *
 * @param name  begins the folder's name
 * @param under folder to make it in; that of the system by default
 */
export async function inFolder<T>(
  name: string,
  work: (folder: string) => Promise<T>,
  under = tmpdir(),
): Promise<T> {
  const folder = mkdtempSync(join(under, `ilora-${name}-`));
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  const leave = (): never => process.exit(130);
  process.once('exit', clear);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave);
  try {
    return await work(folder);
  } finally {
    clear();
    process.off('exit', clear);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave);
  }
}
