/** Lifetimes: what a scope frees, what it lets through, and that nothing is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  add,
  currentScope,
  engineThreads,
  keep,
  liveTensors,
  noGrad,
  scope,
  Tensor,
  zeros,
} from '../../../src/tensor/index.js';

engineThreads(1);

const one = (): Tensor => zeros([2]);

test('what is made inside is freed at the end, what was made outside is not', () => {
  const outside = one();
  const inside: Tensor[] = [];
  scope(() => {
    inside.push(one(), add(outside, 1));
    assert.ok(inside.every((tensor) => !tensor.isDisposed));
  });
  assert.ok(inside.every((tensor) => tensor.isDisposed));
  assert.equal(outside.isDisposed, false);
});

test('the counter of live tensors follows what is made and freed', () => {
  const before = liveTensors();
  const made = scope(() => [one(), one(), one()].slice(1));
  assert.equal(liveTensors(), before + 2);
  for (const tensor of made) tensor.dispose();
  assert.equal(liveTensors(), before);
});

test('returned tensors live on: alone, in arrays, objects, maps, sets and deep inside', () => {
  const results = scope(() => {
    one();
    return {
      alone: one(),
      list: [one(), [one()]],
      map: new Map([['a', one()]]),
      set: new Set([one()]),
      record: { deep: { deeper: one() } },
      number: 3,
      bytes: new Uint8Array(4),
      nothing: null,
    };
  });
  const { alone, list, map, set, record } = results;
  const all = [alone, ...list.flat(), ...map.values(), ...set, record.deep.deeper];
  assert.equal(all.length, 6);
  assert.ok(all.every((tensor) => !tensor.isDisposed));
});

test('results that hold themselves are walked once', () => {
  interface Ring {
    tensor: Tensor;
    self?: Ring;
  }
  const ring = scope(() => {
    const made: Ring = { tensor: one() };
    made.self = made;
    return made;
  });
  assert.equal(ring.tensor.isDisposed, false);
  ring.tensor.dispose();
});

test('a result of an inner scope belongs to the outer one', () => {
  let inner: Tensor[] = [];
  scope(() => {
    inner = scope(() => [one(), one()]);
    assert.ok(inner.every((tensor) => !tensor.isDisposed));
  });
  assert.ok(inner.every((tensor) => tensor.isDisposed));
});

test('a tensor of an outer scope that an inner one returns stays where it was', () => {
  const outer = scope(() => {
    const made = one();
    assert.equal(
      scope(() => made),
      made,
    );
    assert.equal(made.isDisposed, false);
    return [made];
  });
  assert.equal(outer[0]?.isDisposed, false);
});

test('what is kept outlives every scope', () => {
  const box: Tensor[] = [];
  scope(() => {
    scope(() => {
      box.push(keep(one()));
      one();
    });
  });
  assert.equal(box[0]?.isDisposed, false);
});

test('an error frees everything, what would have been returned included', () => {
  const made: Tensor[] = [];
  assert.throws(
    () =>
      scope(() => {
        made.push(
          one(),
          scope(() => one()),
        );
        throw new Error('as planned');
      }),
    /as planned/,
  );
  assert.deepEqual(
    made.map((tensor) => tensor.isDisposed),
    [true, true],
  );
});

test('an asynchronous body frees at the end of its promise, not before', async () => {
  const made: Tensor[] = [];
  const result = await scope(async () => {
    made.push(one());
    await setTimeout(1);
    assert.equal(made[0]?.isDisposed, false);
    made.push(one());
    await Promise.resolve();
    return { late: one() };
  });
  assert.equal(result.late.isDisposed, false);
  await assert.rejects(
    scope(async () => {
      made.push(one());
      await setTimeout(1);
      made.push(one());
      throw new Error('as planned');
    }),
    /as planned/,
  );
  assert.deepEqual(
    made.map((tensor) => tensor.isDisposed),
    [true, true, true, true],
  );
});

test('scopes that run at the same time own what was made in their own flow', async () => {
  const made: Record<string, Tensor> = {};
  const flow = (name: string, until: Promise<unknown>): Promise<Tensor> =>
    scope(async () => {
      made[name] = one();
      await until;
      return one();
    });
  let release: (value?: unknown) => void = () => {};
  const slow = flow('slow', new Promise((resolve) => (release = resolve)));
  const first = await flow('fast', setTimeout(1));
  assert.deepEqual([made.slow?.isDisposed, made.fast?.isDisposed], [false, true]);
  release();
  const second = await slow;
  assert.deepEqual(
    [made.slow?.isDisposed, first.isDisposed, second.isDisposed],
    [true, false, false],
  );
  assert.equal(currentScope(), undefined);
});

test('disposing by hand inside a scope, twice, or through `using` is harmless', () => {
  const before = liveTensors();
  scope(() => {
    const tensor = one();
    tensor.dispose();
    tensor.dispose();
    const other = one();
    other[Symbol.dispose]();
    assert.equal(other.isDisposed, true);
    assert.equal(other.toString(), 'Tensor(disposed)');
  });
  assert.equal(liveTensors(), before);
});

test('a view keeps the storage of what it was made from alive', () => {
  const view = scope(() => {
    const whole = Tensor.from([1, 2, 3, 4], [2, 2]);
    return { part: add(whole, 0), row: whole };
  });
  view.row.dispose();
  assert.deepEqual(view.part.toNumbers(), [1, 2, 3, 4]);
});

test('noGrad lasts for its body, errors included', () => {
  const weight = zeros([2]).setRequiresGrad(true);
  assert.equal(
    noGrad(() => add(weight, 1).requiresGrad),
    false,
  );
  assert.throws(() =>
    noGrad(() => {
      throw new Error('as planned');
    }),
  );
  assert.equal(add(weight, 1).requiresGrad, true);
  assert.equal(
    noGrad(() => {
      noGrad(() => 0);
      return add(weight, 1).requiresGrad;
    }),
    false,
  );
});
