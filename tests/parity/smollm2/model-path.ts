/** Where `ilora model pull smollm2-135m` puts the model; parity tests on it skip where it is not. */
import { cachedModelPath } from '../../../src/cli/cache.js';

/** Path of SmolLM2's GGUF file, whether or not it is there. */
export function smollmPath(): string {
  return cachedModelPath('smollm2-135m', 'SmolLM2-135M-Instruct.Q4_1.gguf');
}
