/** The bridge over a node that answers by HTTP, and a ledger outside that is a process of its own. */
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Client } from '../../src/client/client.ts';
import type { bridge } from '../../src/modules/bridge/bridge.ts';
import { newFolder } from '../folder.ts';
import { BINDINGS, start } from '../http/start.ts';
import { testCluster } from '../http/test-node.ts';
import { testSigner } from '../transaction/crypto.ts';
import { Attester, asset, Outside } from './outside.ts';

const signers = [21, 22, 23, 24, 25].map(testSigner);
const REQUIRED = 3;
const HOUR = 60 * 60 * 1000;
const name = ({ publicKey }: { readonly publicKey: string }): string => `key:${publicKey}`;

async function setUp(t: ExecutionContext) {
  const user = testSigner(2);
  const issuer = testSigner(1);
  const attesters = signers.map(name);
  const cluster = testCluster({
    ledger: {
      assets: [{ asset, issuers: [name(issuer)] }],
      accounts: [
        { account: 'user', owner: name(user), asset, balance: '500' },
        { account: 'liars', owner: name(signers[4]!), asset, balance: '0' },
      ],
    },
    bridge: { attesters, required: REQUIRED, assets: [asset] },
  });
  const { url } = await start(t, BINDINGS[0]!, { cluster });
  const connect = (signer: typeof user) =>
    Client.connect({ urls: [url], crypto: nodeCrypto, signer });
  const client = await connect(user);
  const crossing = client.module<typeof bridge>('bridge');
  const { result } = await crossing.send.enroll({ asset });
  const { reserveAccount } = (await crossing.ask.supply({ asset })).result;
  const bank = await connect(issuer);
  await bank.submit(
    [result.account, reserveAccount!].map((account) => ({
      module: 'ledger',
      command: 'issue',
      args: { account, amount: 500 },
    })),
  );
  const outside = new Outside(join(newFolder('bridge'), 'journal'), attesters, REQUIRED);
  await outside.start();
  t.teardown(() => outside.kill());
  const clients = await Promise.all(signers.map(connect));
  const all = clients.map((each) => new Attester(each, outside));
  const balance = async (account: string): Promise<number> => {
    const read = await client.query<{ balance: string }>('ledger', 'account', { account });
    return Number(read.result.balance);
  };
  const supply = async () => (await crossing.ask.supply({ asset })).result;
  const lock = async (amount: number, deadline = Date.now() + HOUR): Promise<string> =>
    (await crossing.send.lock({ asset, to: 'dave', amount, deadline })).result.transfer;
  const statusOf = async (transfer: string): Promise<string> =>
    (await crossing.ask.transfer({ transfer })).result.status;
  return { outside, attesters: all, clients, crossing, balance, supply, lock, statusOf };
}

async function tick(attesters: readonly Attester[]): Promise<void> {
  for (const attester of attesters) await attester.tick();
}

test('J1, J4: out and in, each once, however often the attesters say it', async (t) => {
  const side = await setUp(t);
  const honest = side.attesters.slice(0, 3);
  const out = await side.lock(100);
  const deadline = Date.now() + HOUR;
  await side.outside.lock({ id: 'tx-1', from: 'carol', to: 'user', amount: 70, deadline });
  for (let at = 0; at < 3; at++) await tick(honest);
  t.is(await side.statusOf(out), 'released');
  t.is(await side.balance('user'), 570);
  const { balances, decided } = await side.outside.books();
  t.deepEqual(balances, { vault: 970, carol: 230, dave: 100 });
  t.deepEqual(decided, { [out]: 'released', 'tx-1': 'released' });
  t.like(await side.supply(), { locked: '0', out: '100', in: '70' });
});

test('J1: the ledger outside may die at any time, and pays once', async (t) => {
  const side = await setUp(t);
  const [first, second, third] = side.attesters as [Attester, Attester, Attester];
  const restart = async (): Promise<void> => {
    await side.outside.kill();
    await side.outside.start();
  };
  const out = await side.lock(100);
  const deadline = Date.now() + HOUR;
  await side.outside.lock({ id: 'tx-1', from: 'carol', to: 'user', amount: 70, deadline });
  for (const attester of [first, second, third]) {
    await attester.tick();
    await restart();
  }
  t.is(await side.statusOf(out), 'released');
  await side.outside.kill();
  await t.throwsAsync(first.tick());
  await side.outside.start();
  for (const attester of [first, second, third, first]) {
    await attester.report();
    await restart();
  }
  t.deepEqual((await side.outside.books()).balances, { vault: 970, carol: 230, dave: 100 });
  t.is(await side.balance('user'), 570);
});

test('J2: attesters that lie on both sides take nothing and stop nothing', async (t) => {
  const side = await setUp(t);
  const deadline = Date.now() + HOUR;
  const out = await side.lock(100);
  await side.outside.lock({ id: 'tx-1', from: 'carol', to: 'user', amount: 70, deadline });
  for (const liar of side.clients.slice(3)) {
    const lies = liar.module<typeof bridge>('bridge');
    const said = { asset, to: 'liars', amount: 400, deadline };
    await lies.send.attestIn({ outsideId: 'tx-1', ...said });
    await lies.send.attestIn({ outsideId: 'never', ...said });
    await lies.send.attestIn({ outsideId: 'tx-1', ...said, amount: 1 });
    await lies.send.attestOut({ transfer: out, ...said });
    for (const status of ['released', 'refunded'] as const) {
      await side.outside.decide({ about: out, attester: liar.sender, status });
      await side.outside.decide({ about: 'tx-1', attester: liar.sender, status });
    }
  }
  t.deepEqual((await side.outside.books()).decided, {});
  for (let at = 0; at < 2; at++) await tick(side.attesters.slice(0, 3));
  t.is(await side.balance('liars'), 0);
  t.is(await side.balance('user'), 570);
  t.deepEqual((await side.outside.books()).balances, { vault: 970, carol: 230, dave: 100 });
  const { evidence } = (await side.crossing.ask.evidence({})).result;
  t.is(evidence.length, 4);
});

/** Locked until so many milliseconds from now, or longer where the machine takes that time to do it. */
async function lockedFor(
  side: Awaited<ReturnType<typeof setUp>>,
  forMs: number,
): Promise<{ readonly out: string; readonly deadline: number }> {
  const deadline = Date.now() + forMs;
  try {
    return { out: await side.lock(100, deadline), deadline };
  } catch (error) {
    if ((error as { code?: string }).code !== 'too_late') throw error;
    return lockedFor(side, 2 * forMs);
  }
}

test('J1: without enough attesters both sides give back', async (t) => {
  const side = await setUp(t);
  const { out, deadline } = await lockedFor(side, 4000);
  await side.outside.lock({ id: 'tx-1', from: 'carol', to: 'user', amount: 70, deadline });
  await tick(side.attesters.slice(0, 2));
  // Time passes here with blocks, and those come with submissions.
  while ((await side.statusOf(out)) === 'open') await side.crossing.send.enroll({ asset });
  await tick(side.attesters.slice(0, 3));
  t.is(await side.statusOf(out), 'refunded');
  t.is(await side.balance('user'), 500);
  t.like(await side.supply(), { locked: '0', out: '0', in: '0' });
  t.deepEqual((await side.outside.books()).balances, { vault: 1000, carol: 300 });
});
