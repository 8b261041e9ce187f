/**
 * Adam and AdamW over groups of parameters.
 *
 * Kingma & Ba 2015; Loshchilov & Hutter 2019. Update rule and bias correction as in torch.optim.Adam:
 * m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;  θ ← θ - η · m̂ / (√v̂ + ε).
 */
import { mismatch } from '../errors/index.js';
import {
  clone,
  copy_,
  foreach,
  keep,
  noGrad,
  scope,
  type Tensor,
  zerosLike,
} from '../tensor/index.js';

/** Parameters that share a learning rate and a decay. */
export interface ParameterGroup {
  /** For messages and logs. */
  name: string;
  /** By checkpoint key. */
  parameters: ReadonlyMap<string, Tensor>;
  /** Learning rate before the schedule's factor. */
  learningRate: number;
  /** Added to the gradient as λ·θ (Adam), or taken off the parameter as η·λ·θ (AdamW). */
  weightDecay: number;
}

export interface AdamOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** AdamW: decay apart from the gradient. */
  isDecoupled?: boolean;
  /**
   * Decay of the running average of the parameters, in [0, 1); 0 for none. Polyak & Juditsky 1992. Early steps decay
   * faster, by (1 + t) / (10 + t), so that the start is soon forgotten.
   */
  averaging?: number;
}

interface Moments {
  first: Tensor;
  second: Tensor;
  /** The running average of the parameter. */
  average?: Tensor;
  steps: number;
}

/** Adam, or AdamW with `isDecoupled`. */
export class Adam {
  readonly #options: Required<AdamOptions>;
  readonly #moments = new Map<string, Moments>();

  constructor(
    readonly groups: readonly ParameterGroup[],
    {
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      isDecoupled = false,
      averaging = 0,
    }: AdamOptions = {},
  ) {
    this.#options = { beta1, beta2, epsilon, isDecoupled, averaging };
    for (const group of groups) {
      for (const [key, tensor] of group.parameters) {
        if (this.#moments.has(key)) {
          throw mismatch('usage', {
            where: `Adam(${group.name})`,
            expected: 'each parameter in one group',
            got: key,
          });
        }
        this.#moments.set(key, {
          first: keep(zerosLike(tensor)),
          second: keep(zerosLike(tensor)),
          ...(averaging > 0 && { average: keep(noGrad(() => clone(tensor))) }),
          steps: 0,
        });
      }
    }
  }

  /**
   * One update of every parameter that has a gradient; others are left alone, as in torch.
   * @param factor the schedule's factor on all learning rates
   */
  step(factor = 1): void {
    noGrad(() =>
      scope(() => {
        for (const group of this.groups) this.#stepGroup(group, factor);
      }),
    );
  }

  #stepGroup({ parameters, learningRate, weightDecay }: ParameterGroup, factor: number): void {
    const { beta1, beta2, epsilon, isDecoupled, averaging } = this.#options;
    const rate = learningRate * factor;
    // Parameters that missed different numbers of steps differ in their bias correction.
    for (const [steps, keys] of this.#bySteps(parameters)) {
      const values = keys.map((key) => parameters.get(key) as Tensor);
      const gradients = values.map((value) => value.grad as Tensor);
      const moments = keys.map((key) => this.#moments.get(key) as Moments);
      const first = moments.map((moment) => moment.first);
      const second = moments.map((moment) => moment.second);
      if (weightDecay !== 0) {
        if (isDecoupled) foreach.mulNumber_(values, 1 - rate * weightDecay);
        else foreach.add_(gradients, values, weightDecay);
      }
      foreach.mulNumber_(first, beta1);
      foreach.add_(first, gradients, 1 - beta1);
      foreach.mulNumber_(second, beta2);
      foreach.addcmul_(second, gradients, gradients, 1 - beta2);
      const step = steps + 1;
      const denominators = foreach.sqrt(second);
      foreach.mulNumber_(denominators, 1 / Math.sqrt(1 - beta2 ** step));
      foreach.addNumber_(denominators, epsilon);
      foreach.addcdiv_(values, first, denominators, -rate / (1 - beta1 ** step));
      for (const moment of moments) moment.steps = step;
      const averages = moments.flatMap(({ average }) => average ?? []);
      if (averages.length === 0) continue;
      const decay = Math.min(averaging, (1 + step) / (10 + step));
      foreach.mulNumber_(averages, decay);
      foreach.add_(averages, values, 1 - decay);
    }
  }

  #bySteps(parameters: ReadonlyMap<string, Tensor>): Map<number, string[]> {
    const groups = new Map<number, string[]>();
    for (const [key, tensor] of parameters) {
      if (tensor.grad === undefined) continue;
      const steps = this.#moments.get(key)?.steps ?? 0;
      groups.set(steps, [...(groups.get(steps) ?? []), key]);
    }
    return groups;
  }

  /** Exchanges the parameters with their running averages; a second call puts both back. */
  swapAverages(): void {
    noGrad(() =>
      scope(() => {
        for (const { parameters } of this.groups)
          for (const [key, value] of parameters) {
            const { average } = this.#moments.get(key) as Moments;
            if (average === undefined) continue;
            const kept = clone(value);
            copy_(value, average);
            copy_(average, kept);
          }
      }),
    );
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const group of this.groups)
      for (const tensor of group.parameters.values()) tensor.setGrad();
  }

  /** All parameters of all groups. */
  get parameters(): Tensor[] {
    return this.groups.flatMap((group) => [...group.parameters.values()]);
  }

  /** Moments by `KEY.first` and `KEY.second`, averages by `KEY.average`, and the steps each parameter has made. */
  state(): { tensors: Map<string, Tensor>; steps: Record<string, number> } {
    const tensors = new Map<string, Tensor>();
    const steps: Record<string, number> = {};
    for (const [key, moment] of this.#moments) {
      tensors.set(`${key}.first`, moment.first);
      tensors.set(`${key}.second`, moment.second);
      if (moment.average !== undefined) tensors.set(`${key}.average`, moment.average);
      steps[key] = moment.steps;
    }
    return { tensors, steps };
  }

  /** Sets the steps after `state().tensors` were overwritten with saved ones. */
  restoreSteps(steps: Readonly<Record<string, number>>): void {
    for (const [key, moment] of this.#moments) moment.steps = steps[key] ?? 0;
  }
}
