/**
 * Measures one series in a process of its own: `child.ts SERIES DATA BASE quick|full|SIZES`, sizes with
 * commas between them. One line per size, ascending.
 */
import { forgetPeak, peakBytes, residentBytes } from '../../harness/kernel.js';
import { median } from '../../harness/statistics.js';
import { resolveModel } from '../../src/cli/model.js';
import { type Dataset, openDataset } from '../../src/data/index.js';
import {
  type Base,
  type LlmRecommender,
  MAIN,
  openBase,
  SASRec,
  SequenceRecommender,
} from '../../src/recommenders/index.js';
import { dropoutStreams } from '../../src/recommenders/learner.js';
import { type LayoutRow, layOut, rowLength, treeMask } from '../../src/recommenders/llm/layout.js';
import {
  attention,
  cast,
  Generator,
  neg,
  noGrad,
  randn,
  scope,
  sum,
  Tensor,
} from '../../src/tensor/index.js';
import { openPromptTemplate, PromptBuilder } from '../../src/text/index.js';
import { resolveSettings } from '../../src/training/index.js';
import { freshEncoder } from '../ours/world.js';
import { type Measured, SERIES, type Series } from './axis.js';

const [name = '', data = '', baseName = '', amount = 'full'] = process.argv.slice(2);
const series = SERIES.find((entry) => entry.name === name);
if (series === undefined) throw new Error(`no series "${name}"`);
const sizes = { quick: series.quick, full: series.sizes }[amount] ?? amount.split(',').map(Number);
/** Each size is run until so much time is spent, and so often at least. */
const [LEAST_SECONDS, LEAST_RUNS] = amount === 'quick' ? [0.1, 1] : [1, 2];

/** Work of one size. */
interface Work {
  run: () => unknown;
  attention?: () => unknown;
  tokens?: number;
}

let builder: PromptBuilder | undefined;
const dataset = await openDataset(data);
const makeWork = series.axis === 'catalog' ? retrieval : await languageModel(series, dataset);
if (series.axis === 'catalog') makeWork(sizes[0] as number).run(); // loads the library's pages
const baseline = megabytes(residentBytes());
for (const size of sizes) {
  forgetPeak();
  const work = makeWork(size);
  work.run();
  const peakMB = Math.max(0.1, megabytes(peakBytes()) - baseline);
  const measured: Measured = {
    series: name,
    size,
    seconds: time(work.run),
    peakMB,
    ...(work.tokens !== undefined && { tokens: work.tokens }),
  };
  if (work.attention !== undefined) {
    work.attention();
    measured.attentionSeconds = median(time(work.attention));
  }
  console.log(JSON.stringify(measured));
}

function time(run: () => unknown): number[] {
  const seconds: number[] = [];
  for (
    let total = 0;
    seconds.length < LEAST_RUNS || (total < LEAST_SECONDS && seconds.length < 50);
  ) {
    const started = performance.now();
    run();
    seconds.push((performance.now() - started) / 1000);
    total += seconds.at(-1) as number;
  }
  return seconds;
}

function megabytes(bytes = Number.NaN): number {
  return bytes / 2 ** 20;
}

/** SASRec with fresh weights: what is retrieved means nothing, the work is the same. */
function retrieval(catalogSize: number): Work {
  const options = { catalogSize, maxHistory: 10, width: 64, blocks: 2, heads: 1, dropout: 0 };
  const model = new SASRec({ ...options, preset: 'modern' }, new Generator(1));
  model.freeze();
  const recommender = new SequenceRecommender(model);
  const history = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  return { run: () => recommender.best({ history, count: 10 }) };
}

async function languageModel(
  { axis, name }: Series,
  data: Dataset,
): Promise<(size: number) => Work> {
  const base = openBase(resolveModel(baseName), { device: 'cpu', dtype: 'auto' });
  touch(base);
  const trains = name.startsWith('training');
  const random = new Generator(1);
  const encoder = freshEncoder(settingsOf(4, 8), data);
  let recommender: LlmRecommender | undefined;
  return (size) => {
    const isExperts = axis === 'experts';
    if (recommender === undefined || isExperts) {
      recommender?.parts.adapter?.remove();
      const settings = isExperts ? settingsOf(size, 16) : settingsOf(4, 8);
      const model = MAIN.build(settings, { base, dataset: data, encoder });
      recommender = model.recommender as LlmRecommender;
    }
    const users = axis === 'batch' ? size : 1;
    const tokens = { prompt: size, batch: 64, experts: 256 }[axis as string];
    const candidates = axis === 'candidates' ? size : trains ? 1 : 20;
    const rows = Array.from({ length: users }, (_, user) =>
      makeRow(data, base, { user, tokens, candidates }),
    );
    const histories = rows.map((_, user) => data.instance('test', user).history);
    return workOf(recommender, rows, histories, trains, random);
  };
}

/** Reads the mapped weights, so that they count as loaded. */
function touch({ model }: Base): void {
  noGrad(() =>
    scope(() =>
      model.logits(model.forward(model.embed(Tensor.from(BigInt64Array.of(1n), [1, 1])))),
    ),
  );
}

function workOf(
  recommender: LlmRecommender,
  rows: LayoutRow[],
  histories: (readonly number[])[],
  trains: boolean,
  random: Generator,
): Work {
  const { base } = recommender.parts;
  const layout = layOut(rows);
  const examples = rows.map((_, row) => row);
  const position = { seed: 1, step: 0, totalSteps: 1, batch: examples };
  const score = (): number[] =>
    noGrad(() =>
      scope(() =>
        recommender.model.logProbabilities(layout, histories).logProbabilities_X.toNumbers(),
      ),
    );
  const train = (): void =>
    scope(() => {
      const dropout = dropoutStreams(position, examples, base.device);
      const { logProbabilities_X } = recommender.model.logProbabilities(layout, histories, {
        dropout,
      });
      neg(sum(logProbabilities_X)).backward();
    });
  const { numHeads: H, headDim: K, numLayers } = base.config;
  const alone = (): void =>
    scope(() => {
      const part = (): Tensor =>
        cast(randn([layout.B, H, layout.T, K], random), base.dtype).setRequiresGrad(trains);
      const [query, key, value] = [part(), part(), part()] as [Tensor, Tensor, Tensor];
      const mask = layout.isTree ? { mask: treeMask(layout, base) } : { isCausal: true };
      for (let layer = 0; layer < numLayers; layer++)
        scope(() => {
          const mixed = attention(query, key, value, mask);
          if (trains) sum(mixed).backward();
        });
    });
  return {
    run: trains ? train : score,
    attention: () => (trains ? alone() : noGrad(alone)),
    tokens: layout.B * layout.T,
  };
}

/** A prompt of real titles, of exactly so many tokens where that is asked, and candidates after it. */
function makeRow(
  data: Dataset,
  base: Base,
  { user, tokens, candidates }: { user: number; tokens?: number; candidates: number },
): LayoutRow {
  const { history } = data.instance('test', user);
  const items = Array.from(
    { length: candidates },
    (_, i) => (17 * user + 3 * i) % data.catalog.size,
  );
  const prompts = promptsFor(data, base, Math.max(20, candidates));
  const continuations = items.map((item) => prompts.answer(item));
  const request = { history, candidates: items, hasSlots: false, wording: 0 };
  const prompt = prompts.build(request);
  if (tokens === undefined) return { prompt, continuations };
  const ids = [...prompt.ids];
  for (let more = 1; ids.length < tokens; more++)
    ids.push(...prompts.build({ ...request, history: data.instance('test', more).history }).ids);
  const row = { prompt: { ids: ids.slice(0, tokens), slots: [] }, continuations };
  if (rowLength(row) > base.model.config.maxPositions) throw new Error('the row is too long');
  return row;
}

function promptsFor(data: Dataset, { tokenizer, model }: Base, candidates: number): PromptBuilder {
  builder ??= new PromptBuilder(tokenizer, data.catalog.items, openPromptTemplate('movie'), {
    positions: model.config.maxPositions,
    titles: 11 + (series?.axis === 'candidates' ? Math.max(...sizes) : candidates),
  });
  return builder;
}

function settingsOf(experts: number, rank: number): ReturnType<typeof resolveSettings> {
  const adapter = { experts, rank };
  const settings = {
    method: MAIN.name,
    data,
    out: 'none',
    base: baseName,
    prompt: 'movie',
    adapter,
  };
  return resolveSettings(settings, 'bench:growth');
}
