/**
 * A sequence model as a method's model: it scores, retrieves and encodes.
 */
import type { Tensor } from '../../tensor/index.js';
import type { Model } from '../method.js';
import type { SequenceEncoder } from './encoder.js';
import { SequenceRecommender } from './recommender.js';

export interface SequenceModel extends Model {
  encoder: SequenceEncoder;
}

export function sequenceModel(encoder: SequenceEncoder): SequenceModel {
  const recommender = new SequenceRecommender(encoder);
  return {
    recommender,
    retriever: recommender,
    encoder,
    state: (): Map<string, Tensor> => new Map(encoder.namedTensors()),
    load: (saved, where) => encoder.load(saved, where),
    freeze: () => void encoder.freeze(),
  };
}
