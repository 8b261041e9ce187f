/**
 * How this program is called where it runs, so that every command it shows can be pasted as it stands.
 */
import { existsSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';

/** `npx ilora` where npx started it, `ilora` where that is on the path, else the launcher by its file. */
export function program(
  env: NodeJS.ProcessEnv = process.env,
  launcher = join(import.meta.dirname, '..', '..', 'bin', 'ilora.js'),
): string {
  if (env.npm_command === 'exec') return 'npx ilora';
  const folders = (env.PATH ?? '').split(delimiter);
  if (folders.some((folder) => folder !== '' && existsSync(join(folder, 'ilora')))) return 'ilora';
  return `node ${shellWord(relative(process.cwd(), launcher))}`;
}

/** A command of this program, to be pasted into a shell. */
export function command(...words: readonly string[]): string {
  return ['ilora', ...words.map(shellWord)].join(' ');
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const SHOWN = /(`|"|next: |type: )ilora (?=[a-z])/g;

/** A text in which commands that are shown to be typed begin as they must here. */
export function pasteable(text: string): string {
  return text.replace(SHOWN, (_, before: string) => `${before}${program()} `);
}
