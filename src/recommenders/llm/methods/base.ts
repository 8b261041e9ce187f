/**
 * The frozen language model as it is, prompted with text only: nothing is trained.
 */
import { z } from 'zod';
import { defineMethod } from '../../method.js';
import { llmModel } from './model.js';
import {
  languageModelParts,
  languageModelShape,
  PROMPT_EXCEPTIONS,
  trainingSchema,
} from './settings.js';

export const base = defineMethod({
  name: 'base',
  label: 'Base, untrained',
  summary: 'the language model as it is, asked with a prompt',
  capabilities: ['recommender', 'generator', 'titleReader'],
  exceptions: PROMPT_EXCEPTIONS,
  needs: { base: true, encoder: false, members: false, texts: true },
  shape: {
    ...languageModelShape,
    training: z.strictObject({ batchTokens: trainingSchema.shape.batchTokens }).prefault({}),
  },
  build: (settings, parts) => llmModel({ name: 'base', ...languageModelParts(settings, parts) }),
  leastValues: () => 0,
  learning: { kind: 'fit', fit: async () => undefined },
});
