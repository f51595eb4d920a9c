/** Approving and withdrawing upgrades, with the keys of validators, and who lacks what. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { clusterFiles, nodeFiles } from '../../src/init/layout.ts';
import { validatorPems } from '../http/test-node.ts';
import { RAFFLE } from '../user-modules/files.ts';
import { between, serve, type Serving } from './serving.ts';

interface Cluster extends Serving {
  /** `althing module …` with the keys of all validators, or of those that are named. */
  module(words: readonly string[], flags?: readonly string[]): ReturnType<Serving['run']>;
  list(): Promise<Listed>;
}

interface Listed {
  readonly upgrades: readonly {
    readonly outcome: string;
    readonly withdrawals: readonly string[];
    readonly missingAt?: readonly string[];
  }[];
  readonly proposals: readonly { readonly approvals: readonly string[] }[];
  readonly silent: readonly string[];
}

async function start(t: ExecutionContext): Promise<Cluster> {
  const serving = await serve(t);
  const data = join(serving.folder, 'data');
  for (const [at, pem] of validatorPems.entries()) {
    const folder = join(data, `validator-${at + 1}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(nodeFiles(folder).key, pem, { mode: 0o600 });
  }
  copyFileSync(serving.genesis, clusterFiles(data).genesis);
  const module: Cluster['module'] = (words, flags = []) =>
    serving.run(['module', ...words, '--url', serving.url, ...flags]);
  const list = async () => JSON.parse((await module(['list', '--json'])).stdout) as Listed;
  return { ...serving, module, list };
}
const only = (validator: number): string[] => ['--id', `validator-${validator}`];
const approving = ['approve', RAFFLE, '--at', '40'];
const withdrawing = ['withdraw', 'raffle', '--at', '40'];
const parsed = (text: string) => JSON.parse(text) as object;

test('a quorum withdraws what it has approved, and the node that lacks it is named until then', async (t) => {
  const { module, list } = await start(t);
  const approved = await module(approving);
  t.is(approved.code, 0, approved.stderr);
  t.regex(approved.stdout, /Warning: validator-1 will stop at height 40.*\n.*module add .*raffle/);
  t.like(await list(), { upgrades: [{ outcome: 'waiting', missingAt: ['validator-1'] }] });
  t.regex((await module(['list'])).stdout, /40 {2}raffle 1 .* waiting, missing at validator-1\n$/);

  const one = await module([...withdrawing, '--json'], only(2));
  t.is(one.code, 0, one.stderr);
  t.deepEqual(parsed(one.stdout), {
    name: 'raffle',
    height: 40,
    outcome: 'opposed',
    votes: [{ id: 'validator-2', status: 'withdrawn' }],
  });
  t.regex((await module(['list'])).stdout, /waiting, 1 for withdrawing it, missing at validator-1/);
  t.regex((await module(withdrawing, only(2))).stdout, /takes place unless a quorum withdraws it/);

  const all = await module(withdrawing);
  t.is(all.code, 0, all.stdout + all.stderr);
  t.regex(
    all.stdout,
    /^raffle at height 40: a quorum has withdrawn it\n {2}validator-1: withdrawn/,
  );
  t.deepEqual(await list(), { upgrades: [], proposals: [], silent: [] });
});

test('who approves what a quorum has committed is told so, and another program is refused there', async (t) => {
  const { module, folder } = await start(t);
  for (const validator of [1, 2, 3]) {
    const { code, stderr } = await module(approving, only(validator));
    t.is(code, 0, stderr);
  }
  const late = await module([...approving, '--json'], only(4));
  t.is(late.code, 0, late.stderr);
  t.like(parsed(late.stdout), {
    approvals: [{ id: 'validator-4', status: 'approved', reason: '(it is committed)' }],
  });
  const changed = join(folder, 'raffle.ts');
  writeFileSync(changed, `${readFileSync(RAFFLE, 'utf8')}\n// Another program.\n`);
  const refused = await module(['approve', changed, '--at', '40', '--json'], only(4));
  t.is(refused.code, 1, refused.stderr);
  const said = parsed(refused.stdout) as { approvals: readonly { readonly reason: string }[] };
  t.regex(said.approvals[0]!.reason, /^height_taken: /);
});

test('a validator takes back what is not committed yet, and nobody else can', async (t) => {
  const { module, list } = await start(t);
  const approved = await module([...approving, '--json'], only(1));
  t.like(parsed(approved.stdout), { missingAt: ['validator-1'], silent: [] });
  const other = await module(withdrawing, only(2));
  t.is(other.code, 2);
  t.regex(
    other.stderr,
    /no upgrade of raffle at height 40 .* approved by validator-2.*module list/,
  );
  const own = await module(withdrawing);
  t.is(own.code, 0, own.stderr);
  t.regex(own.stdout, /no quorum has approved it\n {2}validator-1: withdrawn\n$/);
  t.deepEqual((await list()).proposals, []);
});

test('what cannot be is said before anything is sent', async (t) => {
  const { module, port, folder } = await start(t);
  mkdirSync(join(folder, 'other', 'validator-1'), { recursive: true });
  writeFileSync(join(folder, nodeFiles('other/validator-1').key), 'SECRET');
  const cases: readonly (readonly [readonly string[], readonly string[], RegExp])[] = [
    [['withdraw', 'raffle'], [], /--at/],
    [['withdraw', '--at', '40'], [], /name/],
    [['withdraw', 'raffle', '--at', '+40'], [], /--at takes the height of the upgrade/],
    [['withdraw', 'raffle', '--at', '0'], [], /--at takes the height of the upgrade/],
    [withdrawing, ['--id', 'nobody'], /nobody has no key of a validator/],
    [withdrawing, ['--data', 'other'], /^althing: other\/validator-1\/\S+: not a private key/],
    [withdrawing, [], /no upgrade of raffle at height 40 is committed/],
  ];
  for (const [words, flags, said] of cases) {
    const { code, stderr } = await module(words, flags);
    t.is(code, 2, stderr);
    t.regex(stderr, said);
    t.notRegex(stderr, /SECRET/);
  }
  t.is(port.submitted, 0);
});

test('from its height on an upgrade is withdrawn no more', async (t) => {
  const { module, url } = await start(t);
  // A module that the node has, at a height that comes.
  const late = { height: 20, name: 'kv', version: 1, digest: '' };
  const clients = await Promise.all(
    validatorPems.map((pem) => connect({ urls: [url], signer: signerFromPem(pem) })),
  );
  for (const client of clients.slice(1)) {
    t.is((await client.call('programs', 'approve', late)).error, undefined);
  }
  for (let height = 4; height <= late.height; height++) {
    await clients[0]!.call('kv', 'set', { namespace: 'n', key: `${height}`, value: height });
  }
  const refused = await module(['withdraw', 'kv', '--at', '20', '--json'], only(1));
  t.is(refused.code, 1, refused.stderr);
  const said = JSON.parse(refused.stdout) as { votes: readonly { readonly reason: string }[] };
  t.like(said, { outcome: 'refused', votes: [{ id: 'validator-1', status: 'refused' }] });
  t.regex(said.votes[0]!.reason, /^too_late: the height of this upgrade has come/);
});

test('a height that is too near is told with what to say instead, and nobody is warned of it', async (t) => {
  const { module } = await start(t);
  const near = await module(['approve', RAFFLE, '--at', '5'], only(1));
  t.is(near.code, 1, near.stderr);
  t.regex(near.stdout, /validator-1: refused height_passed: .*: use --at \+50 or more\n$/);
  t.notRegex(near.stdout, /Warning/);
});

test('whoever comes too late to withdraw has changed nothing, which is told and ends with 1', async (t) => {
  const { module, url, run } = await start(t);
  await module(approving, only(1));
  const proposals = '/api/v11/programs/proposals';
  const headers = { accept: 'application/msgpack' };
  const before = await (await fetch(`${url}${proposals}`, { headers })).arrayBuffer();
  t.is((await module(withdrawing, only(1))).code, 0);
  const behind = await between(t, url, (asked, answer, pass) => {
    if (asked.url !== proposals) return pass();
    answer.end(Buffer.from(before));
  });
  const late = await run(['module', ...withdrawing, ...only(1)], { ALTHING_URL: behind });
  t.is(late.code, 1, late.stderr + late.stdout);
  t.regex(late.stdout, /nothing has changed\n.*there is nothing left to withdraw/);
});

test('with the genesis document a list is told as what is proved of it', async (t) => {
  const { run, genesis } = await start(t);
  const { code, stdout, stderr } = await run(['module', 'list', '--json', '--genesis', genesis]);
  t.is(code, 0, stderr);
  t.like(parsed(stdout), { verified: true, complete: false, upgrades: [], proposals: [] });
  t.regex(stderr, /^verified, as of height \d+; of a list it is proved what it has, and not/);
});

test('a node that says nothing of use of what it can run is named as such', async (t) => {
  const { run, module, url } = await start(t);
  await module(approving, only(1));
  const status = (await (await fetch(`${url}/api/v11/consensus/status`)).json()) as object;
  const odd = await between(t, url, (asked, answer, pass) => {
    if (asked.url !== '/api/v11/consensus/status') return pass();
    answer.setHeader('content-type', 'application/json');
    const nodeId = 'node-9\n\u001b[2J';
    answer.end(JSON.stringify({ ...status, nodeId, availablePrograms: [null, 7] }));
  });
  const listed = await run(['module', 'list', '--url', `${url},${odd}`]);
  t.regex(
    listed.stdout,
    /1 approvals, missing at validator-1\nWhat node-9\?\?\[2J can run is not known\.\n$/,
    listed.stderr,
  );
});
