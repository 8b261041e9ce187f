/**
 * Two places where `@huggingface/tokenizers` differs from the Rust library, mended.
 */
import type { Component, TokenizerJson } from './tokenizer-json.js';

/** GPT-2's printable character of each byte. */
function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
}

/**
 * Lets bytes without a token go before merging, as the Rust library does, so that their neighbours can merge.
 * SmolLM2's vocabulary lacks 21 bytes: some control characters and the starts of planes 4 to 11.
 */
export function dropMissingBytes(json: TokenizerJson): TokenizerJson {
  const { model, pre_tokenizer } = json;
  const hasUnknown = typeof model.unk_token === 'string' || model.byte_fallback === true;
  if (pre_tokenizer === null || !isByteLevel(pre_tokenizer) || hasUnknown) return json;
  const missing = byteCharacters().filter((character) => !Object.hasOwn(model.vocab, character));
  if (missing.length === 0) return json;
  const escaped = missing.map((character) =>
    character < '\u0100' ? `\\x${character.charCodeAt(0).toString(16)}` : character,
  );
  const drop = { type: 'Replace', pattern: { Regex: `[${escaped.join('')}]` }, content: '' };
  return {
    ...json,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [pre_tokenizer, drop] },
  };
}

function isByteLevel(part: Component): boolean {
  if (part.type === 'Sequence') return (part.pretokenizers as Component[]).some(isByteLevel);
  return part.type === 'ByteLevel';
}

/** What a decoder of the library holds that turns bytes into text. */
export interface LibraryDecoder {
  config?: { type?: string };
  decoders?: LibraryDecoder[];
  text_decoder?: { decode(bytes: Uint8Array): string };
}

/**
 * Gives `ByteFallback` the reading of bytes that the Rust library has: a byte order mark is a character like others,
 * and every byte of a run that is no UTF-8 becomes U+FFFD.
 */
export function repairByteFallback(decoder: LibraryDecoder | null): void {
  for (const inner of decoder?.decoders ?? []) repairByteFallback(inner);
  if (decoder?.config?.type !== 'ByteFallback') return;
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  decoder.text_decoder = {
    decode(bytes) {
      try {
        return strict.decode(bytes);
      } catch {
        return '\ufffd'.repeat(bytes.length);
      }
    },
  };
}
