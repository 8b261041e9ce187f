/**
 * Settings of `ilora train`: one schema gives types, defaults, messages and the published JSON Schema.
 */
import { type Document, Lexer, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { faults, show } from '../errors/index.js';
import { readText } from '../files/index.js';
import { PRESET_NAMES, PRESETS } from './presets.js';

const positive = z.number().positive();
const count = z.int().positive();
const share = z.number().min(0).max(1);

const sasrecSchema = z.strictObject({
  preset: z
    .enum(['classic', 'modern'])
    .default('modern')
    .describe('classic: the shape of the iLoRA authors; modern: ours'),
  width: count.default(64).describe('M: width of items and representation'),
  blocks: count.default(2),
  heads: count.default(2).describe('must divide the width'),
  dropout: z.number().min(0).lt(1).default(0.2),
  loss: z
    .enum(['bce', 'softmax'])
    .default('softmax')
    .describe('bce: one uniform negative per target; softmax: over the catalog'),
  learningRate: positive.default(1e-3),
  weightDecay: z.number().min(0).default(1e-6),
  epochs: count.default(40),
  batchSize: count.default(128).describe('chunks of a sequence per step'),
  patience: z
    .int()
    .min(0)
    .default(8)
    .describe('epochs without a better validation; 0: never stop early'),
});

const adapterSchema = z.strictObject({
  rank: count.describe('total rank: R of lora, E·R of ilora').optional(),
  alpha: positive.optional(),
  dropout: z.number().min(0).lt(1).optional(),
  targets: z
    .array(z.string())
    .min(1)
    .describe('last names of the adapted linear layers')
    .optional(),
  experts: count.describe('E; must divide the rank').optional(),
  scaleBy: z
    .enum(['total-rank', 'expert-rank'])
    .describe("alpha over the total rank (paper) or over one expert's (code)")
    .optional(),
  gate: z.enum(['linear', 'conv', 'conv-batch-norm']).optional(),
  hasSlots: z.boolean().describe('whether item vectors are projected into the prompt').optional(),
  learningRate: positive.optional(),
  gateRateShare: z
    .number()
    .min(0)
    .describe("gate's learning rate as a share of learningRate")
    .optional(),
  projectorRateShare: z.number().min(0).optional(),
  weightDecay: z.number().min(0).describe('on gate and projector').optional(),
});

const trainingSchema = z.strictObject({
  windows: count.default(8000).describe('training windows to see in all'),
  batchSize: count.default(32).describe('windows per optimizer step'),
  batchTokens: count
    .optional()
    .describe(
      'tokens that go through the model at once, half as many again in all where workers share them; default: 1024 on a CPU, 32768 on a GPU',
    ),
  workers: count
    .max(256)
    .optional()
    .describe(
      'threads that share the windows of a step, on a CPU and without batch norm; default: one per core, as memory allows',
    ),
  recomputesActivations: z
    .boolean()
    .default(false)
    .describe('computes activations again for the gradients: less memory, a third slower'),
  warmupShare: share.default(0.05),
  schedule: z.enum(['cosine', 'constant']).default('cosine'),
  optimizer: z.enum(['adam', 'adamw']).default('adam'),
  clipNorm: z.number().min(0).default(1).describe('bound on the norm of all gradients; 0: none'),
  curriculum: z
    .enum(['ramp', 'hybrid'])
    .default('ramp')
    .describe('ramp: from text to slots; hybrid: slots always'),
  validateEvery: count.default(2000).describe('windows between two validations'),
  validationRows: count.default(94).describe('rows of the validation split that are used'),
  select: z
    .enum(['hr_at_1', 'ndcg_at_10', 'mrr'])
    .default('ndcg_at_10')
    .describe('validation metric that chooses the best weights'),
  patience: z.int().min(0).default(0),
  checkpointSeconds: positive.default(120),
});

/** Schema of a settings file. */
export const settingsSchema = z.strictObject({
  method: z.enum(['sasrec', 'lora', 'ilora']),
  data: z.string().min(1).describe('dataset folder, made by `ilora data`'),
  out: z.string().min(1).describe('run folder to make'),
  base: z.string().min(1).default('smollm2-135m').describe('name or path of the language model'),
  recommender: z
    .string()
    .min(1)
    .optional()
    .describe('run folder of a trained SASRec; default: one is trained in OUT/sasrec'),
  domain: z
    .enum(['movie', 'game', 'artist', 'item'])
    .default('item')
    .describe('how prompts name the items'),
  seed: z.int().min(0).default(1),
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d+)?)$/, 'expected cpu, cuda or cuda:N')
    .default('cpu'),
  dtype: z
    .enum(['auto', 'float32', 'bfloat16'])
    .default('auto')
    .describe('of the frozen base; auto: the faster one here'),
  preset: z.enum(PRESET_NAMES).default('paper').describe('defaults of `adapter`'),
  sasrec: sasrecSchema.prefault({}),
  adapter: adapterSchema.prefault({}),
  training: trainingSchema.prefault({}),
});

/** What a user writes. */
export type SettingsInput = z.input<typeof settingsSchema>;
/** What is run: every default filled in, the preset's too. */
export type Settings = Omit<z.output<typeof settingsSchema>, 'adapter'> & {
  adapter: Required<z.output<typeof adapterSchema>>;
};

/**
 * Checks settings and fills in defaults.
 * @throws IloraError `settings` listing every fault
 */
export function resolveSettings(input: unknown, where: string): Settings {
  const parsed = settingsSchema.safeParse(input);
  const lines = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, input));
  if (!parsed.success) throw faults('settings', where, lines);
  const settings = parsed.data;
  const { adapter: presetAdapter, ...presetRates } = PRESETS[settings.preset];
  const adapter = { ...presetAdapter, ...presetRates, ...withoutUndefined(settings.adapter) };
  if (adapter.rank % adapter.experts !== 0) {
    lines.push(
      `adapter.rank: expected a multiple of adapter.experts (${adapter.experts}), got ${adapter.rank}`,
    );
  }
  if (settings.sasrec.width % settings.sasrec.heads !== 0) {
    lines.push(
      `sasrec.heads: expected a divisor of sasrec.width (${settings.sasrec.width}), got ${settings.sasrec.heads}`,
    );
  }
  if (lines.length > 0) throw faults('settings', where, lines);
  return { ...settings, adapter: { ...adapter, targets: [...adapter.targets] } };
}

/** Reads a YAML (or JSON) file of settings. @throws IloraError `file` or `settings` */
export function readSettings(path: string, overrides: Record<string, unknown> = {}): Settings {
  const text = readText(path, { expected: 'a settings file', maxBytes: MAX_SETTINGS_BYTES });
  const input = parseYaml(text, path);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw faults('settings', path, [`expected keys and values, got ${show(input)}`]);
  }
  return resolveSettings({ ...input, ...overrides }, path);
}

/** Far more than anyone writes by hand. */
const MAX_SETTINGS_BYTES = 1 << 18;

const MAX_DEPTH = 8;

/**
 * The line on which lists and maps lie too deep in one another: the library takes twice as long for each one more
 * that is not closed, and calls itself for each. Those told by
 * indentation alone cannot: each needs a line longer than the one before.
 */
function lineTooDeep(text: string): number | undefined {
  let line = 1;
  let flow = 0;
  let inLine = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') flow++;
    else if (lexeme === ']' || lexeme === '}') flow--;
    else if (lexeme === '-' || lexeme === '?') inLine++;
    if (flow > MAX_DEPTH || inLine > MAX_DEPTH) return line;
    for (const char of lexeme) if (char === '\n') line++;
    if (lexeme.includes('\n')) inLine = 0;
  }
  return undefined;
}

function repeatedKeys(document: Document): string[] {
  const lines: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = String(key);
        if (seen.has(name)) lines.push(`${name}: expected the key once, got it twice`);
        seen.add(name);
      }
    },
  });
  return lines;
}

function parseYaml(text: string, path: string): unknown {
  const deep = lineTooDeep(text);
  if (deep !== undefined)
    throw faults('settings', `${path}:${deep}`, [
      `expected at most ${MAX_DEPTH} lists and maps in one another, got more`,
    ]);
  const lines: string[] = [];
  try {
    // The library compares every key with every other one; a set does the same in one pass.
    const document = parseDocument(text, {
      prettyErrors: true,
      uniqueKeys: false,
      logLevel: 'error',
    });
    lines.push(...document.errors.map((error) => error.message.split('\n')[0] ?? ''));
    lines.push(...repeatedKeys(document));
    if (lines.length === 0) return document.toJS();
  } catch (error) {
    // The library throws at aliases without an anchor, and at aliases that unfold to very much.
    lines.push(`expected YAML that can be read, got ${show(error)}`);
  }
  throw faults('settings', path, lines);
}

/** JSON Schema of a settings file, for editors. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(settingsSchema, { io: 'input' }) as Record<string, unknown>;
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): string[] {
  const path = issue.path.map(String).join('.');
  const at = path === '' ? '(top)' : path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${path === '' ? key : `${path}.${key}`}: expected no such key`);
  }
  const got = issue.path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    input,
  );
  return [
    `${at}: ${issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '')}, got ${show(got)}`,
  ];
}

function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
