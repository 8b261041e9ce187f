/**
 * ★ What a model says of a prompt: scores of candidates, or a text of its own.
 *
 * Tasks are plain data, so that another thread can take them.
 */
import { generateGreedy } from '../../llama/index.js';
import { noGrad, scope } from '../../tensor/index.js';
import type { Prompt } from '../../text/index.js';
import type { Ranking } from '../recommender.js';
import type { AdaptedModel, ForwardOptions } from './adapted-model.js';
import { type LayoutRow, layOut } from './layout.js';

/** Prompts with their candidates' titles, which go through the model together. */
export interface RankTask {
  kind: 'rank';
  rows: readonly LayoutRow[];
  /** One per row, for the gate. */
  histories: readonly (readonly number[])[];
}

/** One prompt to be gone on with. */
export interface GenerateTask {
  kind: 'generate';
  prompt: Prompt;
  history: readonly number[];
  maxNewTokens: number;
  /** The token that ends an answer. */
  end: number;
}

/** Log-likelihoods of the titles after their prompts, in nats; the caller's scope frees what they take. */
export function rankRows(
  model: AdaptedModel,
  { rows, histories }: Omit<RankTask, 'kind'>,
  options?: ForwardOptions,
): Ranking[] {
  const layout = layOut(rows);
  const { logProbabilities_X, gates_BE } = model.logProbabilities(layout, histories, options);
  const logs = logProbabilities_X.toNumbers();
  const scores = rows.map(({ continuations }) => new Array<number>(continuations.length).fill(0));
  for (const [x, { row, continuation }] of layout.predictions.entries()) {
    const rowScores = scores[row] as number[];
    rowScores[continuation] = (rowScores[continuation] as number) + (logs[x] as number);
  }
  const gates = gates_BE?.toNumbers();
  const E = gates === undefined ? 0 : gates.length / rows.length;
  return scores.map((own, b) => ({
    scores: own,
    ...(gates && { gates: gates.slice(b * E, (b + 1) * E) }),
  }));
}

/** Tokens of the greedy answer, the end included where it was reached; the caller's scope frees what they take. */
function generateRow(
  model: AdaptedModel,
  { prompt, history, maxNewTokens, end }: GenerateTask,
): number[] {
  const layout = layOut([{ prompt, continuations: [[0]] }]);
  const gates_BE = model.gates([history]);
  return generateGreedy(model.parts.base, model.embed(layout), {
    maxNewTokens,
    isEnd: (token) => token === end,
    pass: gates_BE === undefined ? {} : { gates_BE },
  });
}

/** What comes of a task; nothing else of it stays. */
export function answerTo(model: AdaptedModel, task: RankTask | GenerateTask): Ranking[] | number[] {
  return noGrad(() =>
    scope((): Ranking[] | number[] =>
      task.kind === 'rank' ? rankRows(model, task) : generateRow(model, task),
    ),
  );
}
