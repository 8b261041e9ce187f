/**
 * Axis checks with letters: one line at the entrance of a module documents and checks its shapes.
 */
import { ShapeError } from '../errors/index.js';
import type { Tensor } from './tensor.js';

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
  const letters = pattern.split(' ');
  const isOpen = letters[0] === '...';
  const named = isOpen ? letters.slice(1) : letters;
  const { shape } = tensor;
  const known: Record<string, number> = { ...(expected as Record<string, number>) };
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
      const length = (expected as Record<string, number>)[letter];
      return length === undefined ? letter : `${letter}=${length}`;
    });
    throw new ShapeError(
      `${where}: expected shape [${wanted.join(', ')}], got [${shape.join(', ')}]`,
      { where, pattern, shape },
    );
  }
  return found as Record<Letters<Pattern>, number>;
}
