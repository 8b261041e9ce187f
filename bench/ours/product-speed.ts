/**
 * Speed of matrix products on a device: what the hardware gives at best.
 */
import type { ProductSize } from '../../src/cli/engine-report.js';
import {
  type Device,
  type DType,
  full,
  Generator,
  matmul,
  noGrad,
  randn,
  scope,
  toDevice,
} from '../../src/tensor/index.js';

/** Products that are timed together: a GPU is asked for its result once for all of them. */
const CALLS_AT_ONCE = { cpu: 1, cuda: 20 };

/** Waits until a device has done all it was told. */
export function synchronize(device: Device): void {
  if (device !== 'cpu') scope(() => full([1], 0, { device }).item());
}

/**
 * Best of repeated products [M, K] × [K, N] after one that does not count, in GFLOP/s.
 * @param seconds time to spend
 */
export function productSpeed(
  dtype: DType,
  { M, K, N }: ProductSize,
  { seconds, device }: { seconds: number; device: Device },
): number {
  const calls = CALLS_AT_ONCE[device === 'cpu' ? 'cpu' : 'cuda'];
  return noGrad(() =>
    scope(() => {
      const draw = (shape: number[]) => toDevice(randn(shape, new Generator(1)), device, dtype);
      const [x_MK, y_KN] = [draw([M, K]), draw([K, N])];
      let best = Number.POSITIVE_INFINITY;
      const end = performance.now() + 1000 * seconds;
      for (let turn = 0; turn < 4 || performance.now() < end; turn++) {
        const start = performance.now();
        for (let call = 0; call < calls; call++) matmul(x_MK, y_KN).dispose();
        synchronize(device);
        if (turn > 0) best = Math.min(best, (performance.now() - start) / calls);
      }
      return (2 * M * K * N) / best / 1e6;
    }),
  );
}
