/**
 * An evaluation as a file: the outcome of every row, so that each figure can be reckoned again by others.
 */
import { z } from 'zod';
import { faults } from '../errors/index.js';
import { snakeKeys } from '../files/index.js';
import type { Evaluation } from './evaluate.js';
import { METRIC_NAMES, type Metrics } from './metric.js';

const estimate = z.object({
  value: z.number(),
  low: z.number().describe('lower end of the 95 % interval'),
  high: z.number().describe('upper end of the 95 % interval'),
  count: z.number().describe('hits, or the sum of the rows’ values'),
  total: z.number().describe('rows counted'),
  interval: z.enum(['wilson', 'bootstrap']),
});

const numbers = z.array(z.number());
const whole = z.int().min(0);

const outcome = z.object({
  row: whole,
  user: z.string(),
  target: whole,
  candidates: z.array(whole).describe('in their frozen order'),
  answer: whole.optional().describe('the item ranked first, or named by the text'),
  hit: z.boolean(),
  place: whole.optional().describe("the target's place, from 1"),
  num_tied: whole.optional(),
  scores: numbers.optional(),
  gates: numbers.optional().describe('weights of the experts'),
  text: z.string().optional().describe('what was generated'),
});

/** An evaluation without its rows, as commands print it. */
export const evaluationSummarySchema = z.object({
  method: z.string(),
  mode: z.enum(['scoring', 'generation']),
  matcher: z.enum(['published', 'title']).optional(),
  trainable_parameters: whole,
  num_rows: whole,
  num_users: whole,
  num_tied_rows: whole,
  seconds: z.number().min(0),
  metrics: z.partialRecord(z.enum(METRIC_NAMES as [string, ...string[]]), estimate),
});

export const evaluationSchema = evaluationSummarySchema.extend({ outcomes: z.array(outcome) });

export type EvaluationDocument = z.output<typeof evaluationSchema>;

export const evaluationDocument = (evaluation: Evaluation): EvaluationDocument =>
  snakeKeys(evaluation) as EvaluationDocument;

/** What commands print of an evaluation. */
export const evaluationSummary = ({ outcomes: _, ...rest }: Evaluation): unknown => snakeKeys(rest);

/** @throws IloraError `format` listing what is not as it should be */
export function readEvaluation(document: unknown, where: string): Evaluation {
  const parsed = evaluationSchema.safeParse(document);
  if (!parsed.success)
    throw faults(
      'format',
      where,
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  const { trainable_parameters, num_rows, num_users, num_tied_rows, outcomes, metrics, ...same } =
    parsed.data;
  return {
    ...(same as Pick<Evaluation, 'method' | 'mode' | 'matcher' | 'seconds'>),
    trainableParameters: trainable_parameters,
    numRows: num_rows,
    numUsers: num_users,
    numTiedRows: num_tied_rows,
    metrics: metrics as Metrics,
    outcomes: outcomes.map(({ num_tied, ...rest }) => ({
      answer: undefined,
      ...rest,
      ...(num_tied !== undefined && { numTied: num_tied }),
    })) as Evaluation['outcomes'],
  };
}
