/**
 * `ilora setup`: installs what the engine needs and is missing, after saying what that is.
 */
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { AbortError, IloraError, UsageError } from '../errors/index.js';
import {
  addonPath,
  type EngineEnvironment,
  engineEnvironment,
  type Libtorch,
  searchLibtorch,
} from '../tensor/index.js';
import { tryEngine } from './engine-report.js';
import { interruptible } from './interrupt.js';
import { runProgram } from './run-program.js';
import {
  installWheel,
  requireWheelPlatform,
  WHEEL_VERSION,
  wheelFolder,
  wheelSizes,
} from './setup-wheel.js';
import {
  debianPackages,
  describeSystem,
  firstLine,
  hasFastAllocator,
  hasReferenceBlas,
  installCommand,
  type Prerequisite,
  type System,
} from './system.js';
import { note, print, printJson } from './terminal.js';

const WHEEL_LICENCE = 'BSD-3-Clause and those of what it bundles (licences are kept beside it)';
const CUDA_LICENCE = "NVIDIA's licence for its CUDA libraries";

/** The command `setup`. */
export function setupCommand() {
  return new Command('setup')
    .description('install libtorch, which does the arithmetic, and what it needs')
    .addOption(
      new Option('--from <source>', 'where libtorch comes from')
        .choices(['wheel', 'debian'] as const)
        .default('wheel' as const),
    )
    .option('--cuda', 'also install what NVIDIA GPUs need')
    .option('--force', 'install even if there is a libtorch')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print one JSON document')
    .action(async (options) => {
      const start = performance.now();
      const environment = engineEnvironment();
      const system = describeSystem();
      const { found, steps } = planSetup({ ...options, environment, system });
      if (found !== undefined) note(`libtorch ${found.version} is there: ${found.libDir}`);
      for (const { text, command } of steps) note(`will ${text}${command ? `: ${command}` : ''}`);
      if (options.dryRun) {
        if (options.json) printJson({ found, steps: steps.map(({ run: _, ...step }) => step) });
        else if (steps.length === 0) print('nothing to install');
        return;
      }
      if (steps.length > 0 && !options.yes) await confirm();
      const done = await interruptible((signal) => runSteps(steps, signal));
      await finish({ start, done, json: options.json, environment });
    });
}

/** One thing to install. */
interface Step {
  what: Prerequisite | 'wheel';
  text: string;
  /** What is typed for it, where it is a command. */
  command?: string;
  /** Whether the engine works without it. */
  isOptional?: boolean;
  run: (signal: AbortSignal) => Promise<unknown>;
}

interface PlanOptions {
  from: 'wheel' | 'debian';
  cuda?: true | undefined;
  force?: true | undefined;
  environment: EngineEnvironment;
  system: System;
}

/** What is there and what is to be installed; changes nothing. @throws IloraError `setup` */
function planSetup(options: PlanOptions): { found?: Libtorch; steps: Step[] } {
  const { from, cuda, force, environment, system } = options;
  const first = [...searchLibtorch(environment)].find((place) => place.found !== undefined)?.found;
  const found = first !== undefined && (!cuda || first.hasCudaLibrary) ? first : undefined;
  const steps: Step[] = [];
  const isInstalling = found === undefined || force === true;
  const isBuilt = found !== undefined && !force && existsSync(addonPath(found, environment));
  if (environment.libtorch !== undefined && isInstalling)
    throw new UsageError(
      `ilora setup: expected LIBTORCH to be unset, got "${environment.libtorch}" — it would hide what is installed`,
    );
  if (!isBuilt && firstLine(environment.compiler, ['--version']) === '')
    steps.push(
      systemStep('compiler', 'install a C++ compiler (64 MB down, 260 MB on disk)', system),
    );
  if (isInstalling && from === 'debian') steps.push(debianStep(system));
  if (isInstalling && from === 'wheel') {
    requireWheelPlatform(system);
    if (firstLine(environment.python, ['-m', 'pip', '--version']) === '')
      steps.push(
        systemStep('pip', 'install pip and Python if need be (9 MB down, 36 MB on disk)', system),
      );
    steps.push(wheelStep({ environment, system, cuda: cuda === true }));
  }
  if (!isInstalling && found?.source === 'system' && hasReferenceBlas())
    steps.push(
      systemStep('blas', 'replace the slow reference BLAS (7 MB down, 30 MB on disk)', system),
    );
  if (system.family === 'debian' && system.isRoot && !hasFastAllocator())
    steps.push({
      ...systemStep('allocator', 'install a faster allocator (0.5 MB, BSD-3-Clause)', system),
      isOptional: true,
    });
  return { found: isInstalling ? undefined : found, steps };
}

function wheelStep(options: {
  environment: EngineEnvironment;
  system: System;
  cuda: boolean;
}): Step {
  const { down, kept } = wheelSizes(options);
  const licence =
    process.platform === 'linux' ? `${WHEEL_LICENCE}; ${CUDA_LICENCE}` : WHEEL_LICENCE;
  return {
    what: 'wheel',
    text: `download PyTorch ${WHEEL_VERSION} from Python's package index (about ${megabytes(down)}) and keep its C++ part (${megabytes(kept)}) in ${wheelFolder(options.environment)}; licence ${licence}`,
    run: (signal) => installWheel({ ...options, signal, say: note }),
  };
}

function debianStep(system: System): Step {
  if (system.family !== 'debian')
    throw new UsageError(
      `ilora setup: expected Debian or Ubuntu for --from debian, got ${system.name} — leave it out`,
    );
  return systemStep(
    'libtorch',
    'install libtorch and OpenBLAS of the system (225 MB down, 940 MB on disk); licence BSD-3-Clause',
    system,
  );
}

/** A package of the system: installed where that needs no password, else named in an error. */
function systemStep(what: Prerequisite, text: string, system: System): Step {
  const command = installCommand(what, system);
  return {
    what,
    text,
    command,
    run: async (signal) => {
      if (system.family !== 'debian' || !system.isRoot)
        throw new IloraError(
          'setup',
          `ilora setup: cannot ${text} by itself — type: ${command}   then ilora setup again`,
        );
      await apt(['update', '-qq'], signal);
      await apt(
        ['install', '-y', '-q', '--no-install-recommends', ...debianPackages(what)],
        signal,
      );
    },
  };
}

function apt(args: readonly string[], signal: AbortSignal): Promise<void> {
  return runProgram('apt-get', args, { signal, env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

/** What became of each step. */
interface DoneStep {
  what: Step['what'];
  seconds: number;
  problem?: string;
  result?: unknown;
}

async function runSteps(steps: readonly Step[], signal: AbortSignal): Promise<DoneStep[]> {
  const done: DoneStep[] = [];
  for (const { what, run, isOptional } of steps) {
    const start = performance.now();
    const seconds = (): number => Number(((performance.now() - start) / 1000).toFixed(1));
    try {
      const result = await run(signal);
      done.push({ what, seconds: seconds(), ...(result !== undefined && { result }) });
    } catch (error) {
      if (!isOptional || error instanceof AbortError) throw error;
      note(`left out: ${(error as Error).message}`);
      done.push({ what, seconds: seconds(), problem: (error as Error).message });
    }
  }
  return done;
}

/** Builds the addon, tries the engine and says what is there now. @throws IloraError `setup` */
async function finish(options: {
  start: number;
  done: readonly DoneStep[];
  json: true | undefined;
  environment: EngineEnvironment;
}): Promise<void> {
  const buildStart = performance.now();
  const trial = await tryEngine();
  if (!trial.isWorking) throw new IloraError('setup', `${trial.problem}\nrun "ilora doctor"`);
  const trialSeconds = (performance.now() - buildStart) / 1000;
  const seconds = (performance.now() - options.start) / 1000;
  const { libtorch, addon, speeds } = trial.report;
  if (options.json) {
    printJson({ ok: true, libtorch, addon, speeds, steps: options.done, trialSeconds, seconds });
    return;
  }
  for (const { what, seconds: taken, result } of options.done) {
    const bytes = (result as { diskBytes?: number } | undefined)?.diskBytes;
    note(`${what}: ${taken} s${bytes === undefined ? '' : `, ${megabytes(bytes)} on disk`}`);
  }
  print(`libtorch ${libtorch.version} (${libtorch.source}): ${libtorch.libDir}`);
  print(`addon: ${addon}`);
  print(
    `matrix products: ${speeds.map(({ dtype, gflops }) => `${dtype} ${gflops.toFixed(0)} GFLOP/s`).join(', ')}`,
  );
  print(`ready after ${seconds.toFixed(1)} s`);
}

/** @throws AbortError for any answer but yes, UsageError where nobody can answer */
async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError('ilora setup: expected --yes where nobody can be asked, got nothing');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.on('close', () => resolve('no')); // Ctrl-C and Ctrl-D
    terminal.question('go on? [Y/n] ').then(resolve, () => resolve('no'));
  });
  terminal.close();
  if (!/^(|y|yes)$/i.test(answer.trim())) throw new AbortError('ilora setup: nothing was done');
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
