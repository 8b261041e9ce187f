/**
 * What all modules share: their tensors by name, moving, loading.
 *
 * A module's tensors and sub-modules are its public fields. A checkpoint key is the path of fields in
 * snake_case: `layers.0.selfAttn.qProj.weight` → `layers.0.self_attn.q_proj.weight`. Tensors in
 * private fields (`#name`) are derived and never saved.
 */
import { faults } from '../errors/index.js';
import { snakeCase } from '../files/index.js';
import {
  copy_,
  type Device,
  type DType,
  isFloating,
  keep,
  noGrad,
  Tensor,
  toDevice,
} from '../tensor/index.js';

/** Base of everything that holds tensors. */
export abstract class Module {
  /** Own tensors and those of sub-modules, by checkpoint key. */
  *namedTensors(prefix = ''): IterableIterator<[string, Tensor]> {
    for (const [key, value] of entries(this, prefix)) {
      if (value instanceof Tensor) yield [key, value];
      else yield* value.namedTensors(`${key}.`);
    }
  }

  /** This module and all inside it, by path; the path of the root is empty. */
  *namedModules(path = ''): IterableIterator<[string, Module]> {
    yield [path, this];
    for (const [key, value] of entries(this, path === '' ? '' : `${path}.`)) {
      if (value instanceof Module) yield* value.namedModules(key);
    }
  }

  /** Tensors that collect gradients, by checkpoint key. */
  *namedParameters(): IterableIterator<[string, Tensor]> {
    for (const [key, tensor] of this.namedTensors()) if (tensor.requiresGrad) yield [key, tensor];
  }

  /** Number of trained values. */
  get trainableParameters(): number {
    let count = 0;
    for (const [, tensor] of this.namedParameters()) count += tensor.size;
    return count;
  }

  /** Stops gradients for all its tensors. */
  freeze(): this {
    for (const [, tensor] of this.namedTensors()) tensor.setRequiresGrad(false);
    return this;
  }

  /** Moves all tensors to a device and, where `dtype` is given, floating ones to a type. */
  to(device: Device, dtype?: DType): this {
    replaceTensors(this, (tensor) => {
      const wanted = dtype !== undefined && isFloating(tensor.dtype) ? dtype : tensor.dtype;
      const isThere = tensor.device === device || tensor.device === `${device}:0`;
      if (isThere && tensor.dtype === wanted) return tensor;
      const moved = keep(noGrad(() => toDevice(tensor, device, wanted)));
      if (tensor.requiresGrad) moved.setRequiresGrad(true);
      tensor.dispose();
      return moved;
    });
    return this;
  }

  /**
   * Copies saved tensors into its own.
   * @param where  file, for messages
   * @param wanted keys to load; all tensors by default
   * @throws IloraError `format` listing every key that is missing, unknown or of another shape
   */
  load(
    saved: ReadonlyMap<string, Tensor>,
    where: string,
    wanted: (key: string) => boolean = () => true,
  ): void {
    overwrite(new Map([...this.namedTensors()].filter(([key]) => wanted(key))), saved, where);
  }
}

/**
 * Copies saved tensors over those of the same keys.
 * @param where  file, for messages
 * @throws IloraError `format` listing every key that is missing, unknown or of another shape
 */
export function overwrite(
  own: ReadonlyMap<string, Tensor>,
  saved: ReadonlyMap<string, Tensor>,
  where: string,
): void {
  const lines: string[] = [];
  for (const [key, tensor] of own) {
    const source = saved.get(key);
    if (source === undefined)
      lines.push(`${key}: expected a tensor [${tensor.shape.join(', ')}], got nothing`);
    else if (source.shape.join() !== tensor.shape.join()) {
      lines.push(
        `${key}: expected shape [${tensor.shape.join(', ')}], got [${source.shape.join(', ')}]`,
      );
    }
  }
  for (const key of saved.keys()) if (!own.has(key)) lines.push(`${key}: expected no such tensor`);
  if (lines.length > 0) throw faults('format', where, lines);
  noGrad(() => {
    for (const [key, tensor] of own) copy_(tensor, saved.get(key) as Tensor);
  });
}

type Entry = [string, Tensor | Module];

function* entries(root: object, prefix: string): IterableIterator<Entry> {
  for (const [field, value] of Object.entries(root)) {
    const key = `${prefix}${snakeCase(field)}`;
    if (value instanceof Tensor || value instanceof Module) yield [key, value];
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) {
        if (item instanceof Tensor || item instanceof Module) yield [`${key}.${i}`, item];
      }
    }
  }
}

function replaceTensors(root: object, replace: (tensor: Tensor) => Tensor): void {
  for (const [field, value] of Object.entries(root)) {
    if (value instanceof Tensor) (root as Record<string, unknown>)[field] = replace(value);
    else if (value instanceof Module) replaceTensors(value, replace);
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) {
        if (item instanceof Tensor) value[i] = replace(item);
        else if (item instanceof Module) replaceTensors(item, replace);
      }
    }
  }
}

/** Makes a tensor a trained parameter that outlives every scope. */
export const parameter = (tensor: Tensor): Tensor => keep(tensor).setRequiresGrad(true);
