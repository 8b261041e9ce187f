/**
 * A world small enough to be trained hundreds of times: a dataset, a base with a tokenizer, settings.
 *
 * All of it is made of random numbers and plain words, written through the same doors as real data,
 * so that the real trainer and the real command line can be run on it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatasetDraft, RowRanges, SequenceStore, writeDataset } from '../../src/data/index.js';
import { Random } from '../../src/random/index.js';
import { resolveSettings, type Settings } from '../../src/training/index.js';
import { writeLlama } from '../../tests/support/base-folder.js';

/** Where the parts of a world lie. */
export interface World {
  folder: string;
  data: string;
  base: string;
}

const ITEMS = 24;

/** Writes a dataset and a base into a folder; equal seeds give equal bytes. */
export async function makeWorld(folder: string, seed: number): Promise<World> {
  const world = { folder, data: join(folder, 'data'), base: join(folder, 'base') };
  await writeDataset(world.data, draft(seed), { candidateCount: 4, seed });
  writeBase(world.base, seed);
  return world;
}

const WORDS = ['Red', 'Blue', 'Night', 'River', 'Stone', 'Lamp', 'Bird'];

function draft(seed: number): DatasetDraft {
  const random = new Random(seed, 'world-sequences');
  const sequences = new SequenceStore(true);
  const lengths = [9, 7, 8, 6, 10, 7, 8];
  for (const [user, length] of lengths.entries()) {
    const items = [...random.permutation(ITEMS)].slice(0, length);
    sequences.add(
      `u${user}`,
      items,
      items.map((_, i) => 1000 + i),
    );
  }
  const rows = { train: new RowRanges(), validation: new RowRanges(), test: new RowRanges() };
  for (const [sequence, length] of lengths.entries()) {
    const split = sequence < 3 ? 'train' : sequence < 6 ? 'validation' : 'test';
    const first = split === 'train' ? 2 : length - 1;
    rows[split].add({ sequence, first, last: length - 1 });
  }
  return {
    name: 'tiny',
    origin: 'random numbers',
    licence: 'none',
    citation: '',
    titles: 'raw',
    splitRule: { rule: 'by-hand' },
    window: { minHistory: 2, maxHistory: 4 },
    items: Array.from({ length: ITEMS }, (_, id) => {
      const title = `${WORDS[id % WORDS.length]} ${id}`;
      return { id, title, sourceTitle: title, sourceId: String(id), attributes: {} };
    }),
    sequences,
    ...rows,
    dropped: {},
    notes: [],
  };
}

/** A Llama of two layers over 257 tokens: the bytes and one that ends a text. */
function writeBase(folder: string, seed: number): void {
  const config = { vocabSize: 257, maxPositions: 2048, eosTokenIds: [256] };
  writeLlama(folder, config, new Random(seed, 'world-base'));
  const vocab = Object.fromEntries([...byteLetters()].map((letter, id) => [letter, id]));
  const tokenizer = {
    version: '1.0',
    added_tokens: [{ id: 256, content: '<|endoftext|>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: [] },
  };
  writeFileSync(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`);
}

/** GPT-2's printable letter of each byte. */
function byteLetters(): string {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  ).join('');
}

/** The kinds of run that are proved. */
export const VARIANTS = ['sasrec', 'lora', 'linear', 'workers', 'conv', 'conv-batch-norm'] as const;
export type Variant = (typeof VARIANTS)[number];

/** What a user would write for a variant: dropout, validation and early stopping are on. */
export function settingsInput(
  world: World,
  variant: Variant,
  { out, seed, encoder }: { out: string; seed: number; encoder?: string },
): Record<string, unknown> {
  const places = { data: world.data, out, seed };
  const sasrec = {
    width: 8,
    blocks: 1,
    heads: 2,
    dropout: 0.2,
    loss: 'bce',
    learningRate: 0.01,
    epochs: 6,
    batchSize: 4,
    patience: 2,
    checkpointSeconds: 3600,
  };
  if (variant === 'sasrec') return { method: 'sasrec', ...places, sasrec };
  const isUniform = variant === 'lora';
  const gate = variant === 'workers' ? 'linear' : variant;
  return {
    method: isUniform ? 'lora' : 'ilora',
    ...places,
    base: world.base,
    dtype: 'float32',
    encoder: encoder ?? { method: 'sasrec', sasrec },
    adapter: {
      rank: 4,
      dropout: 0.1,
      learningRate: 0.01,
      ...(!isUniform && { experts: 2, gate }),
    },
    training: {
      // Of 18 windows: two passes and a half, with steps that begin in one pass and end in the next.
      windows: 46,
      batchSize: 4,
      // Several parts to a step, most of two or three windows: batch statistics move.
      batchTokens: 600,
      workers: variant === 'workers' ? 2 : 1,
      warmupShare: 0.2,
      validateEvery: 8,
      validationRows: 3,
      patience: 2,
      checkpointSeconds: 3600,
    },
  };
}

/** The same, checked and with its defaults. */
export function settingsOf(...words: Parameters<typeof settingsInput>): Settings {
  return resolveSettings(settingsInput(...words), 'world');
}

/** Settings with other values in one of their sections. */
export function withSection(
  settings: Settings,
  section: 'sasrec' | 'training',
  values: Record<string, unknown>,
): Settings {
  const old = (settings as unknown as Record<string, Record<string, unknown>>)[section];
  return { ...settings, [section]: { ...old, ...values } } as Settings;
}
