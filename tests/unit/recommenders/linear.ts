/** Linear algebra on plain arrays, for references. */

/** x with A x = b, by Gauss-Jordan elimination with the largest pivot. */
export function eliminate(matrix: readonly (readonly number[])[], right: readonly number[]) {
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  for (let k = 0; k < rows.length; k++) {
    const rest = rows.slice(k).map((row) => Math.abs(row[k] as number));
    const best = k + rest.indexOf(Math.max(...rest));
    [rows[k], rows[best]] = [rows[best] as number[], rows[k] as number[]];
    const own = rows[k] as number[];
    const pivot = own[k] as number;
    for (const [j, value] of own.entries()) own[j] = value / pivot;
    for (const [i, row] of rows.entries()) {
      const factor = row[k] as number;
      if (i !== k) for (const [j, value] of own.entries()) row[j]! -= factor * value;
    }
  }
  return rows.map((row) => row.at(-1) as number);
}
