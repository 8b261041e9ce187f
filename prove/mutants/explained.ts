/**
 * Mutants that live, and why they may.
 *
 * A row names a change by its file, the line it begins in and the change itself, as the run shows them; the run fails if the file
 * has no such change any more, and if it is killed after all.
 */
export interface Explained {
  file: string;
  /** Text of the line. */
  text: string;
  /** `before → after`; several of one line may have one reason. */
  mutations: readonly string[];
  /** `equivalent`: nothing that can be observed differs. `tolerated`: something does that no test should fix. */
  kind: 'equivalent' | 'tolerated';
  why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: 'src/lora/conv-gate.ts',
    text: 'false,',
    mutations: ['false → true'],
    kind: 'tolerated',
    why: 'on a GPU cuDNN would compute the same norm, rounded otherwise; on a CPU nothing differs',
  },
  {
    file: 'src/lora/expert-lora-linear.ts',
    text: 'if (!Number.isInteger(experts) || experts < 1 || totalRank % experts !== 0) {',
    mutations: ['1 → 0'],
    kind: 'equivalent',
    why: 'a rest by 0 experts is NaN, which is refused as well',
  },
  {
    file: 'src/lora/low-rank.ts',
    text: 'const parts = layers.length === 1 ? [mixed_NX] : split(mixed_NX, ranks, 1);',
    mutations: ['layers.length === 1 → false', '1 → 0'],
    kind: 'equivalent',
    why: 'splitting into one part gives the same; the case saves a call',
  },
  {
    file: 'src/lora/low-rank.ts',
    text: 'tensor.dtype === dtype ? tensor : cast(tensor, dtype);',
    mutations: ['tensor.dtype === dtype → false'],
    kind: 'equivalent',
    why: 'a cast to its own type gives the same; the case saves a call',
  },
  {
    file: 'src/lora/low-rank.ts',
    text: 'return tensors.length === 1 ? (tensors[0] as Tensor) : cat(tensors, axis);',
    mutations: ['tensors.length === 1 → false', '1 → 0'],
    kind: 'equivalent',
    why: 'joining one tensor gives the same; the case saves a copy',
  },
  {
    file: 'src/evaluation/compare.ts',
    text: 'const moving = differences.filter((value) => value !== 0);',
    mutations: ['differences.filter((value) => value !== 0) → differences'],
    kind: 'tolerated',
    why: 'a 0 adds nothing, whatever its sign; the others get other bits of the stream, as fair as theirs',
  },
  {
    file: 'src/evaluation/compare.ts',
    text: 'const seen = Math.abs(moving.reduce((sum, value) => sum + value, 0)) * (1 - 1e-9);',
    mutations: ['sum + value → sum - value'],
    kind: 'equivalent',
    why: 'the sum with the other sign, of which the size is taken',
  },
  {
    file: 'src/evaluation/compare.ts',
    text: 'for (const value of moving) sum += random.uint32() & 1 ? value : -value;',
    mutations: [
      'sum += random.uint32() & 1 ? value : -value → sum -= random.uint32() & 1 ? value : -value',
    ],
    kind: 'equivalent',
    why: 'the sum with the other sign, of which the size is taken',
  },
  {
    file: 'src/evaluation/compare.ts',
    text: 'for (const value of moving) sum += random.uint32() & 1 ? value : -value;',
    mutations: ['1 → 2'],
    kind: 'tolerated',
    why: 'another bit of each draw, as fair as the first',
  },
  {
    file: 'src/evaluation/evaluate.ts',
    text: 'const answer = named === undefined ? undefined : candidates[named];',
    mutations: ['named === undefined → false'],
    kind: 'equivalent',
    why: 'there is no candidate at undefined',
  },
  {
    file: 'src/evaluation/evaluate.ts',
    text: 'numTiedRows: outcomes.filter(({ numTied }) => (numTied ?? 0) > 0).length,',
    mutations: ['numTied ?? 0 → numTied'],
    kind: 'equivalent',
    why: 'undefined is not above 0; the default is for the type',
  },
  {
    file: 'src/evaluation/interval.ts',
    text: 'high: count === total ? 1 : Math.min(1, (centre + spread) / scale),',
    mutations: ['1 → 2 (2)'],
    kind: 'equivalent',
    why: 'below `total` the formula stays at or below 1, up to 10¹⁵ rows',
  },
  {
    file: 'src/evaluation/interval.ts',
    text: 'for (let sample = 0; sample < resamples; ) {',
    mutations: ['sample < resamples → sample <= resamples'],
    kind: 'equivalent',
    why: 'writing behind the end of a typed array does nothing',
  },
  {
    file: 'src/evaluation/interval.ts',
    text: 'if (proportion && ends.low === ends.high && (value === 0 || value === 1)) {',
    mutations: ['proportion && ends.low === ends.high → proportion'],
    kind: 'equivalent',
    why: 'a proportion of 0 or 1 has only rows alike, so all resamples are the same',
  },
  {
    file: 'src/evaluation/match.ts',
    text: "return (text.trim().split(/\\r?\\n/, 1)[0] ?? '').trim();",
    mutations: [
      "(text.trim().split(/\\r?\\n/, 1)[0] ?? '').trim() → (text.trim().split(/\\r?\\n/, 1)[0] ?? '')",
      '1 → 2',
    ],
    kind: 'equivalent',
    why: 'only the first part is taken, and both rules overlook spaces at its end',
  },
  {
    file: 'src/evaluation/match.ts',
    text: 'if (!joins(line[start - 1], title[0]) && !joins(title.at(-1), line[end])) starts.push(start);',
    mutations: ['starts.push(start) → starts.unshift(start)'],
    kind: 'equivalent',
    why: 'places are compared with each other, in any order',
  },
  {
    file: 'src/evaluation/outcome.ts',
    text: 'if (column < 0 || candidates.indexOf(target, column + 1) >= 0)',
    mutations: [
      'candidates.indexOf(target, column + 1) >= 0 → candidates.indexOf(target, column + 1) > 0',
      '0 → 1 (2)',
    ],
    kind: 'equivalent',
    why: 'a second column comes behind a first one, so it is 1 or more',
  },
  {
    file: 'src/optim/adam.ts',
    text: 'if (weightDecay !== 0) {',
    mutations: ['weightDecay !== 0 → true'],
    kind: 'equivalent',
    why: 'no decay multiplies by 1 or adds 0 times a finite number; the case saves the pass',
  },
  {
    file: 'src/optim/adam.ts',
    text: 'const steps = this.#moments.get(key)?.steps ?? 0;',
    mutations: [
      'this.#moments.get(key)?.steps ?? 0 → this.#moments.get(key)?.steps',
      'this.#moments.get(key)?.steps → this.#moments.get(key).steps',
      '0 → 1',
    ],
    kind: 'equivalent',
    why: 'every parameter has moments; the default is for the type',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'const zero = full([1], 0, { device, dtype });',
    mutations: ['[1] → []'],
    kind: 'equivalent',
    why: 'one number, on an axis or not, spreads over the mask alike',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'const never = full([1], Number.NEGATIVE_INFINITY, { device, dtype });',
    mutations: ['[1] → []'],
    kind: 'equivalent',
    why: 'one number, on an axis or not, spreads over the mask alike',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'return [...lengths.keys()].sort((a, b) => of(b) - of(a) || a - b);',
    mutations: ['of(b) - of(a) || a - b → of(b) - of(a)', 'a - b → a + b', 'a - b → a'],
    kind: 'equivalent',
    why: 'V8 sorts stably and asks of two rows only whether the later one comes first; 0 and above are no',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'let longest = 0;',
    mutations: ['0 → 1'],
    kind: 'equivalent',
    why: 'the first row sets it',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'if (workers === 1) return tokens;',
    mutations: ['workers === 1 → false', '1 → 0'],
    kind: 'equivalent',
    why: 'one worker alone would have half as many again, at most `tokens`',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'const ends = new Array<number>(workers).fill(0);',
    mutations: ['0 → 1'],
    kind: 'equivalent',
    why: 'all workers begin one token later',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'return best?.batches ?? least;',
    mutations: ['best?.batches ?? least → best?.batches', 'best?.batches → best.batches'],
    kind: 'equivalent',
    why: 'three turns have a best one; the default is for the type',
  },
  {
    file: 'src/recommenders/llm/layout.ts',
    text: 'let [low, high] = [1, tokens];',
    mutations: ['1 → 0'],
    kind: 'equivalent',
    why: 'a bound of 0 cuts as one of 1 does: each row alone',
  },
  {
    file: 'src/data/candidates.ts',
    text: 'private draws = 0;',
    mutations: ['0 → 1'],
    kind: 'equivalent',
    why: 'draws are numbered, from where does not matter',
  },
  {
    file: 'src/data/candidates.ts',
    text: 'this.areTitlesUnique = numbers.size === catalog.size;',
    mutations: ['this.areTitlesUnique = numbers.size === catalog.size; → ;'],
    kind: 'equivalent',
    why: 'titles are looked at then, too; unique ones exclude nothing',
  },
  {
    file: 'src/data/candidates.ts',
    text: 'if (!areTitlesUnique) {',
    mutations: ['!areTitlesUnique → true'],
    kind: 'equivalent',
    why: 'titles are looked at then, too; unique ones exclude nothing',
  },
  {
    file: 'src/data/candidates.ts',
    text: 'for (let i = 0; i < history.length; i++) itemDraw[history[i]!] = draw;',
    mutations: ['i < history.length → i <= history.length'],
    kind: 'equivalent',
    why: 'behind the end is undefined, which is no place of a typed array',
  },
  {
    file: 'src/data/candidates.ts',
    text: 'for (let i = 0; i < values.length; i++) if (values[i] === value) return true;',
    mutations: ['i < values.length → i <= values.length'],
    kind: 'equivalent',
    why: 'behind the end is undefined, which is no item',
  },
  {
    file: 'src/recommenders/registry.ts',
    text: "if (first === undefined) throw internal('no method has an encoder');",
    mutations: ['first === undefined → false', "throw internal('no method has an encoder'); → ;"],
    kind: 'equivalent',
    why: 'the registry has methods with encoders; the line is there for the type',
  },
  {
    file: 'src/recommenders/registry.ts',
    text: "if (first === undefined) throw internal('no method can be a member');",
    mutations: ['first === undefined → false', "throw internal('no method can be a member'); → ;"],
    kind: 'equivalent',
    why: 'the registry has methods that can be members; the line is there for the type',
  },
];
