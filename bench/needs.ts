/**
 * What the benchmarks need beside the package: a dataset folder, a base, a Python with the peers' packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Need, ROOT } from '../harness/index.js';
import { resolveModel } from '../src/cli/model.js';

/** Where the things are looked for. */
export interface Places {
  data: string;
  base: string;
  /** Another Python than that of the peers' folder. */
  python?: string;
}

export const DEFAULT_PLACES = { data: 'runs/movielens/data', base: 'smollm2-135m' } as const;

/** Programs that a benchmark is compared with. */
export interface Peers {
  modules: string;
  /** Folder in bench where their packages are installed. */
  venv: string;
  /** Arguments of pip, one list per call. */
  installs: readonly (readonly string[])[];
}

const requirements = (file: string): readonly string[] => ['-r', join('bench', 'peers', file)];

export const PYTORCH: Peers = {
  modules: 'torch, transformers, peft, safetensors',
  venv: '.venv',
  installs: [requirements('requirements.txt')],
};
export const RECBOLE: Peers = {
  modules: 'torch, recbole',
  venv: '.venv-recbole',
  // Without what it asks for: bench/peers/recbole-requirements.txt says why.
  installs: [requirements('recbole-requirements.txt'), ['--no-deps', 'recbole==1.2.1']],
};

/** The dataset folder; MovieLens can be pulled. */
export function dataNeed({ data }: Places): Need {
  return {
    fault: () =>
      existsSync(join(data, 'manifest.json'))
        ? undefined
        : `${data}: expected a dataset folder, got none`,
    steps: [['npx', 'ilora', 'data', 'pull', 'movielens-100k', '--out', data]],
  };
}

/** The base; one that is known by name can be pulled. */
export function baseNeed({ base }: Places): Need {
  const isName = /^[\w.-]+$/.test(base) && !existsSync(base);
  return {
    fault: () => {
      try {
        resolveModel(base);
        return undefined;
      } catch (error) {
        // Without its hint: one command gets all that is missing.
        return (error as Error).message.split(/ — |\n/)[0];
      }
    },
    steps: isName ? [['npx', 'ilora', 'model', 'pull', base]] : [],
  };
}

/** A Python with the peers' packages; that of the folder in bench can be made. */
export function peersNeed(places: Places, { modules, venv, installs }: Peers): Need {
  const python = peersPython(places, { venv });
  const own = join('bench', venv, 'bin', 'python');
  return {
    fault: () =>
      spawnSync(python, ['-c', `import ${modules}`]).status === 0
        ? undefined
        : `${places.python ?? relative(ROOT, python)}: expected a Python with ${modules}, got none`,
    steps:
      places.python === undefined
        ? [
            ['python3', '-m', 'venv', join('bench', venv)],
            ...installs.map((words) => [own, '-m', 'pip', 'install', ...words]),
          ]
        : [],
  };
}

/** The Python that runs the peers. */
export const peersPython = ({ python }: Pick<Places, 'python'>, { venv }: Pick<Peers, 'venv'>) =>
  python ?? join(ROOT, 'bench', venv, 'bin', 'python');

/** The one command that makes what is missing at these places. */
export function remedy({ data, base }: Places, peers?: Peers): string {
  const flags = [
    ...(data === DEFAULT_PLACES.data ? [] : ['--data', data]),
    ...(base === DEFAULT_PLACES.base ? [] : ['--base', base]),
    ...(peers === RECBOLE ? ['--recbole'] : []),
  ];
  return `npm run bench:setup${flags.length > 0 ? ` -- ${flags.join(' ')}` : ''}`;
}
