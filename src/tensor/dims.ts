/**
 * Axis checks with letters: one line at the entrance of a module documents and checks its shapes.
 */
import { mismatch, ShapeError } from '../errors/index.js';
import { Tensor } from './tensor.js';

/** The letters of an axis pattern: `'B T I'` → `'B' | 'T' | 'I'`; `...` stands for any leading axes. */
export type Letters<Pattern extends string> = Pattern extends `${infer First} ${infer Rest}`
  ? Letters<First> | Letters<Rest>
  : Pattern extends '...'
    ? never
    : Pattern;

/**
 * Names the axes of a tensor and checks them.
 *
 * `const { B, T } = dims('LoraLinear.forward(x)', x_BTI, 'B T I', { I: this.inFeatures });`
 *
 * @param where    function and argument, for the message
 * @param pattern  one letter per axis; a letter that occurs twice must agree; a leading `...` takes any axes
 * @param expected lengths that are known
 * @throws ShapeError naming the letters, their expected lengths and the shape at hand
 */
export function dims<const Pattern extends string>(
  where: string,
  tensor: Tensor,
  pattern: Pattern,
  expected: Partial<Record<Letters<Pattern>, number>> = {},
): Record<Letters<Pattern>, number> {
  for (const text of [where, pattern])
    if (typeof text !== 'string')
      throw mismatch('usage', {
        where: 'dims(where, tensor, pattern)',
        expected: 'text',
        got: text,
      });
  if (!Tensor.is(tensor))
    throw mismatch('shape', { where, expected: `a tensor [${pattern}]`, got: tensor });
  const letters = pattern.split(' ');
  const isOpen = letters[0] === '...';
  const named = isOpen ? letters.slice(1) : letters;
  const { shape } = tensor;
  const wantedLengths = expectedLengths(expected);
  const known: Record<string, number> = { ...wantedLengths };
  const found: Record<string, number> = {};
  const offset = shape.length - named.length;
  let isFit = isOpen ? offset >= 0 : offset === 0;
  for (let i = 0; isFit && i < named.length; i++) {
    const letter = named[i] as string;
    const length = shape[offset + i] as number;
    if (known[letter] !== undefined && known[letter] !== length) isFit = false;
    known[letter] ??= length;
    found[letter] = length;
  }
  if (!isFit) {
    const wanted = letters.map((letter) => {
      const length = wantedLengths[letter];
      return length === undefined ? letter : `${letter}=${length}`;
    });
    throw new ShapeError(
      `${where}: expected shape [${wanted.join(', ')}], got [${shape.join(', ')}]`,
      { where, pattern, shape },
    );
  }
  return found as Record<Letters<Pattern>, number>;
}

/** A developer's mistake, but one that must not look like a shape that does not fit. */
function expectedLengths(expected: object): Record<string, number> {
  try {
    const lengths: Record<string, unknown> = { ...expected };
    const isFit = Object.values(lengths).every(
      (length) => length === undefined || typeof length === 'number',
    );
    if (typeof expected === 'object' && expected !== null && isFit)
      return lengths as Record<string, number>;
  } catch {
    // a proxy that throws
  }
  throw mismatch('usage', {
    where: 'dims(expected)',
    expected: 'lengths by letter',
    got: expected,
  });
}
