/**
 * An evaluation as a file: the outcome of every row, so that each figure can be reckoned again by others.
 */
import { z } from 'zod';
import { protocols } from '../data/index.js';
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
  interval: z
    .enum(['wilson', 'bootstrap'])
    .describe("how it was made: Wilson's, of independent rows; or a bootstrap of whole users"),
});

const whole = z.int().min(0);
const metricName = z.enum(METRIC_NAMES as [string, ...string[]]);

const outcome = z.object({
  row: whole,
  user: z.string(),
  target: whole,
  candidates: z.array(whole).describe('in their frozen order'),
  answer: whole.optional().describe('the item ranked first, or named by the text'),
  hit: z.boolean(),
  place: whole.optional().describe("the target's place, from 1"),
  num_tied: whole.optional(),
  scores: z.array(z.number().nullable()).optional().describe('null: taken out, no answer'),
  pool: whole.optional().describe('items that negatives are drawn from'),
  rivals: whole
    .optional()
    .describe("items outside the history that score at least the target's score"),
  is_repeat: z.literal(true).optional().describe('the target was taken out, and counts as missed'),
  gates: z.array(z.number()).optional().describe('weights of the experts'),
  text: z.string().optional().describe('what was generated'),
});

/** An evaluation without its rows, as commands print it. */
export const evaluationSummarySchema = z.object({
  method: z.string(),
  mode: z.enum(['scoring', 'generation']),
  protocol: z
    .enum(protocols)
    .optional()
    .describe('how much of the past was shown; absent, of earlier versions: window'),
  catalog_size: whole.optional().describe('items scored in every row, where all were'),
  filter: z
    .object({
      candidates: whole.describe('candidates taken out, targets aside'),
      share: z.number().min(0).max(1).describe('their share of all candidates but the targets'),
      targets: whole.describe('targets taken out'),
    })
    .optional()
    .describe('what was no answer because the user had it before'),
  matcher: z.enum(['published', 'title']).optional(),
  trainable_parameters: whole,
  num_rows: whole,
  num_users: whole,
  num_tied_rows: whole,
  seconds: z.number().min(0),
  metrics: z.partialRecord(metricName, estimate),
  runs: whole.optional().describe('runs with other seeds that the figures are means of'),
  spread: z
    .partialRecord(metricName, z.number())
    .optional()
    .describe('standard deviation between the runs'),
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
  const { trainable_parameters, num_rows, num_users, num_tied_rows, ...rest } = parsed.data;
  const { catalog_size, protocol = 'window', outcomes, metrics, ...same } = rest;
  return {
    ...(same as Pick<
      Evaluation,
      'method' | 'mode' | 'filter' | 'matcher' | 'seconds' | 'runs' | 'spread'
    >),
    protocol,
    ...(catalog_size !== undefined && { catalogSize: catalog_size }),
    trainableParameters: trainable_parameters,
    numRows: num_rows,
    numUsers: num_users,
    numTiedRows: num_tied_rows,
    metrics: metrics as Metrics,
    outcomes: outcomes.map(({ num_tied, is_repeat, scores, ...rest }) => ({
      answer: undefined,
      ...rest,
      ...(scores && { scores: scores.map((score) => score ?? Number.NEGATIVE_INFINITY) }),
      ...(num_tied !== undefined && { numTied: num_tied }),
      ...(is_repeat && { isRepeat: is_repeat }),
    })) as Evaluation['outcomes'],
  };
}
