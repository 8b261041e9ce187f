/**
 * Tries the engine: is it there, does it compute, how fast. In a process of its own, so that a
 * libtorch that crashes is a finding and not the end of the command.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { internal } from '../errors/index.js';
import {
  cast,
  type DType,
  type EngineInfo,
  engineInfo,
  full,
  matmul,
  noGrad,
  prepareDevice,
  scope,
  Tensor,
  toDevice,
} from '../tensor/index.js';

/** Sizes of a matrix product [M, K] × [K, N]. */
export interface ProductSize {
  M: number;
  K: number;
  N: number;
}

/** What was found when the engine was tried. */
export interface EngineReport extends EngineInfo {
  /** tcmalloc, where it is loaded; else the C library's. */
  allocator: 'tcmalloc' | 'system';
  speeds: { dtype: DType; size: ProductSize; gflops: number }[];
  cuda: { isUsable: boolean; detail: string };
}

/** How a trial ended. */
export type EngineTrial =
  | { isWorking: true; report: EngineReport }
  | { isWorking: false; problem: string };

/** The product that is timed: of the size of one layer of a small model. */
export const TRIAL_SIZE: ProductSize = { M: 384, K: 576, N: 1536 };

/** Tries the engine in a child process, with compilation notices on this process' stderr. */
export function tryEngine(env: NodeJS.ProcessEnv = process.env): Promise<EngineTrial> {
  const program = new URL(`./engine-probe${extname(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(program), [], { env, stdio: ['ignore', 2, 2, 'ipc'] });
  return new Promise((resolve, reject) => {
    let answer: EngineTrial | undefined;
    child.on('message', (message) => {
      answer = message as EngineTrial;
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      const ending = signal === null ? `ended with code ${code}` : `crashed (${signal})`;
      resolve(answer ?? { isWorking: false, problem: `engine: the trial ${ending}` });
    });
  });
}

/** The trial itself, in this process. @throws IloraError `setup` when the engine does not work */
export function reportEngine(): EngineReport {
  const info = engineInfo();
  const speeds = (['float32', 'bfloat16'] as const).map((dtype) => ({
    dtype,
    size: TRIAL_SIZE,
    gflops: productSpeed(dtype, TRIAL_SIZE, { seconds: 0.3 }),
  }));
  return { ...info, allocator: allocatorInUse(), speeds, cuda: tryCuda(info) };
}

/**
 * Speed of a matrix product as the best of repeated calls, in GFLOP/s.
 * @param seconds time to spend; at least two calls are timed
 */
export function productSpeed(
  dtype: DType,
  { M, K, N }: ProductSize,
  { seconds }: { seconds: number },
): number {
  return noGrad(() =>
    scope(() => {
      const x_MK = cast(full([M, K], 1), dtype);
      const y_KN = cast(full([K, N], 0.5), dtype);
      let best = Number.POSITIVE_INFINITY;
      const end = performance.now() + 1000 * seconds;
      for (let call = 0; call < 3 || performance.now() < end; call++) {
        const start = performance.now();
        const z_MN = matmul(x_MK, y_KN);
        if (call > 0) best = Math.min(best, performance.now() - start);
        else if (z_MN.toNumbers()[0] !== K / 2)
          throw internal(`a matrix product gave ${z_MN.toNumbers()[0]}, not ${K / 2}`);
        z_MN.dispose();
      }
      return (2 * M * K * N) / best / 1e6;
    }),
  );
}

function allocatorInUse(): EngineReport['allocator'] {
  if (process.platform !== 'linux') return 'system';
  return readFileSync('/proc/self/maps', 'utf8').includes('tcmalloc') ? 'tcmalloc' : 'system';
}

function tryCuda({ libtorch }: EngineInfo): EngineReport['cuda'] {
  if (!libtorch.hasCudaLibrary) return { isUsable: false, detail: 'this libtorch is for the CPU' };
  try {
    prepareDevice('cuda');
    const sum = scope(() => {
      const x = toDevice(Tensor.from([1, 2, 3, 4], [2, 2]), 'cuda');
      return matmul(x, x).toNumbers()[3];
    });
    return { isUsable: sum === 22, detail: sum === 22 ? 'computes' : `computes ${sum}, not 22` };
  } catch (error) {
    return { isUsable: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
