/**
 * The command line: one file per verb; errors and exit codes in one place.
 *
 * Exit 0: done. 2: wrong usage. 130: stopped by Ctrl-C. 1: everything else.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { IloraError } from '../errors/index.js';
import { endProcess, onEngineNotice } from '../tensor/index.js';
import { isAbort } from '../training/index.js';
import { dataCommand } from './data.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { methodsCommand } from './methods.js';
import { modelCommand } from './model.js';
import { quickstartCommand } from './quickstart.js';
import { recommendCommand } from './recommend.js';
import { setupCommand } from './setup.js';
import { studyCommand } from './study.js';
import { note } from './terminal.js';
import { trainCommand } from './train.js';

async function main(): Promise<number> {
  onEngineNotice(note);
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const program = new Command('ilora')
    .description(
      'recommend the next item to each user, with a language model that adapts to the user',
    )
    .version(version)
    .option('--debug', 'print the stack of an error too')
    .showHelpAfterError('(add --help for what can be typed here)')
    .enablePositionalOptions();
  const commands = [
    quickstartCommand(),
    setupCommand(),
    doctorCommand(),
    dataCommand(),
    modelCommand(),
    methodsCommand(),
    trainCommand(),
    evaluateCommand(),
    recommendCommand(),
    studyCommand(),
  ];
  for (const command of commands) {
    exitByThrowing(command);
    program.addCommand(command as Command);
  }
  exitByThrowing(program);
  const isDebug = process.argv.includes('--debug');
  try {
    await program.parseAsync(process.argv.filter((argument) => argument !== '--debug'));
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return explain(error, isDebug);
  }
}

/** Commander throws instead of ending the process, for sub-commands too. */
function exitByThrowing(command: CommandUnknownOpts): void {
  command.exitOverride();
  for (const inner of command.commands) exitByThrowing(inner);
}

/** Exit code after Ctrl-C, as shells give it. */
const STOPPED = 130;

function explain(error: unknown, isDebug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said what was wrong
  if (isAbort(error)) {
    note(error instanceof IloraError ? `ilora: ${error.message}` : 'ilora: stopped');
    return STOPPED;
  }
  if (error instanceof IloraError) {
    note(`ilora: ${isDebug ? error.stack : error.message}`);
    return error.code === 'usage' ? 2 : 1;
  }
  note(
    `ilora: internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}

const code = await main();
if (code === STOPPED) endProcess(code); // at once, whatever workers are doing
process.exitCode = code;
