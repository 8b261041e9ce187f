/**
 * A contestant: a process that stays alive and does one thing at a time when told.
 *
 * One JSON object per line goes in (`{"do": "train", "batch": 3}`) and one comes back (`{"seconds": ...}`, or
 * `{"error": ...}`). Each takes the time of its own work, so that neither the pipe nor JSON is in it. The first
 * line it says is `{"ready": true, ...}` with its versions.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a contestant says. */
export type Answer = Record<string, unknown>;

/** How a contestant is started. */
export interface Launch {
  /** For messages and results. */
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Folder it stands in. */
  cwd?: string;
}

/** Lines of stderr that are kept for the message when a contestant fails. */
const KEPT_LINES = 25;

export class Contestant {
  readonly name: string;
  /** Its first line: versions and what else it says of itself. */
  about: Answer = {};
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #stderr: string[] = [];

  private constructor({ name, command, args, env, cwd }: Launch) {
    this.name = name;
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, cwd });
    this.#child.on('error', (error) => this.#stderr.push(String(error)));
    this.#child.stdin.on('error', () => undefined); // an answer that never comes says it better
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#stderr.push(line);
      if (this.#stderr.length > KEPT_LINES) this.#stderr.shift();
    });
    process.once('exit', this.#kill);
  }

  /** Starts it and waits until it has loaded. @throws Error with the end of its stderr */
  static async start(launch: Launch): Promise<Contestant> {
    const contestant = new Contestant(launch);
    const { ready: _, ...about } = await contestant.#answer('start');
    contestant.about = about;
    return contestant;
  }

  /** @throws Error with its reason when it cannot */
  async ask(task: string, options: Record<string, unknown> = {}): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ do: task, ...options })}\n`);
    return this.#answer(task);
  }

  /** Does a task that is timed; the seconds are those it says. */
  async time(task: string, options: Record<string, unknown> = {}): Promise<number> {
    return (await this.ask(task, options)).seconds as number;
  }

  /** Ends it and waits until it is gone. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    const impatience = setTimeout(this.#kill, 10_000);
    await gone;
    clearTimeout(impatience);
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };

  async #answer(task: string): Promise<Answer> {
    const line = await this.#lines.next();
    if (line.done === true) {
      await new Promise((resolve) => setTimeout(resolve, 50)); // the last words may lag behind
      throw new Error(`${this.name}: ended at "${task}"\n${this.#stderr.join('\n')}`);
    }
    const answer = JSON.parse(line.value) as Answer;
    if (answer.error !== undefined)
      throw new Error(
        `${this.name}: "${task}" failed: ${answer.error}\n${this.#stderr.join('\n')}`,
      );
    return answer;
  }
}

/** Starts contestants one after the other; the caller must `stopAll`. */
export async function startAll(launches: readonly Launch[]): Promise<Contestant[]> {
  const started: Contestant[] = [];
  try {
    for (const launch of launches) started.push(await Contestant.start(launch));
    return started;
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

export async function stopAll(contestants: readonly Contestant[]): Promise<void> {
  await Promise.all(contestants.map((contestant) => contestant.stop()));
}

/** One of the things that are timed in turn; a contestant may be several. */
export interface Entry {
  name: string;
  /** Does the work of a round and says how many seconds it took. */
  run: (round: number) => Promise<number>;
}

/**
 * Lets everybody do the same work in turn, one at a time; the order moves on by one each round, so that none always
 * comes after the same.
 * @param warmUp rounds before those that count
 * @returns seconds of each round that counts, by name
 */
export async function alternate(
  entries: readonly Entry[],
  { rounds, warmUp, note }: { rounds: number; warmUp: number; note: (text: string) => void },
): Promise<Map<string, number[]>> {
  const seconds = new Map(entries.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < warmUp + rounds; round++)
    for (const i of entries.keys()) {
      const { name, run } = entries[(i + round) % entries.length] as Entry;
      const took = await run(round);
      note(
        `${round < warmUp ? 'warm-up' : `round ${round - warmUp + 1}`}: ${name} ${took.toFixed(2)} s`,
      );
      if (round >= warmUp) seconds.get(name)?.push(took);
    }
  return seconds;
}
