/**
 * Ids and decoded texts equal the references' on 2,000 hard strings and on every title of three datasets.
 *
 * Titles may not be published: fixtures/hashes.json holds hashes by generate_hashes.py. Where a block differs,
 * `generate_hashes.py ... --show LIST BLOCK` prints what the references say.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  openPromptTemplate,
  openTokenizer,
  PromptBuilder,
  type Tokenizer,
} from '../../../src/text/index.js';
import { openGguf } from '../../../src/weights/index.js';
import { ggufTokenizer } from '../../support/tokenizers.js';
import { smollmPath } from '../smollm2/model-path.js';
import { hardIds, hardStrings } from './hard-strings.js';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const DATA = join(import.meta.dirname, '../../../../shared/data');
const folder = mkdtempSync(join(tmpdir(), 'ilora-hashes-'));
after(() => rmSync(folder, { recursive: true }));

interface Expected {
  count: number;
  block: number;
  tokenizers: Record<string, { sha256: string; roundTrips: number; blocks: string }>;
}
const expected = JSON.parse(readFileSync(join(FIXTURES, 'hashes.json'), 'utf8')) as Record<
  string,
  Expected
>;

function openJson(name: string, json: unknown): Tokenizer {
  const tokenizerJson = join(folder, `${name}.json`);
  writeFileSync(tokenizerJson, JSON.stringify(json));
  return openTokenizer({ kind: 'json', tokenizerJson });
}

// ---- tokenizers ----------------------------------------------------------------------------------------

const llamaJson = JSON.parse(readFileSync(join(FIXTURES, 'llama', 'tokenizer.json'), 'utf8')) as {
  model: { vocab: Record<string, number> };
};

function llamaGguf(): Tokenizer {
  const { scores, types } = JSON.parse(
    readFileSync(join(FIXTURES, 'llama', 'gguf.json'), 'utf8'),
  ) as { scores: number[]; types: number[] };
  return ggufTokenizer({
    model: 'llama',
    tokens: Object.entries(llamaJson.model.vocab)
      .sort(([, a], [, b]) => a - b)
      .map(([token]) => token),
    scores: Float32Array.from(scores),
    token_type: Int32Array.from(types),
    bos_token_id: 1,
    eos_token_id: 2,
  });
}

/** As transformers 5 writes it. */
function metaspaceJson(): unknown {
  const pre_tokenizer = {
    type: 'Metaspace',
    replacement: '▁',
    prepend_scheme: 'first',
    split: false,
  };
  return { ...llamaJson, normalizer: null, pre_tokenizer };
}

/** The published tokenizer.json of SmolLM2, made of the GGUF file's vocabulary. */
function smollmJson(metadata: { get(key: string): unknown }): unknown {
  const tokens = metadata.get('tokenizer.ggml.tokens') as string[];
  const types = metadata.get('tokenizer.ggml.token_type') as Int32Array;
  const added = tokens.map((content, id) => ({ id, content, special: true }));
  return {
    added_tokens: added.filter(({ id }) => types[id] === 3),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadata.get('tokenizer.ggml.merges'),
    },
  };
}

// ---- texts ---------------------------------------------------------------------------------------------

const lists: [name: string, texts: () => string[], skip: string | false][] = [
  ['hard', hardStrings, false],
  ...['movielens', 'lastfm', 'steam'].map((name): [string, () => string[], string | false] => {
    const path = join(DATA, name, 'items.tsv');
    const read = () =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split('\t')[1] as string);
    return [name, read, existsSync(path) ? false : `no ${name} beside this repository`];
  }),
];

// ---- comparison ----------------------------------------------------------------------------------------

/** What is hashed of one text, and whether it comes back. */
function* ofTexts(tokenizer: Tokenizer, texts: readonly string[]): Generator<[string, boolean]> {
  for (const given of texts) {
    const text = given.replace(/\p{Surrogate}/gu, '\ufffd'); // what an encoder of UTF-8 makes of halves
    const ids = tokenizer.encode(given);
    const decoded = tokenizer.decode(ids, { keepSpecial: true });
    yield [`${text}\0${ids.join()}\0${decoded}\n`, decoded === text];
  }
}

function* ofIds(tokenizer: Tokenizer): Generator<[string, boolean]> {
  for (const ids of hardIds(tokenizer.vocabSize))
    yield [`${ids.join()}\0${tokenizer.decode(ids)}\n`, false];
}

function compare(records: Iterable<[string, boolean]>, name: string, key: string): void {
  const { count, block, tokenizers } = expected[name] as Expected;
  const wanted = tokenizers[key] as Expected['tokenizers'][string];
  const got = [...records];
  assert.equal(got.length, count);
  const sha256 = (part: typeof got) => {
    const hash = createHash('sha256');
    for (const [record] of part) hash.update(record);
    return hash.digest('hex');
  };
  const wrong = wanted.blocks.split(' ').flatMap((hash, number) => {
    const part = got.slice(number * block, (number + 1) * block);
    return sha256(part).startsWith(hash) ? [] : [number];
  });
  assert.deepEqual(wrong, [], `blocks of ${block} that differ`);
  assert.equal(sha256(got), wanted.sha256);
  assert.equal(got.filter(([, isSame]) => isSame).length, wanted.roundTrips, 'round trips');
}

const path = smollmPath();
const withoutModel = existsSync(path) ? false : 'the model is not in the cache';
const smollm = () => openTokenizer({ kind: 'gguf', path, metadata: openGguf(path).metadata });
const open: [key: string, kind: string, open: () => Tokenizer, skip: string | false][] = [
  ['llama', 'tokenizer.json', () => openJson('llama', llamaJson), false],
  ['llama-metaspace', 'tokenizer.json', () => openJson('metaspace', metaspaceJson()), false],
  ['llama-gguf', 'GGUF metadata', llamaGguf, false],
  ['smollm2', 'GGUF metadata', smollm, withoutModel],
  [
    'smollm2',
    'tokenizer.json',
    () => openJson('smollm2', smollmJson(openGguf(path).metadata)),
    withoutModel,
  ],
];

for (const [key, kind, make, noTokenizer] of open) {
  describe(`${key} from ${kind}`, () => {
    let tokenizer: Tokenizer;
    before(() => {
      if (noTokenizer === false) tokenizer = make();
    });
    for (const [name, texts, noTexts] of lists) {
      it(`gives the reference's ids and texts of ${name}`, { skip: noTokenizer || noTexts }, () =>
        compare(ofTexts(tokenizer, texts()), name, key),
      );
    }
    it("gives the reference's texts of ids at random", { skip: noTokenizer }, () =>
      compare(ofIds(tokenizer), 'ids', key),
    );
  });
}

describe('titles in prompts of SmolLM2', () => {
  for (const [name, texts, noTexts] of lists.slice(1)) {
    const skip = withoutModel || noTexts;
    it(`are the reference's, uncut, for every title of ${name}`, { skip }, () => {
      const tokenizer = smollm();
      const titles = texts();
      const prompts = new PromptBuilder(
        tokenizer,
        titles.map((title) => ({ title })),
        openPromptTemplate('item'),
      );
      const newline = tokenizer.encode('\n');
      for (const [item, title] of titles.entries()) {
        assert.equal(prompts.titleOf(item), title);
        assert.deepEqual(prompts.answer(item), [...tokenizer.encode(` ${title}`), ...newline]);
      }
    });
  }
});
