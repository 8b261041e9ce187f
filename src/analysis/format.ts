/** Numbers as people read them, the same in the terminal and in reports. */

/** A share or a metric: `0.421`. */
export function formatRatio(value: number): string {
  return value.toFixed(3);
}

/** A difference of shares in points: `+5.3`, `−2.1`. */
export function formatPoints(value: number): string {
  const points = (Math.abs(value) * 100).toFixed(1);
  return points === '0.0' ? '0.0' : `${value < 0 ? '−' : '+'}${points}`;
}

/** A p-value: `p = 0.031`, `p < 0.001`. */
export function formatPValue(value: number): string {
  if (value < 0.001) return 'p < 0.001';
  return `p = ${value.toFixed(value < 0.01 ? 3 : 2)}`;
}

/** A whole number in groups of three: `19,988,480`. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Hits: `45`, and as a mean over runs `45.3`. */
export function formatHits(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : value.toFixed(1);
}

/** A duration with the unit that fits: `4 µs`, `38 ms`, `4.2 s`, `12 min 5 s`, `3 h 20 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(whole / 60);
  return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
