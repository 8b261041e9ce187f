/**
 * What a method says of itself: its settings, what it needs, how it is built, how it learns, what it can do.
 *
 * A method is a folder with a file that calls `defineMethod`, and a line in `registry.ts`. Training, evaluation,
 * the command line, reports and docs know methods by this interface alone.
 */
import { z } from 'zod';
import type { DataProgress, Dataset, Protocol } from '../data/index.js';
import { isObject } from '../files/index.js';
import type { Tensor } from '../tensor/index.js';
import type { Capabilities, Capability, Encoder, EncoderDescription } from './capability.js';
import type { Learner } from './learner.js';
import type { Base } from './llm/base.js';

/** Settings that every method has. */
export const commonShape = {
  data: z.string().min(1).describe('dataset folder, made by `ilora data`'),
  out: z.string().min(1).describe('run folder to make'),
  seed: z.int().min(0).default(1),
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d+)?)$/, 'expected cpu, cuda or cuda:N')
    .default('cpu'),
} as const;

/** Settings of methods that need a language model. */
export const baseShape = {
  base: z.string().min(1).default('smollm2-135m').describe('name or path of the language model'),
  dtype: z
    .enum(['auto', 'float32', 'bfloat16'])
    .default('auto')
    .describe('of the frozen base; auto: the faster one here'),
} as const;

/** Settings of methods that read titles. */
export const textShape = {
  prompt: z
    .string()
    .min(1)
    .default('item')
    .describe('wording of prompts: name of a shipped template, or path of a file'),
} as const;

/** Metrics of a draw of candidates that a validation can be chosen by. */
export const SELECTABLE_OF_DRAW = ['hr_at_1', 'ndcg_at_10', 'mrr'] as const;

/**
 * Metrics that a validation can be chosen by. Those in expectation over candidate draws are the least noisy; they
 * need a method that scores the whole catalog (a retriever).
 */
export const SELECTABLE = [...SELECTABLE_OF_DRAW, 'expected_hr_at_1', 'expected_mrr'] as const;
export type Selectable = (typeof SELECTABLE)[number];

/** Whether a metric takes the scores of the whole catalog. */
export const needsCatalog = (metric: Selectable): boolean => metric.startsWith('expected_');

/** A key of every method that learns by gradients and can keep an average of its weights. */
export const averagingShape = {
  averaging: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('decay of a running average of the weights, which is then what is kept; 0: none'),
} as const;

/** Settings of an earlier version, with what a section's absent keys meant in it. */
export function withMeant(
  settings: Readonly<Record<string, unknown>>,
  section: string,
  meant: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const own = settings[section];
  return isObject(own) ? { ...settings, [section]: { ...meant, ...own } } : { ...settings };
}

/** Settings with every default filled in, as far as all methods have them. */
export interface CommonSettings {
  method: string;
  data: string;
  out: string;
  seed: number;
  device: string;
  /** Of methods that need a language model: its name or path, and its number type. */
  base?: string;
  dtype?: 'auto' | 'float32' | 'bfloat16';
  /** Of methods that read titles: name or path of a prompt template. */
  prompt?: string;
  /** Of methods that need an encoder: a run folder, or the settings of one to be trained first. */
  encoder?: string | EncoderSettings;
  /** Of methods that combine others: run folders, or settings of what is trained first. */
  members?: readonly (string | MemberSettings)[];
}

/** Settings of an encoder that is trained first: its method and that method's own keys. */
export type EncoderSettings = { method: string } & Readonly<Record<string, unknown>>;

/** Settings of a member that is trained first: its method, that method's own keys, and a seed where it has its own. */
export type MemberSettings = { method: string; seed?: number } & Readonly<Record<string, unknown>>;

/** A trained model among those that a method combines. */
export interface Member {
  /** That of its method; a number is added from the second of the same method on: `gru4rec-2`. */
  name: string;
  model: Model;
}

/** The settings of a method whose own keys have this shape. */
export type SettingsOf<Shape extends z.ZodRawShape> = CommonSettings & z.output<z.ZodObject<Shape>>;

/** What a model is made from, beside its settings. */
export interface Parts {
  dataset: Dataset;
  /** The frozen language model, for methods that need one. */
  base?: Base;
  /** The trained encoder, for methods that need one. */
  encoder?: Encoder;
  /** The trained models that are combined, for methods that need some; all can score the whole catalog. */
  members?: readonly Member[];
}

/** A model: what it can do, and how it is saved and opened. */
export interface Model extends Partial<Capabilities> {
  recommender: Capabilities['recommender'];
  /** All that is saved, by key. */
  state(): ReadonlyMap<string, Tensor>;
  /**
   * Takes saved values over; they stay the caller's.
   * @param where file, for messages
   * @throws IloraError `format` listing every tensor that misfits
   */
  load(saved: ReadonlyMap<string, Tensor>, where: string): void;
  /** Stops gradients for all its tensors. */
  freeze(): void;
  /** Takes off what it put on parts it shares, such as an adapter on its base. */
  release?(): void;
}

/** What the loop does with a learner. */
export interface LoopOptions {
  /** Examples per optimizer step. */
  batchSize: number;
  /** Examples to see in all; passes over the data follow from it. */
  totalExamples: number;
  /** Share of all steps for the warm-up, from 0 to 1. */
  warmupShare: number;
  /** `cosine` after the warm-up, or `constant`. */
  schedule: 'cosine' | 'constant';
  optimizer: 'adam' | 'adamw';
  /** Bound on the joint norm of all gradients; 0 for none. */
  clipNorm: number;
  /** Decay of a running average of the parameters that is validated and kept in their place; none by default. */
  averaging?: number;
  /** Examples between two validations. */
  validateEvery: number;
  /** Rows that are validated on, the first ones; all by default. */
  validationRows?: number;
  /** Windows of every validation user, as `Dataset.windows` gives them; by default the split's own rows. */
  validationWindows?: number;
  /** Of the validation; `window` by default. */
  protocol?: Protocol;
  /** Metric that chooses the best weights. */
  select: Selectable;
  /** Stop after this many validations without a new best; 0 for never. */
  patience: number;
  /** Seconds between two checkpoints. */
  checkpointSeconds: number;
  /** Threads that share a step where the learner can share one; by default as many as pay. */
  workers?: number;
}

/** What a `fit` may report and be told. */
export interface FitOptions {
  onProgress?: (progress: DataProgress) => void;
  signal?: AbortSignal;
}

/** Settings that a fit chose, by name. */
export type Choices = Readonly<Record<string, number>>;

/** How a model of the method comes to its values. */
export type Learning<S, M extends Model> =
  | {
      kind: 'gradients';
      learner(model: M, settings: S, parts: Parts): Learner;
      loop(settings: S, learner: Learner, parts: Parts): LoopOptions;
    }
  | {
      /** Counts and closed forms. */
      kind: 'fit';
      /** @returns what it chose by itself, on validation, for the summary */
      fit(model: M, settings: S, parts: Parts, options: FitOptions): Promise<Choices | undefined>;
    };

/** What must be there before a model can be built. */
export interface Needs {
  /** A frozen language model. */
  base: boolean;
  /** A trained encoder. */
  encoder: boolean;
  /** Trained models to combine. */
  members: boolean;
  /** Titles of items. */
  texts: boolean;
}

/** Contracts that a method may have a reason not to keep. */
export type ContractException = 'candidate-order';

/** What `defineMethod` takes. */
export interface MethodSpec<Shape extends z.ZodRawShape, M extends Model> {
  /** In settings, folders and output: lower case, no spaces. */
  name: string;
  /** In tables and charts. */
  label: string;
  /** One line for help and docs. */
  summary: string;
  /** What its models can do; a contract test holds it against the models. */
  capabilities: readonly Capability[];
  needs: Needs;
  /** Cheap and without settings of importance: shown beside every evaluated run. */
  isYardstick?: boolean;
  /** A fit that draws random numbers: studies repeat it with every seed. */
  isRandom?: boolean;
  /** Contracts of tests/contracts that its models cannot keep, each with the reason. */
  exceptions?: Partial<Record<ContractException, string>>;
  /** Its own keys of a settings file, with descriptions and defaults. */
  shape: Shape;
  /** Fills in what depends on other settings, and says what does not fit together, a line per fault. */
  resolve?(settings: SettingsOf<Shape>): { settings: SettingsOf<Shape>; faults: readonly string[] };
  /**
   * Settings of a run of an earlier version, where a key that they lack meant another thing than its default now.
   */
  fromEarlier?(settings: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Keys of its own that the settings of a run of format 1 say elsewhere. */
  fromFormat1?(settings: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** A model with fresh values. */
  build(settings: SettingsOf<Shape>, parts: Parts): M;
  /** Least number of values in a model of such settings: a file must be able to fill it before room is made. */
  leastValues(settings: SettingsOf<Shape>, parts: Parts): number;
  learning: Learning<SettingsOf<Shape>, M>;
  /** An encoder of the description's options with values to come, for methods with that capability. */
  encoder?(options: never): Encoder;
}

/** A method, as everyone but itself sees it. */
export interface Method<S extends CommonSettings = CommonSettings, M extends Model = Model>
  extends Omit<MethodSpec<z.ZodRawShape, M>, 'resolve' | 'build' | 'leastValues' | 'learning'> {
  /** Its settings, the common ones and its own; `method`, `encoder` and `members` are the registry's to add. */
  readonly schema: z.ZodObject;
  resolve?(settings: S): { settings: S; faults: readonly string[] };
  build(settings: S, parts: Parts): M;
  leastValues(settings: S, parts: Parts): number;
  readonly learning: Learning<S, M>;
}

/** Makes a method of what it says of itself. */
export function defineMethod<Shape extends z.ZodRawShape, M extends Model>(
  spec: MethodSpec<Shape, M>,
): Method<SettingsOf<Shape>, M> {
  return { ...spec, schema: z.strictObject({ ...commonShape, ...spec.shape }) };
}

/** An encoder as a method makes it from its description. */
export function encoderFrom(method: Method, { options }: EncoderDescription): Encoder | undefined {
  return method.encoder?.(options as never);
}
