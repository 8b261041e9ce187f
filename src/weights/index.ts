/**
 * Here: files of weights: safetensors, GGUF, one interface to a base’s weights.
 * May use: tensor, files and below.
 * Used by: llama, recommenders, training, cli.
 */
export {
  type ConvertedEntry,
  type ConvertOptions,
  clearConverted,
  listConverted,
  openConverted,
} from './converted.js';
export { DEQUANTIZABLE, dequantize } from './dequantize.js';
export { type GgufFile, type GgufMetadata, type GgufValue, openGguf } from './gguf.js';
export { GgufSource } from './gguf-source.js';
export { KNOWN_MODELS, type KnownModel } from './known-model.js';
export { countParameters, type ModelConfig, SUPPORTED_ARCHITECTURES } from './model-config.js';
export {
  findPulled,
  type PulledModel,
  type PullModelOptions,
  type PullStep,
  pullModel,
} from './model-pull.js';
export { describeModel, type ModelDescription, openWeights } from './open-weights.js';
export {
  openSafetensors,
  SAFETENSORS_DTYPES,
  type SafetensorsDtype,
  type SafetensorsFile,
  type SafetensorsTensor,
  safetensorsBlocks,
  type TensorData,
  writeSafetensors,
} from './safetensors.js';
export { checkSeal, loadSealed, saveSealed } from './sealed-file.js';
export { openSafetensorsFolder, type ShardedTensor } from './sharded.js';
export { readTensorBytes, type StoredTensor } from './stored-tensor.js';
export { loadTensors, saveTensors } from './tensor-file.js';
export type { LoadOptions, TokenizerSource, WeightSource } from './weight-source.js';
