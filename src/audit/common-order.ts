/**
 * What comes before what, as far as training sequences tell, followed through other items.
 *
 * An edge leads from each item to the next one of a sequence. Under one order for all users the graph
 * has no ring, and a path from one item to another proves their order though no sequence holds
 * both. Where users differ almost all items lie on rings with each other (one strongly connected
 * component, found by Tarjan's algorithm, SIAM J. Comput. 1972), and nothing is proved.
 */
import type { Sequence } from '../data/index.js';

/** Order of items as far as it is proved. */
export class CommonOrder {
  private readonly component: Int32Array; // [N], of each item
  private readonly predecessors: Set<number>[] = []; // of each component
  /** Components before `current`; marks are kept for one at a time, questions come in rows. */
  private readonly isEarlier: Uint8Array;
  private current = -1;

  constructor(sequences: Iterable<Sequence>, catalogSize: number) {
    const edges = edgesOf(sequences, catalogSize);
    this.component = components(edges, catalogSize);
    for (const own of this.component) this.predecessors[own] ??= new Set();
    for (let item = 0; item < catalogSize; item++) {
      const own = this.component[item]!;
      for (const next of edges.of(item)) {
        const other = this.component[next]!;
        if (other !== own) this.predecessors[other]!.add(own);
      }
    }
    this.isEarlier = new Uint8Array(this.predecessors.length);
  }

  /** Whether some path leads from `first` to `second` and none back. */
  isBefore(first: number, second: number): boolean {
    const to = this.component[second]!;
    if (to !== this.current) this.mark(to);
    return this.isEarlier[this.component[first]!] === 1;
  }

  private mark(component: number): void {
    this.isEarlier.fill(0);
    const open = [component];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const other of this.predecessors[next]!) {
        if (this.isEarlier[other] === 1) continue;
        this.isEarlier[other] = 1;
        open.push(other);
      }
    this.current = component;
  }
}

/** Edges in two flat arrays, by the item they lead from. */
interface Edges {
  of(item: number): Int32Array;
}

function edgesOf(sequences: Iterable<Sequence>, catalogSize: number): Edges {
  const all = [...sequences];
  const starts = new Int32Array(catalogSize + 1);
  for (const { items } of all) for (let i = 1; i < items.length; i++) starts[items[i - 1]! + 1]!++;
  for (let item = 0; item < catalogSize; item++) starts[item + 1]! += starts[item]!;
  const targets = new Int32Array(starts[catalogSize]!);
  const places = starts.slice();
  for (const { items } of all)
    for (let i = 1; i < items.length; i++) targets[places[items[i - 1]!]!++] = items[i]!;
  return { of: (item) => targets.subarray(starts[item], starts[item + 1]) };
}

/** Number of the strongly connected component of each item; without recursion, for long chains. */
function components(edges: Edges, catalogSize: number): Int32Array {
  const index = new Int32Array(catalogSize).fill(-1);
  const low = new Int32Array(catalogSize);
  const component = new Int32Array(catalogSize).fill(-1);
  const place = new Int32Array(catalogSize);
  const stack: number[] = [];
  const calls: number[] = [];
  let visited = 0;
  let count = 0;
  for (let root = 0; root < catalogSize; root++) {
    if (index[root]! >= 0) continue;
    calls.push(root);
    while (calls.length > 0) {
      const item = calls.at(-1)!;
      if (index[item]! < 0) {
        index[item] = low[item] = visited++;
        stack.push(item);
      }
      const next = edges.of(item)[place[item]!];
      if (next !== undefined) {
        if (index[next]! < 0) calls.push(next);
        else {
          if (component[next]! < 0) low[item] = Math.min(low[item]!, low[next]!);
          place[item]!++;
        }
        continue;
      }
      calls.pop();
      if (low[item] !== index[item]) continue;
      for (let member = -1; member !== item; ) {
        member = stack.pop()!;
        component[member] = count;
      }
      count++;
    }
  }
  return component;
}
