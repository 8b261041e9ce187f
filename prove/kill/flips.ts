/**
 * Damage on disk: one changed byte, at random places of every file, must be noticed before the file is used.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openDataset } from '../../src/data/index.js';
import { IloraError } from '../../src/errors/index.js';
import type { Random } from '../../src/random/index.js';
import { openRun, RunFolder } from '../../src/training/index.js';
import { firstDifference, readOutcome } from '../resume/outcome.js';
import { StopAt, session, trainToEnd } from '../resume/session.js';
import { settingsOf, type World, withSection } from '../resume/world.js';

export interface FlipFindings {
  tried: number;
  caught: number;
  /** Caught of tried, by file. */
  byFile: Record<string, string>;
  /** Resumed from the checkpoint before, and equal to an undamaged run. */
  fellBack: number;
  message: string;
}

export async function proveFlips(
  world: World,
  folder: string,
  {
    perFile,
    seed,
    random,
    failures,
  }: { perFile: number; seed: number; random: Random; failures: string[] },
): Promise<FlipFindings> {
  const found: FlipFindings = { tried: 0, caught: 0, byFile: {}, fellBack: 0, message: '' };
  const sasrec = settingsOf(world, 'sasrec', { out: join(folder, 'flip-sasrec'), seed });
  const often = withSection(sasrec, 'sasrec', { checkpointSeconds: 1e-9 });
  const { outcome, asked } = await trainToEnd(world, often);
  const encoder = often.out;
  const ilora = settingsOf(world, 'linear', { out: join(folder, 'flip-ilora'), seed, encoder });
  await trainToEnd(world, ilora);
  const stopped = { ...often, out: join(folder, 'flip-stopped') };
  await session(world, stopped, { resume: false, stop: new StopAt(Math.floor(0.8 * asked)) });

  /** Flips one byte, asks whether it is noticed, and puts it back. */
  const flip = async (
    name: string,
    path: string,
    notice: () => Promise<string | undefined>,
  ): Promise<void> => {
    const whole = readFileSync(path);
    let caught = 0;
    for (let i = 0; i < perFile; i++) {
      const at = random.int(whole.length);
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 + random.int(255));
      writeFileSync(path, bytes);
      const missed = await notice().finally(() => writeFileSync(path, whole));
      found.tried++;
      if (missed === undefined) caught++;
      else failures.push(`${name}, byte ${at} of ${whole.length}: ${missed}`);
    }
    found.caught += caught;
    found.byFile[name] = `${caught} of ${perFile}`;
  };
  /** Noticed means: an error of ours that names the file, or the folder where the file belongs to a whole. */
  const refuses = (names: RegExp, use: () => Promise<unknown>) => async () => {
    try {
      await use();
      return 'used without a word';
    } catch (error) {
      if (!(error instanceof IloraError)) return `not ours: ${String(error)}`;
      found.message = error.message.replaceAll(folder, '');
      return names.test(error.message) ? undefined : `does not name it: ${error.message}`;
    }
  };

  const steps = readdirSync(new RunFolder(stopped.out).checkpoints).sort();
  const newest = steps.at(-1) as string;
  const copy = { ...stopped, out: join(folder, 'flip-copy') };
  for (const file of readdirSync(join(stopped.out, 'checkpoints', newest)))
    await flip(`checkpoint/${file}`, join(stopped.out, 'checkpoints', newest, file), async () => {
      rmSync(copy.out, { recursive: true, force: true });
      cpSync(stopped.out, copy.out, { recursive: true });
      const notices: string[] = [];
      const onNotice = (text: string): number => notices.push(text);
      await session(world, copy, { resume: true, stop: new StopAt(), onNotice });
      if (!notices.some((text) => text.includes(newest))) return 'no notice';
      const difference = firstDifference(outcome, readOutcome(copy.out));
      if (difference === undefined) found.fellBack++;
      return difference;
    });
  const resumes = (settings: typeof ilora) => () =>
    session(world, settings, { resume: true, stop: new StopAt() });
  await flip(
    'metrics.jsonl',
    new RunFolder(often.out).metrics,
    refuses(/metrics\.jsonl/, resumes(often)),
  );
  const best = refuses(/best\.safetensors/, () => openRun(ilora.out));
  await flip('best.safetensors', new RunFolder(ilora.out).best, best);
  await flip('best.safetensors of the encoder', new RunFolder(often.out).best, best);
  await flip(
    'run.json',
    new RunFolder(ilora.out).run,
    refuses(/run\.json/, () => openRun(ilora.out)),
  );
  for (const file of filesOf(world.base)) {
    const opens = refuses(/base/, () => openRun(ilora.out));
    await flip(`base/${file}`, join(world.base, file), opens);
  }
  for (const file of filesOf(world.data)) {
    const name = new RegExp(file.replaceAll('.', '\\.'));
    const opens = refuses(name, () => openDataset(world.data));
    await flip(`data/${file}`, join(world.data, file), opens);
  }
  return found;
}

function filesOf(folder: string, inside = folder): string[] {
  return readdirSync(inside).flatMap((name) => {
    const path = join(inside, name);
    if (statSync(path).isDirectory()) return filesOf(folder, path);
    return statSync(path).size > 0 ? [relative(folder, path)] : [];
  });
}
