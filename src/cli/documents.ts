/**
 * The documents that commands print with `--json`, one schema each; docs/schemas/ has them as JSON Schema.
 *
 * Keys are snake_case. A document never loses a key within a major version; it may gain some.
 */
import { z } from 'zod';
import { protocols } from '../data/index.js';
import { evaluationSchema, evaluationSummarySchema } from '../evaluation/index.js';
import { figuresSchema, resultsSchema } from '../studies/index.js';

const text = z.string();
const count = z.int().min(0);
const amount = z.number().min(0);
const share = z.number().min(0).max(1);
const figures = z.record(text, z.unknown());
const severity = z.enum(['info', 'warning', 'severe']);
const titled = z.strictObject({ item: count, title: text });

const difference = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

const comparison = z.strictObject({
  methods: z.tuple([text, text]).describe('differences are the first minus the second'),
  num_rows: count,
  num_users: count,
  protocol: z.enum(protocols),
  runs: z.tuple([count, count]).optional().describe('runs with other seeds, where several'),
  hits: z
    .strictObject({ both: amount, only_first: amount, only_second: amount, neither: amount })
    .describe('rows by who was right; of several runs, the mean'),
  test: z.enum(['mcnemar', 'sign-flip']),
  p_value: share.describe('two-sided, for equal HR@1'),
  adjusted_p_value: share.optional().describe("after Holm's correction"),
  expected: z
    .strictObject({ p_value: share, adjusted_p_value: share.optional() })
    .optional()
    .describe('for equal expected HR@1, by sign flips over users of the summed differences'),
  differences: z.strictObject({
    hr_at_1: difference,
    ndcg_at_10: difference.optional(),
    mrr: difference.optional(),
    expected_hr_at_1: difference.optional(),
    expected_mrr: difference.optional(),
  }),
});

const splitCounts = z.strictObject({
  train: count,
  validation: count,
  test: count,
  test_wide: count,
});

const manifest = z.looseObject({
  format: text,
  name: text,
  origin: text,
  licence: text,
  citation: text,
  titles: text,
  split_rule: z.looseObject({ rule: text }),
  window: z.strictObject({ min_history: count, max_history: count }),
  counts: z.looseObject({ items: count, users: count, interactions: count, rows: splitCounts }),
  dropped: z.record(text, count),
  notes: z.array(text),
  candidates: z.looseObject({ count, seed: z.int(), stream: text, rule: text }),
  files: z.array(z.strictObject({ file: text, sha256: text })),
  hash: text,
});

const libtorch = z.looseObject({ source: text, version: text });
const speeds = z.array(
  z.strictObject({
    dtype: text,
    size: z.strictObject({ m: count, k: count, n: count }),
    gflops: z.number(),
  }),
);

const figuresOfRows = {
  evaluations: z.array(evaluationSummarySchema.strict()),
  comparisons: z.array(comparison),
};

/** Schemas by the name of their file in docs/schemas/. */
export const DOCUMENTS = {
  'data-audit': z.strictObject({
    dataset: z.looseObject({ folder: text, name: text, hash: text }),
    findings: z.array(
      z.strictObject({
        id: text,
        severity,
        is_known: z.boolean().describe('false where the data cannot tell'),
        figures,
        figure: text,
        message: text,
        advice: text,
      }),
    ),
    titles: z.array(figures).optional().describe('with --titles'),
  }),
  'data-import': z.strictObject({
    folder: text,
    manifest,
    understood: z
      .looseObject({
        columns: z.record(text, text),
        time_unit: text,
        bad_rows: z.looseObject({ count }),
      })
      .optional()
      .describe('how the files were read; not of `data pull`'),
  }),
  'data-info': z.looseObject({
    folder: text,
    hash: text,
    manifest,
    history_lengths: z.record(text, z.array(z.strictObject({ length: count, rows: count }))),
    sequence_lengths: z.strictObject({ min: count, median: count, max: count }),
    popular_items: z.array(z.strictObject({ id: count, title: text, interactions: count })),
    items_not_in_train: count,
    tied_train_targets: share.nullable(),
  }),
  'data-preview': z.union([
    z.looseObject({
      columns: z.array(text).describe('of a file'),
      guessed: z.record(text, text),
      rows: z.array(z.array(text.nullable())).describe('values in the order of the columns'),
    }),
    z.strictObject({
      split: text.describe('of a dataset'),
      instances: z.array(
        z.strictObject({
          split: text,
          row: count,
          protocol: z.enum(protocols),
          user: text,
          history: z.array(count),
          times: z.array(z.number()).optional(),
          target: count,
          candidates: z.array(count),
          pool: count.optional().describe('items that negatives are drawn from'),
          titles: z.strictObject({
            history: z.array(text),
            target: text,
            candidates: z.array(text),
          }),
        }),
      ),
    }),
  ]),
  doctor: z.strictObject({
    ok: z.boolean(),
    checks: z.array(
      z.strictObject({
        name: text,
        status: z.enum(['ok', 'warn', 'fail']),
        detail: text,
        fix: text.optional(),
      }),
    ),
    libtorch: libtorch.optional(),
    engine: z.looseObject({ libtorch, threads: count, speeds }).optional(),
    cache: z.strictObject({ folder: text, bytes: z.record(text, count), free_bytes: count }),
  }),
  evaluate: z.strictObject({
    evaluations: z.array(evaluationSummarySchema.strict()),
    comparisons: z.array(comparison),
  }),
  'evaluate-out': z.array(evaluationSchema).describe('the file of `evaluate --out`'),
  methods: z.array(
    z.strictObject({
      name: text,
      label: text,
      summary: text,
      capabilities: z.array(text),
      needs: z.strictObject({
        base: z.boolean(),
        encoder: z.boolean(),
        members: z.boolean(),
        texts: z.boolean(),
      }),
      settings: figures.describe('JSON Schema of its settings file'),
    }),
  ),
  'model-converted': z.strictObject({
    folder: text,
    copies: z.array(z.strictObject({ path: text, byte_length: count })),
    is_cleared: z.boolean(),
  }),
  'model-info': z.strictObject({
    path: text,
    kind: z.enum(['gguf', 'safetensors']),
    name: text.optional(),
    architecture: text,
    is_usable: z.boolean(),
    problems: z.array(text),
    parameters: z.strictObject({ total: count, non_embedding: count.optional() }),
    types: z.array(z.strictObject({ dtype: text, tensors: count, values: count })),
    context_length: count.optional(),
    vocabulary_size: count.optional(),
    tie_word_embeddings: z.boolean().optional(),
    licence: text.optional(),
    byte_length: count,
    tokenizer: text,
  }),
  'model-pull': z.strictObject({
    name: text,
    path: text,
    sha256: text.optional(),
    was_there: z.boolean(),
    title: text,
    licence: text,
    homepage: text,
  }),
  quickstart: z.strictObject({
    dataset: z.strictObject({
      name: text,
      rows: z.strictObject({ train: count, validation: count, test: count }),
    }),
    base: z.strictObject({ name: text, parameters: count }),
    methods: z.array(
      z.strictObject({
        name: text,
        rows: count,
        hr_at_1: share,
        hr_at_1_interval: z.tuple([share, share]),
        valid_ratio: share,
        ndcg_at_10: share,
        trainable_parameters: count,
        seconds: z.number(),
      }),
    ),
    report: text,
    seconds: z.number(),
  }),
  results: resultsSchema.describe('the file of `study --result`'),
  'results-check': figuresSchema
    .extend({ ok: z.boolean(), problems: z.array(text) })
    .describe('npm run --silent results:movielens -- --json'),
  recommend: z.strictObject({
    run: text,
    history: z.array(titled),
    ranked: z
      .array(titled.extend({ place: count, score: z.number(), probability: share }).strict())
      .describe('best first'),
    expert_weights: z.array(share).optional(),
  }),
  setup: z.union([
    z.strictObject({
      found: libtorch.optional().describe('with --dry-run'),
      steps: z.array(z.looseObject({ what: text, text })),
    }),
    z.strictObject({
      ok: z.literal(true),
      libtorch,
      addon: text,
      speeds,
      steps: z.array(z.looseObject({ what: text })),
      trial_seconds: z.number(),
      seconds: z.number(),
    }),
  ]),
  study: z.looseObject({
    created_at: text,
    commit: text,
    command: text,
    settings: figures,
    dataset: z.strictObject({ name: text, hash: text }),
    machine: figures,
    wide_rows_per_user: count,
    train_seconds: z.record(text, z.number()),
    seconds: z.number(),
    test: z.strictObject(figuresOfRows),
    sections: z.array(
      z.strictObject({
        protocol: z.enum(protocols),
        split: z.enum(['test', 'test-wide']),
        per_user: count.optional().describe('only up to so many rows of a user'),
        ...figuresOfRows,
      }),
    ),
    report: text.describe('path of the page'),
  }),
  train: z.strictObject({
    out: text,
    method: text,
    trainable_parameters: count,
    chosen: z.record(text, z.number()).optional().describe('what it chose on validation'),
    steps: count,
    examples: count,
    seconds: z.number(),
    best_step: count,
    best_score: z.number().optional(),
    final_loss: z.number().optional(),
  }),
} as const;

/** JSON Schema of a document, for whoever reads it with another program. */
export function documentJsonSchema(name: keyof typeof DOCUMENTS): Record<string, unknown> {
  const title = `ilora ${name.replace('-', ' ')} --json`;
  return { title, ...z.toJSONSchema(DOCUMENTS[name]) };
}

/** A manifest as documents show it: its files are a list, since their names are no keys. */
export function manifestDocument<M extends { files: Readonly<Record<string, string>> }>(
  manifest: M,
): Omit<M, 'files'> & { files: { file: string; sha256: string }[] } {
  const files = Object.entries(manifest.files).map(([file, sha256]) => ({ file, sha256 }));
  return { ...manifest, files };
}
