/** tokenizer.json with tokenizer_config.json. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openTokenizer } from '../../src/text/index.js';
import { type Case, caseOf } from './case.js';
import type { Target } from './target.js';
import { BPE_MERGES, BPE_TOKENS, SP_TOKENS, useTokenizer } from './tokens.js';

const target: Target = {
  name: 'tokenizer',
  sources: { 'text/tokenizer.ts': ['specialId', 'hasSpecial'], 'text/tokenizer-json.ts': [] },
  async seeds() {
    return [
      seed(byteLevel(), {
        eos_token: '<|im_end|>',
        add_bos_token: true,
        bos_token: { content: '<|im_start|>' },
      }),
      seed(
        byteLevel({
          type: 'ByteLevel',
          add_prefix_space: true,
          trim_offsets: true,
          use_regex: true,
        }),
      ),
      seed(sentencePiece(), { eos_token: '</s>', bos_token: '<s>' }),
    ];
  },
  read(folder) {
    const configJson = join(folder, 'tokenizer_config.json');
    useTokenizer(
      openTokenizer({
        kind: 'json',
        tokenizerJson: join(folder, 'tokenizer.json'),
        ...(existsSync(configJson) && { configJson }),
      }),
    );
  },
  async heavy() {
    const nested = (depth: number): unknown => {
      let part: unknown = null;
      for (let i = 0; i < depth; i++) part = { type: 'Sequence', pretokenizers: [part] };
      return part;
    };
    const deep = JSON.stringify(byteLevel()).replace(
      /"pre_tokenizer":\{.*?\]\},"post/,
      `"pre_tokenizer":${'{"type":"Sequence","pretokenizers":['.repeat(20_000)}${']}'.repeat(20_000)},"post`,
    );
    const tokens = Object.fromEntries(Array.from({ length: 100_000 }, (_, id) => [`t${id}`, id]));
    const json = byteLevel();
    return {
      'a split in a thousand sequences': seed(byteLevel(nested(1000))),
      'a split in 20,000 sequences': caseOf({ 'tokenizer.json': deep }),
      'a vocabulary of 100,000 tokens': seed({
        ...json,
        model: { ...(json.model as object), vocab: tokens, merges: [] },
      }),
      'an id of 2^52': seed({
        ...json,
        model: { ...(json.model as object), vocab: { a: 2 ** 52 }, merges: [] },
      }),
      'an added token of one million letters': seed({
        ...json,
        added_tokens: [{ id: 0, content: 'x'.repeat(1 << 20), special: true }],
      }),
    };
  },
};
export default target;

function seed(json: unknown, config?: unknown): Case {
  return caseOf({
    'tokenizer.json': JSON.stringify(json),
    ...(config !== undefined && { 'tokenizer_config.json': JSON.stringify(config) }),
  });
}

function added(names: readonly string[]): unknown[] {
  return names.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
}

function byteLevel(pretokenizer?: unknown): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added(BPE_TOKENS.slice(0, 3)),
    normalizer: { type: 'NFC' },
    pre_tokenizer: pretokenizer ?? {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<|im_start|>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {},
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(BPE_TOKENS.map((token, id) => [token, id])),
      merges: BPE_MERGES,
    },
  };
}

function sentencePiece(): Record<string, unknown> {
  return {
    version: '1.0',
    added_tokens: added(SP_TOKENS.slice(0, 3)),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(SP_TOKENS.map((token, id) => [token, id])),
      merges: [
        ['▁', 'a'],
        ['a', 'b'],
        ['▁a', 'b'],
        ['ab', 'c'],
      ],
    },
  };
}
