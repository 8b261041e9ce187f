/**
 * The cheap methods that stand beside every evaluated run, fitted on the spot.
 */
import type { Dataset } from '../data/index.js';
import { METHODS, type Method, type Model } from '../recommenders/index.js';
import { resolveSettings } from '../training/index.js';

/** Yardsticks of a dataset, but those that are left out. */
export async function yardsticks(
  dataset: Dataset,
  { except = [], signal }: { except?: readonly string[]; signal?: AbortSignal } = {},
): Promise<Model[]> {
  const fitted: Model[] = [];
  for (const method of METHODS as readonly Method[]) {
    const { name, learning, isYardstick } = method;
    if (isYardstick !== true || learning.kind !== 'fit' || except.includes(name)) continue;
    const settings = resolveSettings({ method: name, data: dataset.folder, out: name }, name);
    const model = method.build(settings, { dataset });
    await learning.fit(model, settings, { dataset }, { ...(signal && { signal }) });
    fitted.push(model);
  }
  return fitted;
}
