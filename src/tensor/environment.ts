/**
 * The few environment variables that say where the engine is; read here and in `cli` only.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where libtorch and the compiled addon are looked for. */
export interface EngineEnvironment {
  /** `LIBTORCH`: folder that holds libtorch's `include` and `lib`. */
  libtorch?: string;
  /** `PYTHON`, else `python3`: the Python whose `torch` may be used. */
  python: string;
  /** `CXX`, else `c++`. */
  compiler: string;
  /** `ILORA_CACHE`, else the user's cache folder: the addon, libtorch, models and their converted copies. */
  cacheDir: string;
  /** `ILORA_CONVERTED=0`: no converted copies of quantised models are kept. */
  withoutConverted?: boolean;
  /** `OMP_NUM_THREADS`: threads inside an operator, where the user has set it. */
  threads?: number;
}

/** Reads the environment of this process. */
export function engineEnvironment(): EngineEnvironment {
  const { LIBTORCH, PYTHON, CXX, ILORA_CACHE, ILORA_CONVERTED, XDG_CACHE_HOME, OMP_NUM_THREADS } =
    process.env;
  const threads = Number.parseInt(OMP_NUM_THREADS ?? '', 10);
  return {
    libtorch: LIBTORCH === '' ? undefined : LIBTORCH,
    python: PYTHON || 'python3',
    compiler: CXX || 'c++',
    cacheDir: ILORA_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ilora'),
    withoutConverted: ILORA_CONVERTED === '0',
    threads: threads > 0 ? threads : undefined,
  };
}

/**
 * Kernels that oneDNN keeps. Each is for one shape, and lengths of prompts differ without end. Its own bound of 1,024
 * lets memory grow by some MB over thousands of steps, for kernels that are hardly ever used again.
 */
const KEPT_KERNELS = '256';

/** Bounds them, where the user has not; only before libtorch is loaded, and in a process's main thread. */
export function boundKernels(): void {
  process.env.ONEDNN_PRIMITIVE_CACHE_CAPACITY ??= KEPT_KERNELS;
}
