/**
 * What a base model's files say about its shape, in one form for both file kinds.
 *
 * Reading is lenient and checking is strict: a config that cannot serve as a base still has its
 * facts listed, together with the reasons, for `ilora model info`.
 */

/** How rotary frequencies are stretched. */
export type RopeScalingFacts =
  | { type: 'linear'; factor: number }
  | {
      type: 'llama3';
      factor: number;
      lowFreqFactor: number;
      highFreqFactor: number;
      originalMaxPositions: number;
    }
  /** One divisor per pair of features, as GGUF files store Llama-3's scaling. */
  | { type: 'factors'; factors: readonly number[] };

/** The shape of a Llama-family model and what its files say beside it. */
export interface ModelConfig {
  /** Hugging Face's class name, such as `LlamaForCausalLM`. */
  architecture: string;
  /** V */
  vocabSize: number;
  /** D */
  hiddenSize: number;
  /** F */
  intermediateSize: number;
  numLayers: number;
  /** H */
  numHeads: number;
  /** G; divides H */
  numKvHeads: number;
  /** K */
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling?: RopeScalingFacts;
  /** Longest sequence the model was trained for, in tokens. */
  maxPositions: number;
  /** Whether the output layer shares the embedding table. */
  tieWordEmbeddings: boolean;
  attentionBias: boolean;
  /** Attention reaches only this many tokens back. */
  slidingWindow?: number;
  bosTokenId?: number;
  eosTokenIds: readonly number[];
  name?: string;
  licence?: string;
}

/** A config and why it cannot serve as a base; no problems means it can. */
export interface ConfigFacts {
  /** As the file spells it, even where nothing else could be read. */
  architecture: string;
  /** Absent if a required value is missing. */
  config?: ModelConfig;
  /** One line each: `<key>: expected <what>, got <value>`. */
  problems: readonly string[];
}

/** Architectures whose layers are Llama's. */
export const SUPPORTED_ARCHITECTURES: readonly string[] = [
  'LlamaForCausalLM',
  'MistralForCausalLM',
];

/**
 * Shapes of all tensors a model must have, by Hugging Face key without the leading `model.`.
 *
 * Weights are [O, I].
 */
export function expectedShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { vocabSize: V, hiddenSize: D, intermediateSize: F } = config;
  const { numHeads: H, numKvHeads: G, headDim: K } = config;
  const shapes = new Map<string, readonly number[]>([['embed_tokens.weight', [V, D]]]);
  for (let layer = 0; layer < config.numLayers; layer += 1) {
    const prefix = `layers.${layer}`;
    const attention: [string, number, number][] = [
      ['q_proj', H * K, D],
      ['k_proj', G * K, D],
      ['v_proj', G * K, D],
      ['o_proj', D, H * K],
    ];
    for (const [name, O, I] of attention) {
      shapes.set(`${prefix}.self_attn.${name}.weight`, [O, I]);
      if (config.attentionBias) shapes.set(`${prefix}.self_attn.${name}.bias`, [O]);
    }
    shapes.set(`${prefix}.mlp.gate_proj.weight`, [F, D]);
    shapes.set(`${prefix}.mlp.up_proj.weight`, [F, D]);
    shapes.set(`${prefix}.mlp.down_proj.weight`, [D, F]);
    shapes.set(`${prefix}.input_layernorm.weight`, [D]);
    shapes.set(`${prefix}.post_attention_layernorm.weight`, [D]);
  }
  shapes.set('norm.weight', [D]);
  if (!config.tieWordEmbeddings) shapes.set('lm_head.weight', [V, D]);
  return shapes;
}

/** Number of values in all weights, and in those that are neither embedding nor output table. */
export function countParameters(config: ModelConfig): { total: number; nonEmbedding: number } {
  // One layer stands for all: a file may promise any number of them.
  const none = countValues({ ...config, numLayers: 0 });
  const layer = countValues({ ...config, numLayers: 1 }).total - none.total;
  const total = none.total + config.numLayers * layer;
  return { total, nonEmbedding: total - none.tables };
}

function countValues(config: ModelConfig): { total: number; tables: number } {
  let total = 0;
  let tables = 0;
  for (const [name, shape] of expectedShapes(config)) {
    const size = shape.reduce((product, length) => product * length, 1);
    total += size;
    if (name === 'embed_tokens.weight' || name === 'lm_head.weight') tables += size;
  }
  return { total, tables };
}

/** Bounds that hold for every model and keep absurd sizes from being multiplied. */
const MAX_WIDTH = 1 << 24;
const MAX_LAYERS = 1 << 12;

/** The checks that do not depend on the kind of file; each problem is one line. */
export function configProblems(config: ModelConfig): string[] {
  const problems: string[] = [];
  const check = (isFine: boolean, key: string, expected: string, got: unknown): void => {
    if (!isFine) problems.push(`${key}: expected ${expected}, got ${String(got)}`);
  };
  const { architecture, numHeads, numKvHeads, headDim, slidingWindow, maxPositions } = config;
  check(
    SUPPORTED_ARCHITECTURES.includes(architecture),
    'architecture',
    `one of ${SUPPORTED_ARCHITECTURES.join(', ')}`,
    architecture,
  );
  for (const key of ['vocabSize', 'hiddenSize', 'intermediateSize', 'maxPositions'] as const)
    check(config[key] <= MAX_WIDTH * 16, key, `at most ${MAX_WIDTH * 16}`, config[key]);
  check(config.numLayers <= MAX_LAYERS, 'numLayers', `at most ${MAX_LAYERS}`, config.numLayers);
  check(
    numHeads * headDim <= MAX_WIDTH,
    'numHeads x headDim',
    `at most ${MAX_WIDTH}`,
    numHeads * headDim,
  );
  check(headDim % 2 === 0, 'headDim', 'an even number', headDim);
  check(
    numHeads % numKvHeads === 0,
    'numKvHeads',
    `a divisor of the ${numHeads} query heads`,
    numKvHeads,
  );
  if (config.ropeScaling?.type === 'factors') {
    const { factors } = config.ropeScaling;
    check(
      factors.length === headDim / 2 && factors.every((factor) => factor > 0),
      'rope factors',
      `${headDim / 2} positive numbers`,
      `${factors.length} of them`,
    );
  }
  check(
    slidingWindow === undefined || slidingWindow >= maxPositions,
    'slidingWindow',
    `full attention over ${maxPositions} positions (sliding windows are not built in)`,
    `${slidingWindow} tokens`,
  );
  return problems;
}
