/**
 * Attention, with grouped heads, by libtorch's fused operator or by matrix products, whichever is faster.
 */
import { mismatch } from '../errors/index.js';
import { optionsOf, tensorOf } from './arguments.js';
import { hasOperator, operator } from './call.js';
import { dims } from './dims.js';
import type { Device, DType } from './dtype.js';
import {
  cat,
  equalsZero,
  expand,
  full,
  maskedFill,
  matmul,
  narrow,
  permute,
  reshape,
  softmax,
  split,
  transpose,
  tril,
  unsqueeze,
} from './operators.js';
import type { Tensor } from './tensor.js';

/** What restricts attention: a causal order, or a mask added to the scores. */
export interface AttentionOptions {
  isCausal?: boolean;
  /** Added to the scores; broadcasts to [B, H, T, S]; -Infinity forbids. */
  mask?: Tensor;
  /**
   * The mask forbids all that comes after a query, whose place is counted from the end: the last query may see the
   * last key. Saves the products with what is forbidden anyway.
   */
  isMaskCausal?: boolean;
  /** The causal order as a mask [T, S], where a caller made it once for many calls (`causalMask`). */
  causal?: Tensor;
}

const fusedOp = operator(
  'aten::scaled_dot_product_attention',
  'query key value attn_mask dropout_p is_causal',
);
const addProductsOp = operator('aten::baddbmm', 'self batch1 batch2 beta alpha');
let hasFused: boolean | undefined;

/** Scores above which their memory (two bytes each, kept for the gradients) outweighs the speed of products. */
const MOST_SCORES = 2 ** 23;

/**
 * softmax(q kᵀ / √K + mask) v; query head h uses key and value head ⌊h · G / H⌋.
 *
 * Products in bfloat16 are twice as fast on a CPU as libtorch's fused kernel (docs/performance.md); elsewhere,
 * and where the scores would be many, the fused one is taken. libtorch before 2.0 lacks it.
 *
 * @param query_BHTK key_BGSK value_BGSO G divides H
 * @throws ShapeError
 */
export function attention(
  query_BHTK: Tensor,
  key_BGSK: Tensor,
  value_BGSO: Tensor,
  options: AttentionOptions = {},
): Tensor {
  return takesProducts(query_BHTK, key_BGSK)
    ? attentionByProducts(query_BHTK, key_BGSK, value_BGSO, options)
    : attentionFused(query_BHTK, key_BGSK, value_BGSO, options);
}

function takesProducts(query: Tensor, key: Tensor): boolean {
  hasFused ??= hasOperator('aten::scaled_dot_product_attention');
  if (!hasFused) return true;
  const { dtype, device, shape } = tensorOf('attention(query)', query);
  if (dtype !== 'bfloat16' || device !== 'cpu') return false;
  const [B = 0, H = 0, T = 0] = shape;
  const [S = 0] = tensorOf('attention(key)', key).shape.slice(-2);
  return T > 1 && B * H * T * S <= MOST_SCORES;
}

/** `attention` by libtorch's fused operator. */
export function attentionFused(
  query_BHTK: Tensor,
  key_BGSK: Tensor,
  value_BGSO: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { mask, isCausal } = read(options);
  const { H } = checkHeads(query_BHTK, key_BGSK, value_BGSO);
  const [key, value] = [shareHeads(key_BGSK, H), shareHeads(value_BGSO, H)];
  return fusedOp(query_BHTK, key, value, mask ?? null, 0, isCausal);
}

/** Shortest block of queries that is worth products of its own, and the most blocks. */
const [SHORTEST_BLOCK, MOST_BLOCKS] = [64, 4];

/**
 * `attention` by matrix products; the queries of one group are rows of one product.
 *
 * In causal order queries go block by block, each with the keys that the block may see: of four blocks' products
 * 10 in 16 are left.
 */
export function attentionByProducts(
  query_BHTK: Tensor,
  key_BGSK: Tensor,
  value_BGSO: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { B, H, T, K, G, S, O } = checkHeads(query_BHTK, key_BGSK, value_BGSO);
  const { mask, isCausal, isMaskCausal } = read(options);
  const keys_NSK = reshape(key_BGSK, [B * G, S, K]);
  const values_NSO = reshape(value_BGSO, [B * G, S, O]);
  const hasOrder = mask === undefined ? isCausal : isMaskCausal;
  const lengths = hasOrder ? blocks(T) : [T];
  const seenBefore = mask === undefined ? 0 : S - T;
  let end = 0;
  const queries = lengths.length === 1 ? [query_BHTK] : split(query_BHTK, lengths, 2);
  const mixed = queries.map((block_BHUK) => {
    const U = block_BHUK.axis(2);
    const start = end;
    end += U;
    const seen = hasOrder ? Math.max(1, Math.min(S, end + seenBefore)) : S;
    const block = { B, H, G, T, S, start, U, seen };
    const scores = addProductsOp(
      scoreMask(query_BHTK, options, block),
      reshape(block_BHUK, [B * G, (H / G) * U, K]),
      transpose(narrow(keys_NSK, 1, 0, seen), 1, 2),
      1,
      1 / Math.sqrt(K),
    );
    const mixed_NRO = matmul(softmax(scores, -1), narrow(values_NSO, 1, 0, seen));
    return reshape(mixed_NRO, [B, H, U, O]);
  });
  if (mixed.length === 1) return mixed[0] as Tensor;
  // Laid out as the layer behind it reads, so that joining is the only copy.
  const byPlace = mixed.map((block) => permute(block, [0, 2, 1, 3]));
  return permute(cat(byPlace, 1), [0, 2, 1, 3]);
}

/** Lengths of about equal blocks of T queries. */
function blocks(T: number): number[] {
  const count = Math.max(1, Math.min(MOST_BLOCKS, Math.floor(T / SHORTEST_BLOCK)));
  const edge = (i: number): number => Math.floor((i * T) / count);
  return Array.from({ length: count }, (_, i) => edge(i + 1) - edge(i));
}

/** What is added to the scores of the groups in a block of queries, [B·G or 1, H/G·U, seen]. */
function scoreMask(
  { dtype, device }: Tensor,
  options: AttentionOptions,
  {
    B,
    H,
    G,
    T,
    S,
    start,
    U,
    seen,
  }: Record<'B' | 'H' | 'G' | 'T' | 'S' | 'start' | 'U' | 'seen', number>,
): Tensor {
  const { mask, causal, isCausal } = read(options);
  const rows = H / G;
  const ofBlock = (mask: Tensor): Tensor => narrow(narrow(mask, -2, start, U), -1, 0, seen);
  const repeat = (mask_TS: Tensor): Tensor =>
    reshape(expand(ofBlock(mask_TS), [rows, U, seen]), [1, rows * U, seen]);
  if (mask !== undefined) {
    return tensorOf('attention(mask)', mask).shape.length <= 2
      ? repeat(expand(mask, [T, S]))
      : reshape(ofBlock(expand(mask, [B, H, T, S])), [B * G, rows * U, seen]);
  }
  if (isCausal) return repeat(causal ?? causalMask(T, S, { dtype, device }));
  return full([1, 1, 1], 0, { dtype, device });
}

/** 0 where the key comes not after the query, -Infinity elsewhere, [T, S]. */
export function causalMask(T: number, S: number, place: { dtype: DType; device: Device }): Tensor {
  const { dtype, device } = optionsOf('causalMask', place);
  const isAllowed = tril(full([T, S], 1, { dtype: 'bool', device }));
  return maskedFill(
    full([T, S], 0, { dtype, device }),
    equalsZero(isAllowed),
    Number.NEGATIVE_INFINITY,
  );
}

function read(
  options: AttentionOptions,
): AttentionOptions & { isCausal: boolean; isMaskCausal: boolean } {
  const { mask, causal, isCausal = false, isMaskCausal = false } = optionsOf('attention', options);
  return { mask, causal, isCausal, isMaskCausal };
}

/** Each of G heads serves H / G queries: [B, G, S, K] → [B, H, S, K]. */
function shareHeads(x_BGSK: Tensor, H: number): Tensor {
  const [B, G, S, K] = x_BGSK.shape as [number, number, number, number];
  if (G === H) return x_BGSK;
  return reshape(expand(unsqueeze(x_BGSK, 2), [B, G, H / G, S, K]), [B, H, S, K]);
}

/** libtorch's fused kernels take values that are fewer than the keys and give numbers that mean nothing. */
function checkHeads(query_BHTK: Tensor, key_BGSK: Tensor, value_BGSO: Tensor) {
  const { B, H, T, K } = dims('attention(query)', query_BHTK, 'B H T K');
  const { G, S } = dims('attention(key)', key_BGSK, 'B G S K', { B, K });
  const { O } = dims('attention(value)', value_BGSO, 'B G S O', { B, G, S });
  if (H % G !== 0)
    throw mismatch('shape', {
      where: 'attention(key)',
      expected: `a number of heads that divides the query's ${H}`,
      got: G,
    });
  return { B, H, T, K, G, S, O };
}
