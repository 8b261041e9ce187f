/**
 * The runs that a method combines: opened where the settings name a folder, else trained first.
 *
 * Of a language model only one adapter may sit on a base's modules at a time, so each member has modules of its own over
 * one base's tensors.
 */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Dataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { hashFile } from '../files/index.js';
import { BasePool, type Member, memberMethods, methodNamed } from '../recommenders/index.js';
import type { Device } from '../tensor/index.js';
import type { openRun, Run, RunHooks, TrainOptions, trainRun } from './run.js';
import { RunFolder } from './run-folder.js';
import { describePrompt } from './run-prompt.js';
import { expectSame, type RunRecord, readRecord } from './run-record.js';
import { resolveSettings, type Settings } from './settings.js';

/** How runs are opened and trained. */
interface Runs {
  open: typeof openRun;
  train: typeof trainRun;
}

/** Where members find what they need. */
interface Place {
  dataset: Dataset;
  /** In place of each run's own. */
  device?: Device;
  /** Path of the base's files, if they are elsewhere by now. */
  basePath?: string;
}

/**
 * The runs of the members that the settings name; those that they describe are trained beside this run first.
 * @throws IloraError `settings` if one was trained there with others; `usage` for a run that cannot be a member
 */
export async function membersFor(
  settings: Settings,
  { shared: { dataset }, basePath, resume = false }: TrainOptions,
  hooks: RunHooks,
  { open, train }: Runs,
): Promise<Run[]> {
  const { members = [], data, seed, out } = settings;
  const device = settings.device as Device;
  const opened = opener({ dataset, device, ...(basePath && { basePath }) }, open);
  const described = members.map((member) => (typeof member === 'string' ? '' : member.method));
  const runs: Run[] = [];
  for (const [m, member] of members.entries()) {
    if (typeof member === 'string') {
      runs.push(await opened(member));
      continue;
    }
    const folder = new RunFolder(join(out, numbered(described, m)));
    const own = resolveSettings(
      { seed, ...member, data, device, out: folder.path },
      `${out}: members.${m}`,
    );
    if (existsSync(folder.summary)) {
      expectSame(folder, { settings: own, ...describePrompt(own) }, ['settings', 'prompt']);
      runs.push(await opened(folder.path));
    } else {
      const isBegun = existsSync(folder.run);
      runs.push(await train(own, { shared: { dataset }, resume: resume && isBegun }, hooks));
    }
  }
  return runs;
}

/** What the record says of the members. */
export function describeMembers(out: string, runs: readonly Run[]): Pick<RunRecord, 'members'> {
  return {
    members: runs.map(({ folder }) => ({
      path: relative(resolve(out), resolve(folder.path)),
      sha256: hashFile(folder.best),
    })),
  };
}

/**
 * Opens the members of a run's record.
 * @param path the run folder
 * @throws IloraError `data` if one is another than the run was fitted to
 */
export async function openMembers(
  path: string,
  members: NonNullable<RunRecord['members']>,
  place: Place,
  open: Runs['open'],
): Promise<Run[]> {
  const opened = opener(place, open);
  const runs: Run[] = [];
  for (const member of members) {
    const { best } = new RunFolder(join(path, member.path));
    const got = existsSync(best) ? hashFile(best) : undefined;
    if (got !== undefined && got !== member.sha256)
      throw mismatch('data', {
        where: best,
        expected: `the member the run was fitted to (sha256 ${member.sha256.slice(0, 12)})`,
        got: got.slice(0, 12),
        hint: 'put it back from a copy, or train the run anew in another folder',
      });
    runs.push(await opened(join(path, member.path)));
  }
  return runs;
}

/** Members as a model is made from them, each under a name of its own. */
export function namedMembers(runs: readonly Run[]): Member[] {
  const names = runs.map(({ method }) => method.name);
  return runs.map(({ model }, m) => ({ name: numbered(names, m), model }));
}

/** The m-th name; with its number from the second of the same name on. */
function numbered(names: readonly string[], m: number): string {
  const name = names[m] as string;
  const before = names.slice(0, m).filter((other) => other === name).length;
  return before === 0 ? name : `${name}-${before + 1}`;
}

/** Opens runs one after the other. */
function opener({ dataset, device, basePath }: Place, open: Runs['open']) {
  const bases = new BasePool();
  return (path: string): Promise<Run> => {
    const { settings, base } = readRecord(path);
    refuseOther(path, settings.method);
    const own = base && {
      device: device ?? (settings.device as Device),
      dtype: settings.dtype ?? 'auto',
    };
    const shared = {
      dataset,
      ...(base && own && { base: bases.get(basePath ?? base.path, own) }),
    };
    return open(path, { shared, ...(device && { device }) });
  };
}

/** @throws IloraError `usage` for a run that cannot be a member */
function refuseOther(path: string, method: string): void {
  const able = memberMethods();
  if (able.includes(methodNamed(method))) return;
  throw mismatch('usage', {
    where: `members: ${path}`,
    expected: `a run that scores the whole catalog: ${able.map(({ name }) => name).join(', ')}`,
    got: method,
  });
}
