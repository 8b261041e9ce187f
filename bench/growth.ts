/**
 * How time and memory grow with the prompt, the batch, the experts, the candidates and the catalog.
 *
 *   npm run --silent bench:growth [-- --quick] [--json] [--rounds N] [--result FILE] [--figures FOLDER]
 *
 * Each round runs every series once, each in a process of its own. The fit is cost = c · sizeᵏ over all rounds;
 * `upper` is the fit over the larger sizes, where constants weigh least, and `withoutAttention` the same after
 * attention alone, timed at the same shapes, is taken off: nothing but attention may be worse than linear.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment, program, ROOT, spread } from '../harness/index.js';
import { type BenchOptions, command, type Findings } from './command.js';
import { type Measured, SERIES, type Series } from './growth/axis.js';
import { drawGrowth } from './growth/figure.js';
import { type Fit, fitExponent, isWorseThanLinear, type Point, upperHalf } from './growth/fit.js';
import type { Growth } from './growth/growth.js';

await command(
  'growth',
  { rounds: 3, quickRounds: 1, needs: ['data', 'base'] },
  async (options): Promise<Findings> => {
    const found: Measured[] = [];
    for (let round = 0; round < options.rounds; round++)
      for (const { name } of SERIES) found.push(...(await measure(name, options)));
    const growth = SERIES.map((series) => fit(series, found));
    if (options.figures !== undefined) {
      mkdirSync(options.figures, { recursive: true });
      for (const quantity of ['time', 'memory'] as const)
        writeFileSync(
          join(options.figures, `growth-${quantity}.svg`),
          await drawGrowth(growth, quantity),
        );
    }
    const worse = growth.flatMap(({ name, time, memory }) => [
      ...(isWorseThanLinear(time.upper) ? [`${name}: time`] : []),
      ...(time.withoutAttention !== undefined && isWorseThanLinear(time.withoutAttention)
        ? [`${name}: time without attention`]
        : []),
      ...(isWorseThanLinear(memory.upper) ? [`${name}: memory`] : []),
    ]);
    const isOwn = (text: string): boolean =>
      !SERIES.some(({ name, axis }) => text === `${name}: time` && axis !== 'catalog');
    return {
      worseThanLinear: worse,
      isMet: !worse.some(isOwn),
      series: growth,
      failures: [],
    };
  },
);

/** One process over all sizes of a series. */
async function measure(name: string, options: BenchOptions): Promise<Measured[]> {
  const { isQuick, data, base, note } = options;
  const child = spawn(
    process.execPath,
    program(
      join(ROOT, 'bench', 'growth', 'child.ts'),
      name,
      data,
      base,
      isQuick ? 'quick' : 'full',
    ),
    { env: environment(options), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const found: Measured[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const measured = JSON.parse(line) as Measured;
    found.push(measured);
    const { median } = spread(measured.seconds);
    note(`${name} ${measured.size}: ${median.toPrecision(4)} s, ${Math.round(measured.peakMB)} MB`);
  }
  const status = await ended;
  if (status !== 0) throw new Error(`${name}: expected the process to end with 0, got ${status}`);
  return found;
}

function fit({ sizes: _, quick: __, ...series }: Series, found: readonly Measured[]): Growth {
  const own = found.filter(({ series: name }) => name === series.name);
  const ofSize = [...new Set(own.map(({ size }) => size))].map((size) => {
    const rounds = own.filter((measured) => measured.size === size);
    return { size, rounds };
  });
  const each = (cost: (measured: Measured) => number): Point[] =>
    own.map((measured) => ({ size: measured.size, cost: cost(measured) }));
  const seconds = each((measured) => spread(measured.seconds).median);
  const memory = each(({ peakMB }) => peakMB);
  const rest = each(
    (measured) => spread(measured.seconds).median - (measured.attentionSeconds ?? 0),
  ).filter(({ cost }) => cost > 0);
  const hasAttention = own.some(({ attentionSeconds }) => attentionSeconds !== undefined);
  return {
    ...series,
    points: ofSize.map(({ size, rounds }) => ({
      size,
      tokens: rounds[0]?.tokens,
      seconds: spread(rounds.map((measured) => spread(measured.seconds).median)),
      ...(hasAttention && {
        attentionSeconds: spread(rounds.map((measured) => measured.attentionSeconds ?? 0)).median,
      }),
      peakMB: spread(rounds.map(({ peakMB }) => peakMB)),
    })),
    time: {
      all: short(fitExponent(seconds)),
      upper: short(fitExponent(upperHalf(seconds))),
      ...(hasAttention && { withoutAttention: short(fitExponent(upperHalf(rest))) }),
    },
    memory: { all: short(fitExponent(memory)), upper: short(fitExponent(upperHalf(memory))) },
  };
}

function short(fit: Fit): Fit {
  const cut = (value: number): number => Number(value.toFixed(3));
  return {
    ...fit,
    exponent: cut(fit.exponent),
    scale: Number(fit.scale.toPrecision(4)),
    ...(fit.standardError !== undefined && { standardError: cut(fit.standardError) }),
  };
}
