/**
 * `ilora doctor`: what the engine needs, what is there, and what to type for what is not.
 */
import { Command } from '@commander-js/extra-typings';
import { engineEnvironment } from '../tensor/index.js';
import { examine, type Finding } from './doctor-checks.js';
import { note, print, printJson } from './terminal.js';

/** The command `doctor`; the exit code is 0 when the engine works. */
export function doctorCommand() {
  return new Command('doctor')
    .description('check libtorch and what it needs, and say how to mend what is wrong')
    .option('--json', 'print one JSON document')
    .action(async ({ json }) => {
      const examination = await examine(engineEnvironment(), process.env);
      const { ok, checks } = examination;
      if (json) printJson(examination);
      else {
        for (const check of checks) print(describe(check));
        if (!ok) note('\nthe engine does not work yet; what to type stands behind the arrows');
      }
      process.exitCode = ok ? 0 : 1;
    });
}

function describe({ status, name, detail, fix }: Finding): string {
  const line = `${status.padEnd(5)}${name.padEnd(12)}${detail}`;
  return fix === undefined ? line : `${line}\n${' '.repeat(17)}→ ${fix}`;
}
