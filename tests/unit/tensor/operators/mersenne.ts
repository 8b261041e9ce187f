/**
 * The random numbers of libtorch's CPU generators: MT19937 (Matsumoto & Nishimura 1998), and how uniform and
 * normal numbers are made of its words. And SplitMix64, of which RowStreams are made.
 */
export class Mersenne {
  readonly #state = new Uint32Array(624);
  #place = 624;
  #spare: number | undefined;

  constructor(seed: number) {
    this.#state[0] = seed % 2 ** 32;
    for (let i = 1; i < 624; i++) {
      const last = this.#state[i - 1] as number;
      this.#state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  /** 32 random bits. */
  word(): number {
    if (this.#place === 624) this.#turn();
    let y = this.#state[this.#place++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** From 0 up to but without 1: 53 bits of two words, or 24 bits of one for float32. */
  uniform(dtype: 'float32' | 'float64'): number {
    if (dtype === 'float32') return (this.word() % 2 ** 24) / 2 ** 24;
    const high = BigInt(this.word());
    const both = (high << 32n) | BigInt(this.word());
    return Number(both & (2n ** 53n - 1n)) / 2 ** 53;
  }

  /** Standard normal numbers; fewer than 16 are drawn in pairs, more in blocks (Box & Muller 1958). */
  normal(count: number, dtype: 'float32' | 'float64'): number[] {
    if (count < 16) return Array.from({ length: count }, () => this.#one());
    const data = Array.from({ length: count }, () => this.uniform(dtype));
    for (let start = 0; start + 15 < count; start += 16) pair(data, start);
    if (count % 16 !== 0) {
      for (let i = count - 16; i < count; i++) data[i] = this.uniform(dtype);
      pair(data, count - 16);
    }
    return data;
  }

  #one(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    const angle = 2 * Math.PI * this.uniform('float64');
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform('float64')));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  #turn(): void {
    const state = this.#state;
    for (let i = 0; i < 624; i++) {
      const y =
        ((state[i] as number) & 0x80000000) | ((state[(i + 1) % 624] as number) & 0x7fffffff);
      state[i] = (state[(i + 397) % 624] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#place = 0;
  }
}

function pair(data: number[], start: number): void {
  for (let j = start; j < start + 8; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (data[j] as number)));
    const angle = 2 * Math.PI * (data[j + 8] as number);
    data[j] = radius * Math.cos(angle);
    data[j + 8] = radius * Math.sin(angle);
  }
}

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const GOLDEN = 0x9e3779b97f4a7c15n;

/** The bytes of draw number `draw` for a row with this key. */
export function rowBytes(key: bigint, draw: number, count: number): number[] {
  const bytes: number[] = [];
  for (let place = 0n; bytes.length < count; place++) {
    let z = wrap(key + ((BigInt(draw) << 32n) + place) * GOLDEN);
    z = wrap((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = wrap((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    for (let i = 0n; i < 8n; i++) bytes.push(Number((z >> (8n * i)) & 255n));
  }
  return bytes.slice(0, count);
}
