/** Safetensors folders: one `model.safetensors`, or shards listed in an index file. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { faults, mismatch } from '../errors/index.js';
import { isObject, parseStrictJson, readText } from '../files/index.js';
import { openSafetensors, type SafetensorsTensor } from './safetensors.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** A tensor and the file it lies in. */
export interface ShardedTensor extends SafetensorsTensor {
  path: string;
}

/**
 * Opens all weights of a folder and checks that shards and index agree.
 *
 * @throws IloraError of code `file` without weights, `format` listing every tensor that misfits
 */
export function openSafetensorsFolder(folder: string): Map<string, ShardedTensor> {
  const index = join(folder, INDEX);
  if (existsSync(index)) return openShards(folder, readWeightMap(index));
  const single = join(folder, SINGLE);
  if (!existsSync(single))
    throw mismatch('file', { where: folder, expected: `${SINGLE} or ${INDEX}`, got: 'neither' });
  return tensorsOf(single);
}

function openShards(folder: string, weightMap: Map<string, string>): Map<string, ShardedTensor> {
  const problems: string[] = [];
  const all = new Map<string, ShardedTensor>();
  for (const shard of [...new Set(weightMap.values())].sort()) {
    for (const [name, tensor] of tensorsOf(join(folder, shard))) {
      const listed = weightMap.get(name);
      if (listed === shard) all.set(name, tensor);
      else problems.push(`${shard}: ${name}: expected ${listed ?? 'no such tensor'} by ${INDEX}`);
    }
  }
  for (const [name, shard] of weightMap)
    if (!all.has(name)) problems.push(`${shard}: expected tensor ${name} by ${INDEX}, got none`);
  if (problems.length > 0) throw faults('format', folder, problems);
  return all;
}

function tensorsOf(path: string): Map<string, ShardedTensor> {
  const { tensors } = openSafetensors(path);
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, path }]));
}

function readWeightMap(path: string): Map<string, string> {
  const json = parseStrictJson(readText(path), path);
  const weightMap = isObject(json) ? json.weight_map : undefined;
  if (!isObject(weightMap))
    throw mismatch('format', { where: path, expected: 'a weight_map object', got: weightMap });
  const map = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    // A shard named ../x would read outside the folder.
    if (typeof shard !== 'string' || basename(shard) !== shard || shard === '..')
      throw mismatch('format', { where: `${path}: ${name}`, expected: 'a file name', got: shard });
    map.set(name, shard);
  }
  return map;
}
