/**
 * ★ All that is trained around a frozen base: low-rank updates, gate, projector.
 *
 * Saved as one safetensors file whose keys are paths in the base (`layers.0.self_attn.q_proj.down`) and
 * `gate.*`, `projector.*`.
 */
import { internal, mismatch } from '../../errors/index.js';
import type { Llama } from '../../llama/index.js';
import {
  ConvGate,
  ExpertLoraLinear,
  type Gate,
  type Injected,
  inject,
  LinearGate,
  LoraLinear,
  type LowRankLayer,
  Projector,
  remove,
} from '../../lora/index.js';
import { Module } from '../../nn/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import { type Device, type DType, Generator, type Tensor } from '../../tensor/index.js';
import type { Encoder } from '../capability.js';
import { type HeadOptions, ItemHead } from './streaming/head.js';

/** Shape of an adapter. */
export interface AdapterOptions {
  /** `lora`: one update for all; `ilora`: experts mixed per instance. */
  kind: 'lora' | 'ilora';
  /** E·R for `ilora`, R for `lora`: the same number of LoRA values. */
  rank: number;
  alpha: number;
  dropout: number;
  /** Last names of the adapted linear layers. */
  targets: readonly string[];
  /** E; only for `ilora`. */
  experts: number;
  scaleBy: 'total-rank' | 'expert-rank';
  /** `linear`: the paper's; `conv`: the authors' code without its batch norm; `conv-batch-norm`: with it. */
  gate: 'linear' | 'conv' | 'conv-batch-norm';
  /**
   * `history` (default): from the encoder's representation. `state`: each adapted layer has a linear gate of its own,
   * which reads what the layer reads.
   */
  gateFrom?: 'history' | 'state';
  /** `model` (default): one gate for all layers; `layer`: one for each layer of the base. Of linear gates only. */
  gatePer?: 'model' | 'layer';
  /** Of a linear gate; below 1 the weights are sharper. */
  gateTemperature?: number;
  /** How many of the used layers have experts, counted from the last; the others have one update for all. */
  expertLayers?: number;
  /** Whether item vectors are projected into the prompt. */
  hasSlots: boolean;
  /** K: how many of the base's first layers are used; all by default. */
  layers?: number;
  /** What maps states to scores of items, where an objective has it so. */
  head?: HeadOptions;
  /** Probability that a value that the base reads is dropped, where an objective has it so. */
  inputDropout?: number;
  /** Whether a copy of the encoder is trained along; it stays frozen by default. */
  trainsEncoder?: boolean;
}

/** Widths of what comes into an adapter. */
export interface AdapterWidths {
  /** S: of the representation, for the gate. */
  representation: number;
  /** M: of the item vectors, for the projector. */
  items: number;
}

/** Learning rates by part, as the authors group them. */
export interface AdapterRates {
  lora: number;
  gate: number;
  projector: number;
  /** Of the head, where there is one. */
  head?: number;
  /** Of the encoder's copy, where one is trained along. */
  encoder?: number;
  /** On gate and projector; the LoRA factors have none. */
  weightDecay: number;
}

/** An adapter in place on its base. */
export class Adapter extends Module {
  projector?: Projector;
  gate?: Gate;
  head?: ItemHead;
  /** A copy of the encoder that is trained along, where the options say so. */
  encoder?: Encoder & Module;
  readonly options: AdapterOptions;
  readonly #base: Llama;
  readonly #injected: Injected<LowRankLayer>[];

  /**
   * Injects the adapter into the base; `remove()` takes it off.
   * @param widths  of what comes in: the representation for the gate, item vectors for the projector
   * @param encoder that is copied where the options have it trained along
   */
  constructor(
    base: Llama,
    options: AdapterOptions,
    widths: AdapterWidths,
    seed: number,
    encoder?: Encoder,
  ) {
    super();
    this.options = options;
    this.#base = base;
    const generator = new Generator(seed);
    const { kind, rank, alpha, dropout, experts, scaleBy, targets, gateFrom, gatePer } = options;
    const { layers = base.layers.length } = options;
    const { expertLayers = layers } = options;
    const hasExperts = (layer: number): boolean =>
      kind === 'ilora' && layer >= layers - expertLayers;
    this.#injected = inject<LowRankLayer>(
      base,
      targets,
      (linear, path) => {
        const layer = layerOf(path);
        if (!hasExperts(layer)) return new LoraLinear(linear, { rank, alpha, dropout }, generator);
        return new ExpertLoraLinear(
          linear,
          {
            ...{ experts, totalRank: rank, alpha, dropout, scaleBy },
            ...(gatePer === 'layer' && { group: layer }),
            ...(gateFrom === 'state' && { hasOwnGate: true }),
          },
          generator,
        );
      },
      (path) => layerOf(path) < layers,
    );
    if (kind === 'ilora' && gateFrom !== 'state')
      this.gate = makeGate(options, widths.representation, layers, generator);
    if (options.hasSlots)
      this.projector = new Projector(widths.items, base.config.hiddenSize, generator);
    if (options.head !== undefined) {
      const model = base.config.hiddenSize;
      this.head = new ItemHead(options.head, { ...widths, model }, generator);
    }
    if (options.trainsEncoder === true) {
      if (encoder === undefined) throw internal('there is no encoder to be trained along');
      this.encoder = encoder.trainableCopy();
    }
    this.to(base.device);
  }

  override *namedTensors(prefix = ''): IterableIterator<[string, Tensor]> {
    yield* super.namedTensors(prefix);
    for (const { path, adapter } of this.#injected)
      yield* adapter.namedTensors(`${prefix}${path}.`);
  }

  /** The frozen base's tensors, those of adapted layers too, by the base's own keys. */
  *baseTensors(): IterableIterator<[string, Tensor]> {
    const own = new Set<string>();
    for (const { path, adapter } of this.#injected) {
      for (const [key] of adapter.namedTensors(`${path}.`)) own.add(key);
      yield* adapter.base.namedTensors(`${path}.`);
    }
    for (const [key, tensor] of this.#base.namedTensors()) if (!own.has(key)) yield [key, tensor];
  }

  override to(device: Device, dtype?: DType): this {
    for (const { adapter } of this.#injected) adapter.to(device, dtype);
    return super.to(device, dtype);
  }

  /** Groups of the authors' optimizer, LoRA, gate and projector; the head's and the encoder's. */
  parameterGroups(rates: AdapterRates): ParameterGroup[] {
    const all = [...this.namedParameters()];
    const pick = (prefix: string): Map<string, Tensor> =>
      new Map(all.filter(([key]) => key.startsWith(prefix)));
    const isOfGate = (key: string): boolean => /(^|\.)gate\./.test(key);
    const inLayers = [...pick('layers.')];
    const groups: ParameterGroup[] = [
      {
        name: 'lora',
        parameters: new Map(inLayers.filter(([key]) => !isOfGate(key))),
        learningRate: rates.lora,
        weightDecay: 0,
      },
      {
        name: 'gate',
        parameters: new Map(all.filter(([key]) => isOfGate(key))),
        learningRate: rates.gate,
        weightDecay: rates.weightDecay,
      },
      {
        name: 'projector',
        parameters: pick('projector.'),
        learningRate: rates.projector,
        weightDecay: rates.weightDecay,
      },
      {
        name: 'head',
        parameters: pick('head.'),
        learningRate: rates.head ?? rates.projector,
        weightDecay: rates.weightDecay,
      },
      {
        name: 'encoder',
        parameters: pick('encoder.'),
        learningRate: rates.encoder ?? rates.lora,
        weightDecay: 0,
      },
    ];
    return groups.filter((group) => group.parameters.size > 0);
  }

  /** Takes the adapter off its base. */
  remove(): void {
    remove(this.#injected);
  }
}

/** Of a path like `layers.3.mlp.up_proj`; 0 outside the layers. */
function layerOf(path: string): number {
  return Number(/^layers\.(\d+)\./.exec(path)?.[1] ?? 0);
}

function makeGate(
  { gate, experts, gatePer, gateTemperature }: AdapterOptions,
  width: number,
  layers: number,
  generator: Generator,
): Gate {
  switch (gate) {
    case 'linear':
      return new LinearGate(width, experts, generator, {
        ...(gatePer === 'layer' && { groups: layers }),
        ...(gateTemperature !== undefined && { temperature: gateTemperature }),
      });
    case 'conv':
      return new ConvGate(experts, 'instance', generator);
    case 'conv-batch-norm':
      return new ConvGate(experts, 'batch', generator);
    default:
      throw mismatch('usage', {
        where: 'Adapter(gate)',
        expected: 'linear, conv or conv-batch-norm',
        got: gate,
      });
  }
}
