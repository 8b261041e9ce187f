/**
 * Puts adapters around chosen linear layers of any model, and takes them off again.
 */
import { mismatch } from '../errors/index.js';
import { snakeCase } from '../files/index.js';
import { Linear, type LinearLayer, type Module } from '../nn/index.js';

/** The seven projections of a Llama layer, which the authors adapt. */
export const LLAMA_PROJECTIONS = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
] as const;

/** One adapter in place, with what is needed to take it off. */
export interface Injected<A extends LinearLayer> {
  /** Path of the layer in the model, in checkpoint spelling. */
  path: string;
  adapter: A;
  remove(): void;
}

/**
 * Replaces every linear layer whose last name is in `targets` by `wrap(layer, path)`.
 * @param isWanted whether a layer of such a path is to be replaced; all are by default
 * @throws IloraError `usage` naming targets that match no layer
 */
export function inject<A extends LinearLayer>(
  model: Module,
  targets: readonly string[],
  wrap: (layer: Linear, path: string) => A,
  isWanted: (path: string) => boolean = () => true,
): Injected<A>[] {
  const injected: Injected<A>[] = [];
  const unmatched = new Set(targets);
  for (const [path, module] of [...model.namedModules()]) {
    const fields = module as unknown as Record<string, unknown>;
    for (const [field, layer] of Object.entries(module)) {
      const name = snakeCase(field);
      if (!(layer instanceof Linear) || !targets.includes(name)) continue;
      unmatched.delete(name);
      const adapterPath = path === '' ? name : `${path}.${name}`;
      if (!isWanted(adapterPath)) continue;
      const adapter = wrap(layer, adapterPath);
      fields[field] = adapter;
      injected.push({
        path: adapterPath,
        adapter,
        remove: () => {
          fields[field] = layer;
        },
      });
    }
  }
  if (unmatched.size > 0) {
    for (const item of injected) item.remove();
    throw mismatch('usage', {
      where: 'inject(targets)',
      expected: 'names of linear layers of this model',
      got: [...unmatched],
    });
  }
  return injected;
}

/** Takes all adapters off: the model is as it was before `inject`. */
export function remove(injected: readonly Injected<LinearLayer>[]): void {
  for (const item of injected) item.remove();
}
