/** The training loop: interrupted and resumed runs equal uninterrupted ones, bit for bit. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AbortError, IloraError } from '../../../src/errors/index.js';
import { type Learner, LlmLearner, SequenceLearner } from '../../../src/recommenders/index.js';
import { AdapterLearner } from '../../../src/recommenders/llm/llm-learner.js';
import { ChunkExamples } from '../../../src/recommenders/llm/objectives/next-item.js';
import { engineThreads, full, mul, type Tensor } from '../../../src/tensor/index.js';
import {
  RunFolder,
  type TrainerHooks,
  type TrainerOptions,
  type TrainingSummary,
  train,
} from '../../../src/training/index.js';
import { loadTensors } from '../../../src/weights/tensor-file.js';
import { temporaryFolder } from '../../support/folder.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyDataset, tinyIlora, tinySasrec, tinyStreaming } from '../../support/models.js';

engineThreads(1);

const options: TrainerOptions = {
  seed: 3,
  batchSize: 3,
  totalExamples: 36,
  warmupShare: 0.2,
  schedule: 'cosine',
  optimizer: 'adam',
  clipNorm: 1,
  validateEvery: 6,
  patience: 0,
  checkpointSeconds: 3600,
};
const STEPS = 12;

const sequences = [8, 5, 12, 3].map((length, user) => ({
  user: `u${user}`,
  items: Int32Array.from({ length }, (_, i) => (i * (user + 2) + user) % 12),
}));

const sasrec = (): Learner =>
  new SequenceLearner(tinySasrec({ blocks: 1, dropout: 0.2 }), sequences, {
    learningRate: 0.01,
    weightDecay: 1e-3,
    loss: 'bce',
  });

const ilora = (gate: 'linear' | 'conv-batch-norm') => (): Learner =>
  new LlmLearner(tinyIlora({ adapter: { gate, dropout: 0.2 }, batchTokens: 220 }), tinyDataset, {
    rates: { lora: 0.01, gate: 0.01, projector: 0.01, weightDecay: 1e-3 },
    curriculum: 'ramp',
  });

const streaming = (): Learner =>
  new AdapterLearner(
    tinyStreaming({ adapter: { dropout: 0.2, trainsEncoder: true }, head: { dropout: 0.2 } }),
    new ChunkExamples(sequences, {
      maxHistory: 6,
      catalogSize: 12,
      batchTokens: 30,
      positionsOf: (items) => items + 2,
      vectorDropout: 0.2,
      rivals: { kind: 'sample', count: 6 },
    }),
    { rates: { lora: 0.01, gate: 0.01, projector: 0.01, head: 0.01, weightDecay: 1e-3 } },
  );

function newFolder(): RunFolder {
  const folder = new RunFolder(join(temporaryFolder(), 'run'));
  folder.prepare(false);
  return folder;
}

/** Everything a run leaves that a user can see: tensors, moments, metrics, the best weights. */
interface Outcome {
  tensors: Record<string, number[]>;
  checkpoint: Record<string, Buffer>;
  state: Record<string, unknown>;
  metrics: string;
  best: Buffer;
  summary: Record<string, unknown>;
}

function outcome(learner: Learner, folder: RunFolder): Outcome {
  const last = readdirSync(folder.checkpoints).sort().at(-1) as string;
  const read = (name: string): Buffer => readFileSync(join(folder.checkpoints, last, name));
  const withoutSeconds = (text: string): Record<string, unknown> => {
    const { seconds, ...rest } = JSON.parse(text) as Record<string, unknown>;
    assert.ok(typeof seconds === 'number' && seconds >= 0);
    return rest;
  };
  return {
    tensors: Object.fromEntries(
      [...learner.state()].map(([key, tensor]) => [key, tensor.toNumbers()]),
    ),
    checkpoint: {
      model: read('model.safetensors'),
      optimizer: read('optimizer.safetensors'),
    },
    state: withoutSeconds(read('state.json').toString()),
    metrics: readFileSync(folder.metrics, 'utf8'),
    best: readFileSync(folder.best),
    summary: withoutSeconds(readFileSync(folder.summary, 'utf8')),
  };
}

/** A validation that depends on the weights alone; its best is somewhere in the middle. */
function validator(learner: Learner): NonNullable<TrainerHooks['validate']> {
  return async () => {
    const [first] = learner.state().values();
    const sum = (first as Tensor).toNumbers().reduce((a, b) => a + b, 0);
    return { score: Math.sin(1000 * sum), metrics: { sum } };
  };
}

async function uninterrupted(make: () => Learner, how = options): Promise<Outcome> {
  const learner = make();
  const folder = newFolder();
  await train(learner, folder, how, { validate: validator(learner) });
  return outcome(learner, folder);
}

/** Runs with a learner made anew, as a new process would. */
async function resume(make: () => Learner, folder: RunFolder, how = options): Promise<Outcome> {
  const learner = make();
  await train(learner, folder, how, { validate: validator(learner) });
  return outcome(learner, folder);
}

for (const [name, make, how] of [
  ['SASRec', sasrec, options],
  ['iLoRA', ilora('linear'), options],
  ['streaming iLoRA', streaming, options],
  ['averaged streaming iLoRA', streaming, { ...options, averaging: 0.8 }],
] as const) {
  test(`${name}: a run stopped after any step and resumed equals an uninterrupted one bit for bit`, async () => {
    const wanted = await uninterrupted(make, how);
    for (const stops of name === 'SASRec' ? [[1], [4, 7, 11], [STEPS]] : [[5]]) {
      const folder = newFolder();
      for (const stop of stops) {
        const learner = make();
        const controller = new AbortController();
        await assert.rejects(
          train(learner, folder, how, {
            signal: controller.signal,
            validate: async () => {
              controller.signal.throwIfAborted();
              return validator(learner)();
            },
            onStep: ({ step }) => {
              if (step === stop) controller.abort();
            },
          }),
          AbortError,
        );
      }
      assert.deepEqual(await resume(make, folder, how), wanted, `stopped after ${stops}`);
    }
  });
}

test('a run stopped between two parts of a step takes the unfinished step back', async () => {
  const make = ilora('conv-batch-norm');
  const short = { ...options, totalExamples: 15 };
  const wanted = await uninterrupted(make, short);
  const folder = newFolder();
  const learner = make();
  const controller = new AbortController();
  const loss = learner.loss.bind(learner);
  let parts = 0;
  const rows: number[] = [];
  learner.loss = (examples, position) => {
    if (position.step === 4) {
      rows.push(examples.length);
      if (++parts === 2) controller.abort();
    }
    return loss(examples, position);
  };
  await assert.rejects(
    train(learner, folder, short, { signal: controller.signal, validate: validator(learner) }),
    /stopped after step 4 of 5; the state is saved, --resume continues it/,
  );
  assert.equal(parts, 2);
  assert.ok(rows.includes(2), 'a part of several rows moves the statistics');
  assert.deepEqual(await resume(make, folder, short), wanted);
});

test('a run stopped while it validates, its last step included, validates again', async () => {
  const wanted = await uninterrupted(sasrec);
  for (const stop of [2, STEPS]) {
    const folder = newFolder();
    const learner = sasrec();
    let done = 0;
    await assert.rejects(
      train(learner, folder, options, {
        onStep: ({ step }) => {
          done = step;
        },
        validate: async () => {
          if (done === stop) throw new AbortError();
          return validator(learner)();
        },
      }),
      AbortError,
    );
    assert.deepEqual(await resume(sasrec, folder), wanted, `stopped validating step ${stop}`);
  }
});

test('a killed run goes on from its last checkpoint and drops the lines after it', async () => {
  const wanted = await uninterrupted(sasrec);
  const folder = newFolder();
  const learner = sasrec();
  await assert.rejects(
    train(
      learner,
      folder,
      { ...options, checkpointSeconds: 1e-9 },
      {
        validate: validator(learner),
        onStep: ({ step }) => {
          if (step === 7) throw new Error('power cut');
        },
      },
    ),
    /power cut/,
  );
  rmSync(join(folder.checkpoints, 'step-00000007'), { recursive: true });
  assert.deepEqual(readdirSync(folder.checkpoints), ['step-00000006']);
  writeFileSync(folder.metrics, `${readFileSync(folder.metrics, 'utf8')}{"kind":"st`);
  assert.deepEqual(await resume(sasrec, folder), wanted);
});

test('checkpoints without their marker or with other bytes are passed over, and written anew', async () => {
  const wanted = await uninterrupted(sasrec);
  const damage: ((path: string) => void)[] = [
    (path) => rmSync(join(path, 'complete.json')),
    (path) => writeFileSync(join(path, 'complete.json'), '{"model'),
    (path) => writeFileSync(join(path, 'state.json'), '{}'),
    (path) => rmSync(join(path, 'optimizer.safetensors')),
    (path) => {
      const file = join(path, 'model.safetensors');
      const bytes = readFileSync(file);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(file, bytes);
    },
  ];
  const whole = newFolder();
  const learner = sasrec();
  const often = { ...options, checkpointSeconds: 1e-9 };
  await train(learner, whole, often, { validate: validator(learner) });
  const kept = readdirSync(whole.checkpoints).sort();
  assert.deepEqual(kept, ['step-00000011', 'step-00000012'], 'the last two are kept');
  for (const spoil of damage) {
    const folder = newFolder();
    cpSync(whole.path, folder.path, { recursive: true });
    spoil(join(folder.checkpoints, 'step-00000012'));
    assert.deepEqual(await resume(sasrec, folder), wanted, String(spoil));
    assert.ok(existsSync(join(folder.checkpoints, 'step-00000012', 'complete.json')));
  }
});

test('a damaged checkpoint is passed over with a notice that names the file; only damaged ones are an error', async () => {
  const folder = newFolder();
  const learner = sasrec();
  await train(
    learner,
    folder,
    { ...options, checkpointSeconds: 1e-9 },
    { validate: validator(learner) },
  );
  const flip = (step: string, file: string): void => {
    const path = join(folder.checkpoints, step, file);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
  };
  const again = async (): Promise<string[]> => {
    const notices: string[] = [];
    const fresh = sasrec();
    await train(fresh, folder, options, {
      validate: validator(fresh),
      onNotice: (text) => notices.push(text),
    });
    return notices;
  };
  assert.deepEqual(await again(), []);
  flip('step-00000012', 'optimizer.safetensors');
  const [notice, ...more] = await again();
  assert.deepEqual(more, []);
  assert.match(
    notice ?? '',
    /step-00000012.optimizer\.safetensors: expected sha256 \w{12}, got \w{12}: damaged — passed over, training goes on from .*step-00000011/,
  );
  assert.deepEqual(readdirSync(folder.checkpoints).sort(), ['step-00000011', 'step-00000012']);
  flip('step-00000011', 'state.json');
  flip('step-00000012', 'complete.json');
  await assert.rejects(again(), {
    code: 'format',
    message:
      /checkpoints: 3 problems[\s\S]*step-00000012[\s\S]*step-00000011.state\.json[\s\S]*from a copy/,
  });
});

test('damaged best weights and a changed log are noticed when a run is resumed', async () => {
  const folder = newFolder();
  await resume(sasrec, folder);
  for (const [path, message] of [
    [folder.best, /best\.safetensors: expected .* — put it back from a copy/],
    [folder.metrics, /metrics\.jsonl: expected to begin with the \d+ bytes/],
  ] as const) {
    const whole = readFileSync(path);
    for (const at of [0, 9, 40, whole.length >> 1, whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 4;
      writeFileSync(path, bytes);
      await assert.rejects(resume(sasrec, folder), { code: 'format', message }, `${path} at ${at}`);
    }
    writeFileSync(path, whole);
  }
});

test('a log that cannot be written stops the run without a gap: resumed it equals an uninterrupted one', async () => {
  const wanted = await uninterrupted(sasrec);
  for (const [kind, failing] of [
    ['step', 5],
    ['validation', 6],
  ] as const) {
    const folder = newFolder();
    const log = folder.log.bind(folder);
    folder.log = (entry) => {
      if (entry.kind === kind && entry.step === failing)
        throw new IloraError('file', 'metrics.jsonl: no space');
      log(entry);
    };
    const learner = sasrec();
    await assert.rejects(train(learner, folder, options, { validate: validator(learner) }), {
      code: 'file',
      message: 'metrics.jsonl: no space',
    });
    assert.deepEqual(await resume(sasrec, new RunFolder(folder.path)), wanted, kind);
  }
});

test('a checkpoint that cannot be written says that the last one stands', async () => {
  const wanted = await uninterrupted(sasrec);
  const folder = newFolder();
  const learner = sasrec();
  await assert.rejects(
    train(
      learner,
      folder,
      { ...options, checkpointSeconds: 1e-9 },
      {
        validate: validator(learner),
        onStep: ({ step }) => {
          if (step !== 5) return;
          // A file in place of the folder: nothing can be written into it, by root neither.
          renameSync(folder.checkpoints, `${folder.checkpoints}-aside`);
          writeFileSync(folder.checkpoints, '');
        },
      },
    ),
    { code: 'file', message: /checkpoints[\s\S]*nothing that was saved is lost: --resume goes on/ },
  );
  rmSync(folder.checkpoints);
  renameSync(`${folder.checkpoints}-aside`, folder.checkpoints);
  assert.deepEqual(await resume(sasrec, folder), wanted);
});

test('too high a learning rate ends the run with step, examples and cause, and saves nothing that is not finite', async () => {
  for (const learningRate of [1e25, 1e37]) {
    const folder = newFolder();
    const wild = new SequenceLearner(tinySasrec({ blocks: 1 }), sequences, {
      learningRate,
      weightDecay: 0,
      loss: 'bce',
    });
    await assert.rejects(
      train(wild, folder, { ...options, warmupShare: 0, checkpointSeconds: 1e-9 }),
      {
        code: 'training',
        message:
          /at step \d+ \(examples [\d, ]+\)[\s\S]*learning rate is too high|after step \d+[\s\S]*learning rate is too high/,
      },
    );
    for (const name of readdirSync(folder.checkpoints))
      for (const file of ['model.safetensors', 'optimizer.safetensors'])
        for (const [key, tensor] of loadTensors(join(folder.checkpoints, name, file)).tensors)
          assert.ok(tensor.toNumbers().every(Number.isFinite), `${name} ${key}`);
  }
});

test('resuming a finished run changes nothing', async () => {
  const folder = newFolder();
  const wanted = await resume(sasrec, folder);
  assert.deepEqual(await resume(sasrec, folder), wanted);
});

test('the learner ends with the best weights, of the step the summary names', async () => {
  const folder = newFolder();
  const learner = sasrec();
  const scores = [0.1, 0.5, 0.3, 0.5, 0.2, 0.4];
  const seen: number[][] = [];
  const summary = await train(learner, folder, options, {
    validate: async () => {
      seen.push(learner.state().values().next().value?.toNumbers() ?? []);
      return { score: scores[seen.length - 1]!, metrics: {} };
    },
  });
  assert.equal(seen.length, 6);
  assert.deepEqual([summary.bestStep, summary.bestScore], [4, 0.5]);
  assert.deepEqual(learner.state().values().next().value?.toNumbers(), seen[1]);
});

test('patience stops after so many validations without a best, and a resumed run stays stopped', async () => {
  const folder = newFolder();
  const run = async (): Promise<[TrainingSummary, number]> => {
    const learner = sasrec();
    let validations = 0;
    const summary = await train(
      learner,
      folder,
      { ...options, patience: 2 },
      { validate: async () => ({ score: -++validations, metrics: {} }) },
    );
    return [summary, validations];
  };
  const [summary, validations] = await run();
  assert.deepEqual([summary.steps, summary.bestStep, validations], [6, 2, 3]);
  const [again, none] = await run();
  assert.deepEqual([again.steps, again.bestStep, none], [6, 2, 0]);
});

test('averaged weights are what is validated and kept, and training goes on from the others', async () => {
  const averaging = { ...options, averaging: 0.9 };
  const sumOf = (learner: Learner): number =>
    [...learner.state().values()].flatMap((tensor) => tensor.toNumbers()).reduce((a, b) => a + b);
  const follow = async (how: typeof averaging | typeof options) => {
    const learner = sasrec();
    const validated: number[] = [];
    const trained: number[] = [];
    await train(learner, newFolder(), how, {
      validate: async () => {
        validated.push(sumOf(learner));
        return { score: validated.length, metrics: {} };
      },
      onStep: () => void trained.push(sumOf(learner)),
    });
    return { validated, trained, last: sumOf(learner) };
  };
  const [plain, averaged] = [await follow(options), await follow(averaging)];
  assert.deepEqual(averaged.trained, plain.trained);
  assert.notDeepEqual(averaged.validated, plain.validated);
  assert.equal(averaged.last, averaged.validated.at(-1));
});

test('without validation the last weights are the best', async () => {
  const folder = newFolder();
  const learner = sasrec();
  const summary = await train(learner, folder, options);
  assert.deepEqual([summary.steps, summary.bestStep, summary.bestScore], [STEPS, STEPS, undefined]);
  assert.ok(existsSync(folder.best));
  assert.ok(Number.isFinite(summary.finalLoss));
});

test('a loss that is not finite is a training error; the state before the step is saved', async () => {
  const folder = newFolder();
  const learner = sasrec();
  const loss = learner.loss.bind(learner);
  let before: number[] = [];
  learner.loss = (examples, position) => {
    if (position.step !== 3) return loss(examples, position);
    before = learner.state().values().next().value?.toNumbers() ?? [];
    return mul(loss(examples, position), Number.NaN);
  };
  await assert.rejects(train(learner, folder, options), {
    code: 'training',
    message:
      /^training: expected a finite loss, got NaN at step 4 \(examples [\d, ]+\) — the state/,
  });
  assert.deepEqual(readdirSync(folder.checkpoints), ['step-00000003']);
  assert.deepEqual(learner.state().values().next().value?.toNumbers(), before);
  const after = sasrec();
  const summary = await train(after, folder, options);
  assert.equal(summary.steps, STEPS);
});

test('a gradient that is not finite is a training error too', async () => {
  const learner = sasrec();
  const loss = learner.loss.bind(learner);
  learner.loss = (examples, position) => {
    const [weight] = learner.parameterGroups()[0]!.parameters.values();
    weight!.setGrad(full(weight!.shape, Number.POSITIVE_INFINITY));
    return loss(examples, position);
  };
  await assert.rejects(train(learner, newFolder(), options), {
    code: 'training',
    message: /expected a finite gradient norm, got Infinity at step 1/,
  });
});

test('a checkpoint of another model is refused with every misfit', async () => {
  const folder = newFolder();
  await train(sasrec(), folder, options);
  const other = new SequenceLearner(tinySasrec({ blocks: 2, catalogSize: 13 }), sequences, {
    learningRate: 0.01,
    weightDecay: 0,
    loss: 'bce',
  });
  await assert.rejects(train(other, folder, options), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'format');
    assert.match(error.message, /model\.safetensors: \d+ problems/);
    assert.match(error.message, /items\.weight: expected shape \[14, 8\], got \[13, 8\]/);
    assert.match(
      error.message,
      /blocks\.1\.query\.weight: expected a tensor \[8, 8\], got nothing/,
    );
    return true;
  });
});

test('the loss falls, and every example is seen once per pass', async () => {
  const learner = sasrec();
  const seen: number[] = [];
  const loss = learner.loss.bind(learner);
  learner.loss = (examples, position) => {
    seen.push(...examples);
    return loss(examples, position);
  };
  const losses: number[] = [];
  await train(
    learner,
    newFolder(),
    { ...options, batchSize: learner.examples, totalExamples: 60 * learner.examples },
    { onStep: (report) => losses.push(report.loss) },
  );
  const all = Array.from({ length: learner.examples }, (_, i) => i);
  for (let pass = 0; pass < 60; pass++)
    assert.deepEqual(
      seen.slice(pass * all.length, (pass + 1) * all.length).sort((a, b) => a - b),
      all.map((row) => row + pass * all.length),
    );
  const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;
  assert.ok(mean(losses.slice(-10)) < 0.8 * mean(losses.slice(0, 10)), `${losses}`);
});

test('a run leaves no tensor behind but its model and moments', async () => {
  const learner = sasrec();
  await train(learner, newFolder(), options, { validate: validator(learner) });
  const folder = newFolder();
  // The moments of the optimizer go with it: two per parameter, collected, not leaked.
  const parameters = learner.parameterGroups()[0]!.parameters.size;
  await leaksNothing(
    async () => {
      for (let i = 0; i < 3; i++) {
        const inner = new RunFolder(join(folder.path, String(i)));
        mkdirSync(inner.checkpoints, { recursive: true });
        await train(learner, inner, { ...options, totalExamples: 120 });
      }
    },
    3 * 2 * parameters,
  );
});

test('a copied run folder resumes like the one it was copied from', async () => {
  const first = newFolder();
  const learner = sasrec();
  const controller = new AbortController();
  await assert.rejects(
    train(learner, first, options, {
      signal: controller.signal,
      validate: validator(learner),
      onStep: ({ step }) => {
        if (step === 5) controller.abort();
      },
    }),
    AbortError,
  );
  const second = newFolder();
  cpSync(first.path, second.path, { recursive: true });
  assert.deepEqual(await resume(sasrec, second), await resume(sasrec, first));
});
