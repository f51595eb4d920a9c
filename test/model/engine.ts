/**
 * The machines that the checker explores: the compiled ones, from a copy in which private fields have
 * public names, so that their state can be copied and compared. Nothing else of them is changed; a
 * test holds that both say the same to the same inputs.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY, withPlanted } from '../sim/build-engine.ts';
import type { Planted } from '../sim/patch.ts';

export interface Engine {
  readonly ConsensusMachine: typeof import('../../protocols/consensus/consensus.ts').ConsensusMachine;
  readonly VotingMachine: typeof import('../../protocols/voting/voting.ts').VotingMachine;
  readonly structures: typeof import('../../protocols/structures.ts');
}

export async function loadMachines(root = join(REPOSITORY, 'dist')): Promise<Engine> {
  const load = async <T>(path: string): Promise<T> =>
    (await import(pathToFileURL(join(root, 'protocols', path)).href)) as T;
  const [consensus, voting, structures] = await Promise.all([
    load<typeof import('../../protocols/consensus/consensus.ts')>('consensus/consensus.js'),
    load<typeof import('../../protocols/voting/voting.ts')>('voting/voting.js'),
    load<typeof import('../../protocols/structures.ts')>('structures.js'),
  ]);
  const { ConsensusMachine } = consensus;
  const { VotingMachine } = voting;
  return { ConsensusMachine, VotingMachine, structures };
}

/** What a private field is called in the copy. */
export const OPENED = 'opened_';

/** The compiled machines below `root` with their private fields opened. */
async function loadOpened(root: string): Promise<Engine> {
  const copy = mkdtempSync(join(tmpdir(), 'althing-model-'));
  try {
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
    symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
    cpSync(join(root, 'protocols'), join(copy, 'protocols'), {
      recursive: true,
      filter: (path) => {
        if (path.endsWith('.js')) open(path, path.replace(root, copy));
        return !/\.\w+$/.test(path);
      },
    });
    return await loadMachines(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function open(from: string, to: string): void {
  writeFileSync(to, readFileSync(from, 'utf8').replaceAll(/#(?=[a-z]\w*)/g, OPENED));
}

/** The machines with this bug in them, or without any. */
export function withMachines<T>(
  planted: Planted | null,
  use: (opened: Engine, closed: Engine) => Promise<T>,
): Promise<T> {
  const at = async (root: string): Promise<T> =>
    use(await loadOpened(root), await loadMachines(root));
  return planted === null ? at(join(REPOSITORY, 'dist')) : withPlanted(planted, at);
}
