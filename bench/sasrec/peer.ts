/** RecBole's SASRec in a process of its own: a line of JSON in, a line of JSON out. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launcherEnvironment, ROOT } from '../measurement.js';

export type Answer = Record<string, unknown>;

export class RecBole {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #said: string[] = [];

  constructor(python: string, folder: string) {
    const script = join(ROOT, 'bench', 'peers', 'recbole_sasrec.py');
    this.#child = spawn(python, ['-W', 'ignore', script], {
      cwd: folder, // RecBole leaves logs where it stands
      env: launcherEnvironment(),
    });
    this.#child.on('error', (error) => this.#said.push(String(error)));
    this.#child.stdin.on('error', () => undefined); // an answer that never comes says it better
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#said.push(line);
      if (this.#said.length > 20) this.#said.shift();
    });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  /** @throws Error with its reason, or with the end of its stderr */
  async ask(
    task: 'start' | 'epoch' | 'scores',
    options: Record<string, unknown> = {},
  ): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ do: task, ...options })}\n`);
    const line = await this.#lines.next();
    const answer = line.done === true ? { error: 'it ended' } : (JSON.parse(line.value) as Answer);
    if (answer.error === undefined) return answer;
    throw new Error(
      `RecBole, ${task}: ${answer.error}\n${this.#said.join('\n')}\ninstall it as bench/peers/recbole-requirements.txt says and name its Python with --python`,
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await gone;
  }
}
