/**
 * Peak resident memory of this process, as the kernel keeps it. Linux only.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** The highest resident set since the start, or since `forgetPeak`, in bytes. */
export function peakBytes(): number {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return 1024 * Number(kilobytes);
}

/** The peak counts from what is resident now. */
export function forgetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}
