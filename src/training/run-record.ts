/**
 * `run.json`: what a run was begun with.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileError } from '../checkpoint/index.js';
import type { Dataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import { RunFolder } from './run-folder.js';
import { resolveSettings, type Settings } from './settings.js';

/** What `run.json` holds: everything needed to open or repeat the run. */
export interface RunRecord {
  format: 'ilora-run-1';
  settings: Settings;
  dataset: { name: string; hash: string };
  base?: { path: string; sha256: string; dtype: string };
  /** Relative to the run folder. */
  recommender?: string;
  engine: { libtorch: string; threads: number; device: string; processor: string };
}

/** The record of a run that begins now. */
export function describe(settings: Settings, dataset: Dataset): RunRecord {
  const { libtorch, threads } = engineInfo();
  return {
    format: 'ilora-run-1',
    // Absolute, so that the run can be opened from anywhere.
    settings: { ...settings, data: resolve(settings.data) },
    dataset: { name: dataset.manifest.name, hash: dataset.hash },
    engine: {
      libtorch: libtorch.version,
      threads,
      device: settings.device,
      processor: processorName(),
    },
  };
}

/**
 * Writes `run.json`, or checks that a resumed run asks for what it was begun with.
 * @throws IloraError `settings` if it does not
 */
export function begin(folder: RunFolder, record: RunRecord, resume: boolean): void {
  if (resume && existsSync(folder.run)) {
    const earlier = readRecord(folder.path);
    const differs = (key: 'settings' | 'dataset' | 'base'): boolean =>
      JSON.stringify(strip(earlier[key])) !== JSON.stringify(strip(record[key]));
    for (const key of ['settings', 'dataset', 'base'] as const) {
      if (differs(key)) {
        throw mismatch('settings', {
          where: folder.path,
          expected: `the ${key} the run was begun with`,
          got: 'others',
          hint: `compare with ${folder.run}`,
        });
      }
    }
    return;
  }
  folder.writeJson(folder.run, record);
}

/** Paths may be written another way when a run is resumed. */
function strip(value: unknown): unknown {
  const { out, data, path, recommender, ...rest } = (value ?? {}) as Record<string, unknown>;
  void [out, data, path, recommender];
  return rest;
}

/** Reads and checks `run.json`. @throws IloraError `file` or `format` */
export function readRecord(path: string): RunRecord {
  const file = new RunFolder(path).run;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(file, 'the record of a training run', error);
  }
  let record: RunRecord;
  try {
    record = JSON.parse(text) as RunRecord;
  } catch (error) {
    throw mismatch('format', { where: file, expected: 'JSON', got: error });
  }
  if (record?.format !== 'ilora-run-1') {
    throw mismatch('format', { where: file, expected: 'format ilora-run-1', got: record?.format });
  }
  resolveSettings(record.settings, `${file}: settings`);
  return record;
}
