/**
 * Here: tensors of libtorch: handles, scopes, axis checks, operators.
 * May use: errors, files.
 * Used by: nn and every room above.
 */
export {
  type AttentionOptions,
  attention,
  attentionByProducts,
  attentionFused,
  causalMask,
} from './attention.js';
export { addonPath, ensureAddon } from './build.js';
export {
  type Argument,
  EngineError,
  hasOperator,
  operator,
  operatorInPlace,
  operatorMany,
} from './call.js';
export { dims } from './dims.js';
export {
  type Device,
  DTYPE_BYTES,
  type DType,
  isFloating,
  preferredDtype,
  processorName,
} from './dtype.js';
export { type EngineEnvironment, engineEnvironment } from './environment.js';
export { Generator } from './generator.js';
export { engineThreads, noGrad } from './grad.js';
export {
  findLibtorch,
  type Libtorch,
  type LibtorchPlace,
  OLDEST_LIBTORCH,
  searchLibtorch,
  setupDir,
} from './libtorch.js';
export {
  type EngineInfo,
  endProcess,
  engineInfo,
  noticeEngine,
  onEngineNotice,
  prepareDevice,
} from './native.js';
export * from './operators.js';
export { RowStreams } from './row-streams.js';
export { currentScope, keep, type Owned, Scope, scope } from './scope.js';
export { adopt, type SharedTensor, share } from './share.js';
export { liveTensors, Tensor, type TypedArray } from './tensor.js';
