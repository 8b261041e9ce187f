/** Documents as text for the terminal. */

/** One line per figure; figures of a contestant or a check under its heading. */
export function table(document: Record<string, unknown>, indent = ''): string {
  return Object.entries(document)
    .map(([key, value]) => {
      const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
      const isFlat = isGroup && Object.values(value).every((entry) => typeof entry !== 'object');
      if (isGroup && !isFlat)
        return `${indent}${key}\n${table(value as Record<string, unknown>, `${indent}  `)}`;
      const shown = isFlat
        ? Object.entries(value as object)
            .map(([name, entry]) => `${name} ${entry}`)
            .join(' · ')
        : Array.isArray(value)
          ? value.map((entry) => JSON.stringify(entry)).join(', ')
          : String(value);
      return `${indent}${key.padEnd(Math.max(0, 34 - indent.length))} ${shown}`;
    })
    .join('\n');
}

/** One line per figure, lists with a line per entry, groups as JSON. */
export function lines(document: Record<string, unknown>): string {
  const shown = (value: unknown): string =>
    typeof value === 'string' ? value : JSON.stringify(value);
  return Object.entries(document)
    .map(([key, value]) =>
      Array.isArray(value) && value.length > 0
        ? `${key}:\n  ${value.map(shown).join('\n  ')}`
        : `${key}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    )
    .join('\n');
}
