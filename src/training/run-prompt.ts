/**
 * The prompt template of a run: its hash in `run.json`, and a copy of its file in the run folder, so that a run can be
 * moved and does not change with what is shipped later.
 */
import { existsSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import { readText, writeFileAtomic } from '../files/index.js';
import { openPromptTemplate, promptTemplateFile } from '../text/index.js';
import type { RunFolder } from './run-folder.js';
import type { RunRecord } from './run-record.js';
import type { Settings } from './settings.js';

/** What the record says of the template that the settings name. */
export function describePrompt(settings: Settings): Pick<RunRecord, 'prompt'> {
  if (settings.prompt === undefined) return {};
  return { prompt: { sha256: openPromptTemplate(settings.prompt).sha256 } };
}

/** Copies the template into the folder of a run that begins. */
export function keepPrompt(folder: RunFolder, { prompt }: Settings): void {
  if (prompt === undefined || existsSync(folder.prompt)) return;
  writeFileAtomic(folder.prompt, readText(promptTemplateFile(prompt)));
}

/**
 * Settings that name the copy in the run folder; as they are where a run of an earlier version has none.
 * @throws IloraError `data` if the copy is not what the run learned from
 */
export function withKeptPrompt(folder: RunFolder, settings: Settings, record: RunRecord): Settings {
  if (record.prompt === undefined) return settings;
  const got = openPromptTemplate(folder.prompt).sha256;
  if (got !== record.prompt.sha256)
    throw mismatch('data', {
      where: folder.prompt,
      expected: `the prompt template the run was trained with (sha256 ${record.prompt.sha256.slice(0, 12)})`,
      got: got.slice(0, 12),
      hint: 'put the file back from a copy; another wording needs another run',
    });
  return { ...settings, prompt: folder.prompt };
}
