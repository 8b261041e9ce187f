/**
 * The only place that touches the addon: loads it on first use and gives its entries types.
 *
 * The addon itself is `native/door.cpp`: one generic way into libtorch's dispatcher.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { IloraError, mismatch } from '../errors/index.js';
import { ensureAddon } from './build.js';
import type { Device } from './dtype.js';
import { boundKernels, engineEnvironment } from './environment.js';
import { findLibtorch, type Libtorch } from './libtorch.js';

declare const handleBrand: unique symbol;

/** Opaque pointer to a tensor or a generator of libtorch. */
export type Handle = { readonly [handleBrand]: true };

/** What crosses the door. */
export type NativeValue =
  | Handle
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | NativeValue[];

/** An operator as libtorch knows it. */
export interface ResolvedOperator {
  id: number;
  schema: string;
  arguments: string[];
}

/** The addon's entries; shapes and meanings stand in native/door.cpp. */
export interface Native {
  torchVersion: string;
  resolve(name: string, overload: string): ResolvedOperator | null;
  call(id: number, values: NativeValue[]): NativeValue;
  describe(
    tensor: Handle,
  ): [dtype: number, device: string, requiresGrad: boolean, ...shape: number[]];
  fromBytes(view: NodeJS.TypedArray, shape: readonly number[], dtype: number): Handle;
  toBytes(tensor: Handle): ArrayBuffer;
  dispose(handle: Handle): void;
  hint(tensor: Handle): void;
  share(tensor: Handle): number;
  adopt(number: number): Handle;
  backward(root: Handle, gradient?: Handle): void;
  gradient(tensor: Handle): Handle | null;
  setGradient(tensor: Handle, gradient?: Handle): void;
  setRequiresGradient(tensor: Handle, enabled: boolean): void;
  setGradMode(enabled: boolean): boolean;
  generator(device: string, seed: number): Handle;
  threads(count?: number): number;
  live(): number;
  load(path: string): void;
  quit(code: number): never;
  hasCuda(): boolean;
}

/** What is running, for `doctor` and run folders. */
export interface EngineInfo {
  libtorch: Libtorch;
  addon: string;
  threads: number;
}

let loaded: { native: Native; info: EngineInfo } | undefined;
let report: (message: string) => void = (message) => console.error(message);

/** Sends the engine's rare notices (a compilation or a conversion starts) somewhere else than the console's stderr. */
export function onEngineNotice(listener: (message: string) => void): void {
  report = listener;
}

/** Sends one of those notices. */
export function noticeEngine(message: string): void {
  report(message);
}

/** The addon, found, compiled if need be, and loaded. @throws IloraError `setup` */
export function native(): Native {
  return (loaded ?? load()).native;
}

/** Which libtorch is in use. */
export function engineInfo(): EngineInfo {
  return (loaded ?? load()).info;
}

function load(): { native: Native; info: EngineInfo } {
  boundKernels();
  const environment = engineEnvironment();
  const libtorch = findLibtorch(environment);
  const addon = ensureAddon(libtorch, environment, report);
  let entries: Native;
  try {
    entries = createRequire(import.meta.url)(addon) as Native;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IloraError(
      'setup',
      `engine: libtorch ${libtorch.version} in ${libtorch.libDir} does not load: ${reason} — run \`ilora doctor\``,
      { libtorch },
      error,
    );
  }
  const threads = entries.threads(environment.threads ?? availableParallelism());
  loaded = { native: entries, info: { libtorch, addon, threads } };
  return loaded;
}

/**
 * Ends the process at once: a thread that is inside an operator, which nothing can interrupt, is not waited for. What
 * is to be kept must be on disk.
 */
export function endProcess(code: number): never {
  if (loaded === undefined) process.exit(code);
  process.emit('exit', code); // who cleans up at the end still does
  loaded.native.quit(code);
  throw new Error('the process goes on after its end');
}

let cudaReady = false;

/**
 * Loads what a device needs. Call it before the first tensor is made: libtorch looks for CUDA kernels once.
 * @throws IloraError `setup` where this libtorch or machine has no such device
 */
export function prepareDevice(device: Device): void {
  place(device);
}

/**
 * The device, with what it needs loaded.
 * @throws IloraError `engine` if it is no device, `setup` where this libtorch or machine has no such one
 */
export function place(device: Device): Device {
  if (device === 'cpu') return device;
  if (typeof device !== 'string' || !/^cuda(:\d{1,3})?$/.test(device))
    throw mismatch('engine', { where: 'device', expected: 'cpu, cuda or cuda:N', got: device });
  requireCuda();
  return device;
}

/** Loads the CUDA kernels. @throws IloraError `setup` where this libtorch or machine has none */
function requireCuda(): void {
  if (cudaReady) return;
  const entries = native();
  const { libtorch } = engineInfo();
  if (!libtorch.hasCudaLibrary) {
    throw new IloraError(
      'setup',
      `device "cuda": libtorch ${libtorch.version} in ${libtorch.libDir} has no CUDA kernels`,
    );
  }
  try {
    entries.load(join(libtorch.libDir, 'libtorch_cuda.so'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IloraError(
      'setup',
      `device "cuda": the CUDA kernels do not load: ${reason}`,
      {},
      error,
    );
  }
  if (!entries.hasCuda())
    throw new IloraError('setup', 'device "cuda": no usable GPU on this machine');
  cudaReady = true;
}
