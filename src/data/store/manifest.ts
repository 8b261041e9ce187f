/**
 * `manifest.json`: where a dataset comes from, how it was split, how much is in it, and the hashes
 * that prove it unchanged.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { faults } from '../../errors/index.js';
import { ATTRIBUTE_NAME, attributeTypes, MAX_ATTRIBUTES } from '../attribute.js';

/** Name and version of the folder format. */
export const datasetFormat = 'ilora-dataset-1';

/** Files of a dataset folder beside the manifest. */
export const datasetFiles = [
  'items.tsv',
  'sequences.jsonl',
  'train.tsv',
  'validation.tsv',
  'test.tsv',
  'test-wide.tsv',
  'candidates/validation.tsv',
  'candidates/test.tsv',
  'candidates/test-wide.tsv',
] as const;

/** File of a dataset whose items have attributes. */
export const attributesFile = 'attributes.jsonl';

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.strictObject({
  format: z.literal(datasetFormat),
  name: z.string().min(1),
  /** Where the interactions come from. */
  origin: z.string(),
  licence: z.string(),
  citation: z.string(),
  /** How titles were cleaned. */
  titles: z.string(),
  /** Name of the rule and its parameters. */
  splitRule: z.looseObject({ rule: z.string().min(1) }),
  window: z.strictObject({ minHistory: z.int().min(1), maxHistory: z.int().min(1) }),
  counts: z.strictObject({
    items: z.int().min(1),
    users: count,
    interactions: count,
    rows: z.strictObject({ train: count, validation: count, test: count, 'test-wide': count }),
  }),
  /** What was left out, by reason, in rows of the source unless the name says otherwise. */
  dropped: z.record(z.string(), count),
  /** Things a reader of results should know. */
  notes: z.array(z.string()),
  candidates: z.strictObject({
    count: z.int().min(2),
    seed: z.int(),
    /** Name of the random stream that drew them. */
    stream: z.string(),
    rule: z.string(),
  }),
  /** Names and types of the items' attributes; absent where they have none. */
  attributes: z
    .array(z.strictObject({ name: z.string().regex(ATTRIBUTE_NAME), type: z.enum(attributeTypes) }))
    .min(1)
    .max(MAX_ATTRIBUTES)
    .refine(
      (all) => new Set(all.map(({ name }) => name)).size === all.length,
      'expected each name once',
    )
    .optional(),
  /** sha256 of every other file. */
  files: z.strictObject({
    ...(Object.fromEntries(datasetFiles.map((file) => [file, sha256])) as {
      [file in (typeof datasetFiles)[number]]: z.ZodString;
    }),
    [attributesFile]: sha256.optional(),
  }),
  /** One hash for all that decides what an instance is: files, window rule, candidate rule. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** sha256 of this file with zeros in this place; absent from datasets of earlier versions. */
  seal: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/** Content of `manifest.json`. */
export type DatasetManifest = z.infer<typeof manifestSchema>;

/** The hash of a dataset; origin, licence and notes do not change it. */
export function datasetHash(
  manifest: Pick<DatasetManifest, 'window' | 'candidates' | 'files'>,
): string {
  const { window, candidates, files } = manifest;
  const lines = [
    `${datasetFormat}`,
    `window ${window.minHistory} ${window.maxHistory}`,
    `candidates ${candidates.count} ${candidates.seed} ${candidates.stream}`,
    ...datasetFiles.map((file) => `${files[file]} ${file}`),
    // A dataset without attributes keeps the hash that it had before there were any.
    ...(files[attributesFile] === undefined ? [] : [`${files[attributesFile]} ${attributesFile}`]),
  ];
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

const NO_SEAL = '0'.repeat(64);

/** The text of a manifest, sealed so that any changed byte of it is noticed. */
export function manifestText(manifest: Omit<DatasetManifest, 'seal'>): string {
  const text = `${JSON.stringify({ ...manifest, seal: NO_SEAL }, null, 2)}\n`;
  return text.replace(NO_SEAL, sealOf(text));
}

function sealOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads the text of a manifest.
 *
 * @param where  path of the file, for messages
 * @throws IloraError `format` with all faults at once
 */
export function parseManifest(text: string, where: string): DatasetManifest {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw faults('format', where, [`expected JSON, got ${(error as Error).message}`]);
  }
  const result = manifestSchema.safeParse(content);
  if (!result.success)
    throw faults(
      'format',
      where,
      result.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`),
    );
  const expected = datasetHash(result.data);
  if (result.data.hash !== expected)
    throw faults('format', where, [`hash: expected ${expected}, got "${result.data.hash}"`]);
  const { seal } = result.data;
  if (seal !== undefined && seal !== sealOf(text.replace(seal, NO_SEAL)))
    throw faults('format', where, [
      'seal: expected the text as it was written, got another: the file was damaged or edited — make the dataset anew',
    ]);
  if ((result.data.attributes === undefined) !== (result.data.files[attributesFile] === undefined))
    throw faults('format', where, [
      `attributes: expected with the file ${attributesFile} in files, got one without the other`,
    ]);
  if (result.data.window.maxHistory < result.data.window.minHistory)
    throw faults('format', where, ['window: expected minHistory ≤ maxHistory']);
  return result.data;
}
