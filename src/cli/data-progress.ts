/**
 * Shows how far an import is: a line per step, and a bar while one takes long.
 */
import type { DataProgress } from '../data/index.js';
import { note, Progress } from './terminal.js';

/** Gives a function that shows what it is told, and one that leaves the line at the end. */
export function dataProgress(): { show: (progress: DataProgress) => void; end: () => void } {
  let bar: Progress | undefined;
  const end = (): void => {
    bar?.end();
    bar = undefined;
  };
  const show = ({ text, done, total, unit }: DataProgress): void => {
    if (done === undefined || total === undefined) {
      end();
      note(text);
      return;
    }
    if (bar?.label !== text || bar.total !== total) {
      end();
      bar = new Progress(text, total, unit);
    }
    bar.update(done);
  };
  return { show, end };
}
