/** `ilora setup`: its plan, and the installation of a wheel with a stand-in for pip. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installWheel, WHEEL_VERSION } from '../../../src/cli/setup-wheel.js';
import { installCommand, type System } from '../../../src/cli/system.js';
import { zipOf } from '../../support/zip.js';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'setup-'));
after(() => rmSync(folder, { recursive: true }));
const system: System = { family: 'debian', name: 'Debian', isRoot: true, glibc: '2.36' };

function setup(args: readonly string[], env: NodeJS.ProcessEnv) {
  const program = ['--import', 'tsx', join(root, 'src', 'cli', 'main.ts'), 'setup', ...args];
  return spawnSync(process.execPath, program, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, LIBTORCH: '', ...env },
  });
}

test('a dry run says what would be done with size and licence, and does nothing', () => {
  const cache = join(folder, 'dry');
  const { status, stdout, stderr } = setup(['--dry-run', '--force', '--json'], {
    ILORA_CACHE: cache,
  });
  assert.equal(status, 0, stderr);
  const { steps } = JSON.parse(stdout) as { steps: { what: string; text: string }[] };
  const wheel = steps.find(({ what }) => what === 'wheel');
  assert.match(wheel?.text ?? '', /\d+ MB.*licence BSD-3-Clause/);
  assert.match(stderr, /^will download PyTorch/m);
  assert.equal(existsSync(cache), false);
});

test('nobody to ask and no --yes is wrong usage', () => {
  const { status, stderr } = setup(['--force'], { ILORA_CACHE: join(folder, 'ask') });
  assert.equal(status, 2);
  assert.match(stderr, /ilora setup: expected --yes where nobody can be asked/);
});

test('installing behind a LIBTORCH that hides it is wrong usage', () => {
  const { status, stderr } = setup(['--yes', '--force'], { LIBTORCH: join(folder, 'other') });
  assert.equal(status, 2);
  assert.match(stderr, /expected LIBTORCH to be unset/);
});

test('commands fit the system and the user', () => {
  assert.equal(installCommand('compiler', system), 'apt-get install -y g++');
  assert.equal(
    installCommand('compiler', { ...system, isRoot: false }),
    'sudo apt-get install -y g++',
  );
  assert.equal(
    installCommand('pip', { family: 'fedora', name: 'Fedora', isRoot: false }),
    'sudo dnf install -y python3-pip',
  );
  assert.equal(
    installCommand('compiler', { family: 'macos', name: 'macOS', isRoot: false }),
    'xcode-select --install',
  );
});

// The stand-in answers for pip with wheels made here and for the loader with a list of what is
// missing; everything else goes to Python.
const STAND_IN = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  *sys.executable*) echo "$0"; exit 0 ;;
  *"pip download"*)
    while [ "$1" != -d ]; do shift; done
    mkdir -p "$2"
    for last in "$@"; do :; done
    echo "$last" >> "$here/asked"
    [ -e "$here/broken" ] && exit 1
    [ -e "$here/slow" ] && exec sleep 60
    cp "$here/wheels/$(echo "$last" | sed 's/[=<>].*//')".whl "$2"
    exit 0 ;;
  *ctypes*)
    for library in libcupti.so.13 libcudart.so.13; do
      found=$(find "$(dirname "$3")/../../nvidia" -name "$library" 2>/dev/null)
      if [ -z "$found" ]; then
        echo "OSError: $library: cannot open shared object file: No such file or directory" >&2
        exit 1
      fi
    done
    exit 0 ;;
esac
exec python3 "$@"
`;

const WHEELS: Record<string, string[]> = {
  torch: [
    'torch/lib/libtorch_cpu.so',
    'torch/lib/libc10.so',
    'torch/lib/libgomp.so.1',
    'torch/lib/libtorch_cuda.so',
    'torch/lib/libtorch_python.so',
    'torch/include/ATen/Context.h',
    'torch/nn/functional.py',
    'torch/bin/protoc',
    'torch/version.py',
    `torch-${WHEEL_VERSION}.dist-info/METADATA`,
    `torch-${WHEEL_VERSION}.dist-info/licenses/LICENSE`,
  ],
  'nvidia-cuda-cupti': ['nvidia/cu13/lib/libcupti.so.13', 'nvidia/cu13/lib/libnvperf_host.so'],
  'nvidia-cuda-runtime': ['nvidia/cu13/lib/libcudart.so.13', 'nvidia/cu13/include/cuda.h'],
};

/** A Python whose pip has the wheels above. */
function standIn(): { python: string; folder: string; cacheDir: string } {
  const place = mkdtempSync(join(folder, 'python-'));
  const python = join(place, 'python');
  writeFileSync(python, STAND_IN);
  chmodSync(python, 0o755);
  mkdirSync(join(place, 'wheels'));
  const program =
    'import json, sys, zipfile\n' +
    'for name, files in json.loads(sys.argv[2]).items():\n' +
    '    with zipfile.ZipFile(f"{sys.argv[1]}/{name}.whl", "w") as wheel:\n' +
    '        for file in files: wheel.writestr(file, file)\n';
  const { status } = spawnSync('python3', [
    '-c',
    program,
    join(place, 'wheels'),
    JSON.stringify(WHEELS),
  ]);
  assert.equal(status, 0);
  return { python, folder: place, cacheDir: join(place, 'cache') };
}

const skip = process.platform !== 'linux' && 'the stand-in plays a Linux wheel';

function install(place: ReturnType<typeof standIn>, signal = new AbortController().signal) {
  const environment = { python: place.python, compiler: 'c++', cacheDir: place.cacheDir };
  return installWheel({ environment, system, cuda: false, signal, say: () => undefined });
}

test('a wheel is unpacked without Python, CUDA and what else the CPU does not need', {
  skip,
}, async () => {
  const place = standIn();
  const { folder: target, downloadBytes } = await install(place);
  assert.equal(target, join(place.cacheDir, 'libtorch', WHEEL_VERSION));
  const files = readdirSync(target, { recursive: true, encoding: 'utf8' });
  const kept = files.filter((name) => /\.(so(\.\d+)?|h|py)$|LICENSE$/.test(name)).sort();
  assert.deepEqual(kept, [
    'nvidia/cu13/lib/libcudart.so.13',
    'nvidia/cu13/lib/libcupti.so.13',
    `torch-${WHEEL_VERSION}.dist-info/licenses/LICENSE`,
    'torch/include/ATen/Context.h',
    'torch/lib/libc10.so',
    'torch/lib/libgomp.so.1',
    'torch/lib/libtorch_cpu.so',
    'torch/version.py',
  ]);
  const asked = readFileSync(join(place.folder, 'asked'), 'utf8').trim().split('\n');
  assert.deepEqual(asked, [
    `torch==${WHEEL_VERSION}`,
    'nvidia-cuda-cupti>=13,<14',
    'nvidia-cuda-runtime>=13,<14',
  ]);
  const facts = JSON.parse(readFileSync(join(target, 'setup.json'), 'utf8'));
  assert.equal(facts.downloadBytes, downloadBytes);
  assert.deepEqual(readdirSync(join(place.cacheDir, 'libtorch')), [WHEEL_VERSION]);
});

test('what stood there is replaced, and leftovers of dead set-ups go', { skip }, async () => {
  const place = standIn();
  const libtorch = join(place.cacheDir, 'libtorch');
  mkdirSync(join(libtorch, WHEEL_VERSION), { recursive: true });
  writeFileSync(join(libtorch, WHEEL_VERSION, 'old'), '');
  const { pid } = spawnSync('true');
  mkdirSync(join(libtorch, `.partial-${pid}`));
  await install(place);
  assert.deepEqual(readdirSync(libtorch), [WHEEL_VERSION]);
  assert.equal(existsSync(join(libtorch, WHEEL_VERSION, 'old')), false);
});

test('a download that fails leaves what stood there and nothing else', { skip }, async () => {
  const place = standIn();
  const libtorch = join(place.cacheDir, 'libtorch');
  mkdirSync(join(libtorch, WHEEL_VERSION), { recursive: true });
  writeFileSync(join(libtorch, WHEEL_VERSION, 'old'), '');
  writeFileSync(join(place.folder, 'broken'), '');
  await assert.rejects(install(place), {
    code: 'setup',
    message: /expected to download torch==.*, got .*exit code 1.* set LIBTORCH/,
  });
  assert.deepEqual(readdirSync(libtorch), [WHEEL_VERSION]);
  assert.equal(existsSync(join(libtorch, WHEEL_VERSION, 'old')), true);
});

test('a wheel that would write beside its folder is refused', { skip }, async () => {
  const place = standIn();
  const wheel = zipOf({ name: 'torch/lib/../../../outside.so', content: '' });
  writeFileSync(join(place.folder, 'wheels', 'torch.whl'), wheel);
  await assert.rejects(install(place), { code: 'format', message: /torch\.whl: .*relative path/ });
  assert.deepEqual(readdirSync(join(place.cacheDir, 'libtorch')), []);
});

test('stopping it ends the download and leaves nothing', { skip }, async () => {
  const place = standIn();
  writeFileSync(join(place.folder, 'slow'), '');
  const controller = new AbortController();
  const installing = install(place, controller.signal);
  const rejected = assert.rejects(installing, { code: 'aborted' });
  while (!existsSync(join(place.folder, 'asked')))
    await new Promise((wake) => setTimeout(wake, 20));
  controller.abort();
  await rejected;
  assert.deepEqual(readdirSync(join(place.cacheDir, 'libtorch')), []);
});
