/**
 * Whole processes of the command line: killed at random moments, started side by side, on a full disk.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/random/index.js';
import { RunFolder } from '../../src/training/index.js';
import { ilora } from '../resume/command.js';
import { firstDifference, type Outcome, readOutcome } from '../resume/outcome.js';
import { settingsInput, type World } from '../resume/world.js';

export interface ProcessOptions {
  world: World;
  folder: string;
  seed: number;
  random: Random;
  failures: string[];
}

/** Settings of a run that saves all the time; `windows` makes it as long as wanted. */
function writeSettings(
  { world, folder, seed }: ProcessOptions,
  out: string,
  windows: number,
): string {
  const input = settingsInput(world, 'linear', { out, seed });
  const training = { ...(input.training as object), windows, patience: 0, checkpointSeconds: 0.02 };
  const { sasrec, ...rest } = input.encoder as { method: string; sasrec: object };
  const encoder = { ...rest, sasrec: { ...sasrec, epochs: 20, patience: 0 } };
  const config = join(folder, 'settings.yaml');
  writeFileSync(config, JSON.stringify({ ...input, training, encoder }));
  return config;
}

/** Undisturbed runs by their length, shared by the parts of the proof. */
interface Reference {
  outcome: Outcome;
  milliseconds: number;
  /** What the finished folder takes on a file system with blocks of 4 KiB: it needs at least so much. */
  diskBytes: number;
}

const references = new Map<number, Reference>();

/** A run without any harm done to it, and how long it trained. */
async function reference(options: ProcessOptions, windows: number): Promise<Reference> {
  const known = references.get(windows);
  if (known !== undefined) return known;
  const out = join(options.folder, 'plain');
  const ended = await ilora(['train', '--config', writeSettings(options, out, windows)]);
  if (ended.code !== 0) throw new Error(ended.stderr);
  const made = {
    outcome: readOutcome(out),
    milliseconds: 1000 * ended.seconds,
    diskBytes: diskBytes(out),
  };
  references.set(windows, made);
  return made;
}

const BLOCK = 4096;

function diskBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return diskBytes(path);
      return Math.ceil(statSync(path).size / BLOCK) * BLOCK;
    })
    .reduce((a, b) => a + b, 0);
}

const BEGIN = 'training windows, seed';

/** SIGKILL to the whole process group at random moments, until the run has come to its end. */
export async function killRandomly(
  options: ProcessOptions,
  { kills, perRun, windows }: { kills: number; perRun: number; windows: number },
): Promise<{ kills: number; whileSaving: number; runs: number; equal: number }> {
  const { folder, random, failures } = options;
  const plain = await reference(options, windows);
  const found = { kills: 0, whileSaving: 0, runs: 0, equal: 0 };
  while (found.kills < kills) {
    const out = join(folder, `killed-${found.runs}`);
    const args = ['train', '--config', writeSettings(options, out, windows), '--resume'];
    for (let i = 0; i < perRun; i++) {
      const ended = await ilora(args, {
        signal: 'SIGKILL',
        after: BEGIN,
        afterMs: random.uniform() * 0.5 * plain.milliseconds,
      });
      if (ended.code === 0) break;
      if (ended.code !== null)
        failures.push(`killed run ended with ${ended.code}: ${ended.stderr}`);
      found.kills++;
      if (isHalfWritten(out)) found.whileSaving++;
    }
    const last = await ilora(args);
    found.runs++;
    const difference =
      last.code === 0
        ? firstDifference(plain.outcome, readOutcome(out))
        : `ended with ${last.code}: ${last.stderr}`;
    if (difference === undefined) found.equal++;
    else failures.push(`killed at random moments, run ${found.runs}: ${difference}`);
    rmSync(out, { recursive: true, force: true });
  }
  return found;
}

/** Whether a kill fell into a write: something temporary is left. */
function isHalfWritten(out: string): boolean {
  return [out, join(out, 'sasrec')].some((path) => {
    const { checkpoints } = new RunFolder(path);
    return [path, checkpoints].some((folder) => {
      try {
        return readdirSync(folder).some((name) => /^\..*\.tmp$/.test(name));
      } catch {
        return false; // killed before there was such a folder
      }
    });
  });
}

/** Several processes on one folder at once: one trains, the others are refused in words. */
export async function startTogether(
  options: ProcessOptions,
  { processes, windows }: { processes: number; windows: number },
): Promise<{ processes: number; trained: number; refused: number; message: string }> {
  const { folder, failures } = options;
  const plain = await reference(options, windows);
  const out = join(folder, 'together');
  const args = ['train', '--config', writeSettings(options, out, windows), '--resume'];
  const ends = await Promise.all(Array.from({ length: processes }, () => ilora(args)));
  const refused = ends.filter(({ code, stderr }) => code === 1 && /is training there/.test(stderr));
  const trained = ends.filter(({ code }) => code === 0);
  if (trained.length === 0) await ilora(args); // all of them withdrew
  const others = ends.filter((end) => !refused.includes(end) && !trained.includes(end));
  for (const { code, stderr } of others) failures.push(`started together: ${code}: ${stderr}`);
  const difference = firstDifference(plain.outcome, readOutcome(out));
  if (difference !== undefined) failures.push(`started together: ${difference}`);
  const message = refused[0]?.stderr.trim().split('\n').at(-1)?.replaceAll(folder, '') ?? '';
  return { processes, trained: trained.length, refused: refused.length, message };
}

/**
 * A file system that is really full: a small tmpfs with ballast in it, where mounting is permitted.
 *
 * @returns undefined where it is not
 */
export async function fillDisk(
  options: ProcessOptions,
  { levels, windows }: { levels: number; windows: number },
): Promise<{ levels: number; refused: number; equal: number; message: string } | undefined> {
  const { folder, failures, random } = options;
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  try {
    const plain = await reference(options, windows);
    const found = { levels, refused: 0, equal: 0, message: '' };
    for (let level = 0; level < levels; level++) {
      const out = join(disk, 'run');
      rmSync(out, { recursive: true, force: true });
      // From next to nothing to less than what a run needs at its end.
      const share = (level + random.uniform()) / levels;
      const free = 4 * BLOCK + Math.floor(share * 0.9 * (plain.diskBytes - 4 * BLOCK));
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, Buffer.alloc((1 << 20) - free));
      const args = ['train', '--config', writeSettings(options, out, windows), '--resume'];
      const full = await ilora(args);
      const message =
        full.stderr
          .trim()
          .split('\n')
          .find((line) => line.startsWith('ilora: ')) ?? '';
      if (full.code === 1 && /disk\/run.*no space left/.test(message)) found.refused++;
      else failures.push(`full disk (${free} bytes free): ${full.code}: ${full.stderr}`);
      if (message !== '') found.message = message.replaceAll(folder, '');
      rmSync(ballast);
      const last = await ilora(args);
      const difference =
        last.code === 0
          ? firstDifference(plain.outcome, readOutcome(out))
          : `ended with ${last.code}: ${last.stderr}`;
      if (difference === undefined) found.equal++;
      else failures.push(`full disk (${free} bytes free), resumed: ${difference}`);
    }
    return found;
  } finally {
    execFileSync('umount', [disk]);
  }
}

/** A learning rate far too high: the run ends with step, examples and cause, and resumes to the same end. */
export async function explode(
  options: ProcessOptions,
): Promise<{ status: number | null; message: string }> {
  const { folder, failures } = options;
  const out = join(folder, 'exploded');
  const config = writeSettings(options, out, 40);
  const input = JSON.parse(readFileSync(config, 'utf8')) as Record<string, Record<string, unknown>>;
  writeFileSync(
    config,
    JSON.stringify({ ...input, adapter: { ...input.adapter, learningRate: 1e30 } }),
  );
  const { code, stderr } = await ilora(['train', '--config', config]);
  const at = stderr.indexOf('ilora: training: ');
  const message = stderr.slice(Math.max(0, at)).trim();
  if (
    code !== 1 ||
    !/step \d+ \(examples [\d, ]+\)[\s\S]*(learning rate is too high|look at the base)/.test(
      message,
    )
  )
    failures.push(`a huge learning rate: ${code}: ${message}`);
  return { status: code, message };
}
