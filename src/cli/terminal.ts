/**
 * What goes to the terminal: results to stdout, everything else to stderr.
 *
 * Titles, names and messages may come from anyone. So no control character but a line end is ever sent: an escape
 * sequence in a title is shown as `\u001b[2J`. That holds for JSON documents too, whose values stay the same.
 */
import { visible, visibleLines } from '../errors/index.js';
import { snakeKeys } from '../files/index.js';
import { pasteable } from './invocation.js';

/** A line of progress or explanation. */
export function note(text: string): void {
  process.stderr.write(`${visibleLines(pasteable(text))}\n`);
}

/** A result: text, or with `--json` exactly one document. */
export function print(text: string): void {
  process.stdout.write(`${visibleLines(pasteable(text))}\n`);
}

/** A result of several lines; a line end inside one is shown, so that no title can add a line. */
export function printLines(lines: readonly string[]): void {
  print(lines.map(visible).join('\n'));
}

/** The one JSON document of a command with `--json`; its keys are snake_case. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleLines(JSON.stringify(snakeKeys(value), null, 2))}\n`);
}

/** A JSON Schema; its keywords are as the standard spells them. */
export function printSchema(schema: unknown): void {
  process.stdout.write(`${visibleLines(JSON.stringify(schema, null, 2))}\n`);
}

const WIDTH = 24;
const PLAIN_SECONDS = 10;

/** A progress line with rate and time left; a bar on a terminal, a plain line now and then elsewhere. */
export class Progress {
  readonly #started = performance.now();
  #lastLine = 0;
  #isOpen = false;

  constructor(
    readonly label: string,
    readonly total: number,
    readonly unit = '',
  ) {}

  /** @param extra figures shown behind the bar */
  update(
    done: number,
    { extra = '', rate, secondsLeft }: { extra?: string; rate?: number; secondsLeft?: number } = {},
  ): void {
    const seconds = (performance.now() - this.#started) / 1000;
    const perSecond = rate ?? (seconds > 0 ? done / seconds : 0);
    const left = secondsLeft ?? (perSecond > 0 ? (this.total - done) / perSecond : Number.NaN);
    const share = Math.min(1, done / Math.max(1, this.total));
    const filled = Math.round(share * WIDTH);
    const figures = `${done}/${this.total} ${this.unit} ${perSecond.toFixed(perSecond < 10 ? 2 : 0)}/s ${clock(left)} left ${extra}`;
    const isTerminal = process.stderr.isTTY === true;
    const now = performance.now() / 1000;
    if (isTerminal) {
      process.stderr.write(
        `\r\x1b[2K${visible(this.label)} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${visible(figures)}`,
      );
      this.#isOpen = true;
      if (done >= this.total) this.end();
    } else if (now - this.#lastLine > PLAIN_SECONDS || done >= this.total) {
      this.#lastLine = now;
      note(`${this.label} ${Math.round(share * 100)}% ${figures}`);
    }
  }

  /** Leaves the line. */
  end(): void {
    if (this.#isOpen) process.stderr.write('\n');
    this.#isOpen = false;
  }
}

/** Seconds as `m:ss`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${String(whole % 60).padStart(2, '0')}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
