/** An upgrade that validators have withdrawn, on nodes that have its module and on nodes that lack it. */
import test from 'ava';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { InvariantViolation } from '../../protocols/machine.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import type { Digest } from '../../protocols/types.ts';
import { programs } from '../../src/modules/programs/programs.ts';
import { Chain, clusterOf, nodes as validators, receiptsOf, signed } from './fixture.ts';
import { scratch } from './modules.ts';

const HEIGHT = 20;
const second: Module = {
  ...scratch,
  version: 2,
  digest: 'cd'.repeat(32) as Digest,
  commands: new Map([
    ...scratch.commands,
    ['added', { name: 'added', check: () => true, run: () => 'by version 2' }],
  ]),
};
const { name, version, digest } = second;
const upgrade = { name, version, digest, height: HEIGHT };

function chainOf(available: readonly Module[]): Chain {
  const cluster = clusterOf({ ...DEFAULT_LIMITS, checkpointInterval: 4 });
  const first = [scratch, programs].map(({ name, version, digest }) => ({ name, version, digest }));
  return new Chain({ ...cluster, genesis: { ...cluster.genesis, programs: first } }, available);
}

const put = (key: string) => ({ module: 'scratch', command: 'put', args: { key, value: key } });
const added = signed(0, [{ module: 'scratch', command: 'added', args: null }]);
const said = (command: 'approve' | 'withdraw', seq: number, by: number) =>
  signed(seq, [{ module: 'programs', command, args: upgrade }], { signer: validators[by]! });

/** What the blocks hold, by height: a quorum approves, and `votes` of another withdraw. */
function blocks(withdrawnAt: number, votes = 3): Map<number, Uint8Array[]> {
  const withdrawals = [1, 2, 3].slice(0, votes).map((by) => said('withdraw', by === 3 ? 0 : 1, by));
  return new Map([
    [2, [0, 1, 2].map((by) => said('approve', 0, by))],
    [withdrawnAt, withdrawals],
  ]);
}

/** Executes up to `last`; the receipts of all blocks, and the checkpoints. */
function run(chain: Chain, all: ReadonlyMap<number, Uint8Array[]>, last = HEIGHT + 4) {
  const results = [];
  while (chain.executor.height < last) {
    const height = chain.executor.height + 1;
    const calls = [...(all.get(height) ?? []), ...(height === HEIGHT ? [added] : [])];
    results.push(chain.run(...calls));
  }
  return results;
}
const rootsOf = (results: ReturnType<typeof run>) =>
  results.map(({ receiptsRoot, checkpoint }) => [receiptsRoot, checkpoint?.stateRoot]);

const HAVING = [scratch, second, programs];
const LACKING = [scratch, programs];

test('I134: what is withdrawn takes place nowhere, and nodes that lack the module go on', (t) => {
  // In the last block in which it may be.
  const all = blocks(HEIGHT - 1);
  const having = chainOf(HAVING);
  const lacking = chainOf(LACKING);
  const results = run(having, all);
  t.deepEqual(rootsOf(run(lacking, all)), rootsOf(results));
  t.is(having.root(), lacking.root());
  for (const { executor } of [having, lacking]) {
    t.is(executor.programs.named('scratch')!.version, 1);
    t.deepEqual(
      executor.programs.inForce.map((each) => each.version),
      [1, 1],
    );
  }
  const [receipt] = receiptsOf(results[HEIGHT - 1]!);
  t.is(receipt!.error?.code, 'unknown_command');
  t.is(receiptsOf(lacking.run(signed(1, [put('a')])))[0]!.status, 'ok');
});

test('I134: fewer than a quorum of withdrawals, or one that comes with its height, changes nothing', (t) => {
  const few = blocks(HEIGHT - 1, 2);
  // The third comes in the block that the upgrade begins.
  const late = new Map([...few, [HEIGHT, [said('withdraw', 0, 3)]]]);
  for (const all of [few, late, blocks(HEIGHT)]) {
    const having = chainOf(HAVING);
    const results = run(having, all);
    t.is(having.executor.programs.named('scratch')!.version, 2);
    const lastOf20 = receiptsOf(results[HEIGHT - 1]!).at(-1);
    t.is(lastOf20!.result, 'by version 2');
    const lacking = chainOf(LACKING);
    const error = t.throws(() => run(lacking, all), { instanceOf: InvariantViolation });
    t.is(error.code, 'program_missing');
    t.regex(error.message, new RegExp(`from height 20 .*version 2 of module scratch.*${digest}`));
    t.is(lacking.executor.height, HEIGHT - 1);
  }
});

test('I134: a node that was given the module after it had stopped comes to the same', (t) => {
  const all = blocks(HEIGHT - 1, 2);
  t.throws(() => run(chainOf(LACKING), all));
  const [one, other] = [chainOf(HAVING), chainOf([...HAVING].toReversed())];
  t.deepEqual(rootsOf(run(one, all)), rootsOf(run(other, all)));
});

test('I120: a node says which of the upgrades to come it lacks, until they are withdrawn or here', (t) => {
  const all = blocks(HEIGHT - 4);
  const lacking = chainOf(LACKING);
  const having = chainOf(HAVING);
  const missing = ({ executor }: Chain) => executor.programs.missingAbove(executor.height);
  t.deepEqual(missing(lacking), []);
  run(lacking, all, 2);
  run(having, all, 2);
  t.deepEqual(missing(lacking), [upgrade]);
  t.deepEqual(missing(having), []);
  run(lacking, all, HEIGHT - 5);
  t.deepEqual(missing(lacking), [upgrade]);
  run(lacking, all, HEIGHT - 4);
  t.deepEqual(missing(lacking), []);
});
