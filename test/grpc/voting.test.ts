/** althing.v1.Voting: rounds opened, voted in and watched, on the module that runs. */
import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import { generateKey } from '../../src/crypto/keys.ts';
import { signerFromPem } from '../../src/crypto/signer.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { defineModule, event, type DefinedModule } from '../../src/modules/define.ts';
import { Type } from '../../src/module.ts';
import { signed } from '../http/posting.ts';
import { API_TOKEN, client } from '../http/test-node.ts';
import { bearer, start, TestClient, type Started } from './start.ts';
import { toldUntil, Watching } from './watching.ts';

interface Change {
  readonly id: string;
  readonly height: number;
  readonly transaction: string;
  readonly change: string;
  readonly [change: string]: unknown;
}

const token = bearer(API_TOKEN);
const voter = (key: string) => ({ voter: `key:${key}` });
const cast = (round: string, choice: string): Call => ({
  module: 'voting',
  command: 'cast',
  args: { round, choice },
});

const voting = (t: ExecutionContext, { address }: Started): TestClient =>
  new TestClient(t, address, 'althing.v1.Voting');
const watch = (
  t: ExecutionContext,
  started: Started,
  request: object,
  metadata?: Metadata,
): Watching<Change> =>
  new Watching(t, voting(t, started).answers<Change>('WatchRounds', request, metadata));

/** A round of the client and of the node's own operator. */
function roundOfTwo({ port }: Started, round: string, required = 2): object {
  const node = port.cluster.genesis.validators[0]!.publicKey;
  return { round: { round, voters: [voter(client.publicKey), voter(node)], required } };
}

function membersOf<T>(names: readonly string[], made: () => T): Readonly<Record<string, T>> {
  return Object.fromEntries(names.map((name) => [name, made()]));
}

async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as ServiceError,
  );
}
const codeOf = ({ metadata }: ServiceError): unknown => metadata.get('althing-code')[0];
const fieldOf = ({ metadata }: ServiceError): unknown => metadata.get('althing-field')[0];

test('a round is opened, voted in by the node and by a client that signs, decided, and told', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  const live = watch(t, started, {});
  await live.first(({ change }) => change === 'progress');
  const opened = await rounds.call<Record<string, object>>(
    'SubmitRound',
    roundOfTwo(started, 'r'),
    token,
  );
  t.like(opened, { height: 1, result: { round: 'r' } });
  const byNode = { vote: { round: 'r', choice: 'approve' } };
  t.like(await rounds.call('SubmitVote', byNode, token), {
    result: { counted: true, status: 'open', approvals: 1 },
  });
  const submission = signed(started.port, 0, [cast('r', 'approve')]);
  const byClient = await rounds.call<{ id: string }>('SubmitVote', { submission });
  t.like(byClient, { exactlyOnce: true, result: { status: 'approved', approvals: 2 } });
  t.deepEqual(await rounds.call('SubmitVote', { submission }), byClient);
  t.like(await rounds.call('GetRound', { round: 'r' }), {
    height: 3,
    result: { status: 'approved', voters: 2, required: 2 },
  });
  await live.first(({ change }) => change === 'decided');
  t.deepEqual(
    live.items.map(({ change }) => change),
    ['opened', 'voted', 'voted', 'decided'],
  );
  t.like(live.items[0], { height: 1, opened: { round: 'r', voters: 2, subject: undefined } });
  t.like(live.items[2], { voted: { ...voter(client.publicKey), approvals: 2 } });
  t.like(live.items[3], {
    transaction: byClient.id,
    decided: { round: 'r', status: 'approved', approvals: 2, rejections: 0 },
  });
});

test('a round may be opened by a client that signs', async (t) => {
  const started = await start(t);
  const args = { round: 'mine', voters: [voter(client.publicKey)], required: 1 };
  const submission = signed(started.port, 0, [{ module: 'voting', command: 'open', args }]);
  const opened = await voting(t, started).call('SubmitRound', { submission });
  t.like(opened, { exactlyOnce: true, result: { round: 'mine' } });
});

test('a double vote and the release of what was bound are told, too', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  const both = { voters: [voter(client.publicKey)], required: 1 };
  const bound = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'k', value: 1 } };
  const submit = (seq: number, command: string, args: object) =>
    signed(started.port, seq, [{ module: 'voting', command, args: args as Call['args'] }]);
  const { result } = await rounds.call<{ result: { digest: string } }>('SubmitRound', {
    submission: submit(0, 'open', { round: 'b', ...both, bound }),
  });
  const { digest } = result;
  for (const [at, choice] of ['approve', 'reject'].entries()) {
    const submission = submit(1 + at, 'cast', { round: 'b', choice, digest });
    await rounds.call('SubmitVote', { submission });
  }
  const watching = watch(t, started, { from: 1 });
  t.like(await watching.first(({ change }) => change === 'doubleVote'), {
    doubleVote: { round: 'b', first: { choice: 'approve' }, second: { choice: 'reject' } },
  });
  t.deepEqual(
    watching.items.map(({ change }) => change),
    ['opened', 'voted', 'decided', 'released', 'doubleVote'],
  );
  t.like(watching.items[3], { released: { module: 'kv', command: 'set', ok: true } });
});

// S7
test('whoever watches goes on at any place, without a gap and with nothing twice', async (t) => {
  const started = await start(t, false, { streamLimits: { progressMs: 20 } });
  const rounds = voting(t, started);
  for (const round of ['a', 'b', 'c']) {
    await rounds.call('SubmitRound', roundOfTwo(started, round, 1), token);
    await rounds.call('SubmitVote', { vote: { round, choice: 'approve' } }, token);
  }
  const all = watch(t, started, { from: 1 });
  await all.first(({ change, height }) => change === 'progress' && height === 6);
  const expected = all.items;
  t.is(expected.filter(({ change }) => change === 'decided').length, 3);
  for (const [at, { id }] of expected.entries()) {
    const rest = watch(t, started, { after: id });
    await rest.first(({ change, height }) => change === 'progress' && height === 6);
    t.deepEqual(rest.items, expected.slice(at + 1), id);
    rest.cancel();
  }
  const later = watch(t, started, { from: 5 });
  await later.first(({ change, height }) => change === 'progress' && height === 6);
  t.deepEqual(
    later.items,
    expected.filter(({ height }) => height >= 5),
  );
});

test('whoever names rounds is told of these alone, and goes on at any place', async (t) => {
  const started = await start(t, false, { streamLimits: { progressMs: 20 } });
  const rounds = voting(t, started);
  const names = ['b', 'not-yet'];
  const live = watch(t, started, { rounds: names });
  await live.first(({ change }) => change === 'progress');
  for (const round of ['a', 'b', 'c', 'not-yet']) {
    await rounds.call('SubmitRound', roundOfTwo(started, round, 1), token);
    await rounds.call('SubmitVote', { vote: { round, choice: 'approve' } }, token);
  }
  await live.first(({ change, height }) => change === 'decided' && height === 8);
  const kinds = ['opened', 'voted', 'decided'];
  const told = names.flatMap((round) => kinds.map((change) => [change, round]));
  const tellsOf = (each: Change) => [each.change, (each[each.change] as { round: string }).round];
  t.deepEqual(live.items.map(tellsOf), told);
  for (const [at, { id }] of live.items.entries()) {
    const rest = watch(t, started, { after: id, rounds: names });
    await rest.first(({ change, height }) => change === 'progress' && height === 8);
    t.deepEqual(rest.items, live.items.slice(at + 1), id);
  }
  const all = watch(t, started, { from: 1, rounds: [] });
  await all.first(({ change, height }) => change === 'decided' && height === 8);
  t.is(all.items.length, 12);
});

test('who watches and takes nothing is told where to resume', async (t) => {
  const limits = { stallMsMax: 100, progressMs: 20, outletBytesMax: 4 * 1024 };
  const started = await start(t, false, { streamLimits: limits });
  const slow = watch(t, started, { from: 1 });
  slow.stopReading();
  const voters = [voter(client.publicKey)];
  const open = (round: string): Call => ({
    module: 'voting',
    command: 'open',
    args: { round, voters, required: 1, subject: 'x'.repeat(256) },
  });
  const count = 900;
  const calls = Array.from({ length: count }, (_, at) => open(`r${at}`));
  await started.port.submit(signed(started.port, 0, calls));
  while (started.port.streams.figures().closedSlow === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  slow.startReading();
  const ended = await slow.ended;
  t.like(ended, { status: status.RESOURCE_EXHAUSTED, code: 'slow_consumer' });
  const rest = await toldUntil(
    (asked) => watch(t, started, asked),
    { after: ended.resume },
    ({ change, height }) => change === 'progress' && height === 1,
  );
  const told = [...slow.items, ...rest].map((each) => each['opened'] as { round: string });
  t.deepEqual(
    told.map(({ round }) => round),
    Array.from({ length: count }, (_, at) => `r${at}`),
  );
});

test('unsigned votes need the credential of the node, and count once under a key', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  const { port } = started;
  const round = roundOfTwo(started, 'r');
  t.is((await failure(rounds.call('SubmitRound', round))).code, status.UNAUTHENTICATED);
  const wrong = await failure(rounds.call('SubmitRound', round, bearer('no')));
  t.is(wrong.code, status.PERMISSION_DENIED);
  t.is(port.submitted, 0);
  const once = bearer(API_TOKEN);
  once.set('idempotency-key', 'k1');
  const opened = await rounds.call<object>('SubmitRound', round, once);
  t.like(opened, { exactlyOnce: true });
  t.deepEqual(await rounds.call('SubmitRound', round, once), opened);
});

test('what the module refuses is a status that names the transaction', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  await rounds.call('SubmitRound', roundOfTwo(started, 'r'), token);
  const again = await failure(rounds.call('SubmitRound', roundOfTwo(started, 'r'), token));
  t.deepEqual([again.code, codeOf(again)], [status.INVALID_ARGUMENT, 'round_exists']);
  t.is(again.metadata.get('althing-height')[0], '2');
  const stranger = signerFromPem(generateKey().pem);
  const foreign = signSubmission(
    {
      kind: 'client',
      clusterId: started.port.cluster.id,
      key: stranger.publicKey,
      seq: 0,
      validUntil: Date.now() + 60_000,
      transactions: [cast('r', 'approve')],
    },
    stranger,
  );
  t.is(codeOf(await failure(rounds.call('SubmitVote', { submission: foreign }))), 'not_eligible');
  const nobody = { vote: { round: 'nobody', choice: 'approve' } };
  const absent = await failure(rounds.call('SubmitVote', nobody, token));
  t.deepEqual([absent.code, codeOf(absent)], [status.NOT_FOUND, 'round_not_found']);
  const unread = await failure(rounds.call('GetRound', { round: 'nobody' }));
  t.deepEqual([unread.code, codeOf(unread)], [status.NOT_FOUND, 'round_not_found']);
});

test('what is malformed is refused before it is submitted', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  const { port } = started;
  const vote = cast('r', 'approve');
  const altered = signed(port, 9, [vote]);
  altered[altered.length - 1]! ^= 1;
  const keyed = bearer(API_TOKEN);
  keyed.set('idempotency-key', 'k');
  for (const [method, request, code, field, metadata] of [
    ['SubmitRound', {}, 'malformed', 'content', token],
    ['SubmitVote', {}, 'malformed', 'content', token],
    ['SubmitRound', { round: {} }, 'invalid_args', 'round', token],
    ['SubmitRound', { round: { round: 'a b' } }, 'invalid_args', 'round', token],
    ['SubmitRound', { round: { round: 'r', deadline: -1 } }, 'invalid_args', 'deadline', token],
    ['SubmitVote', { vote: { round: 'r', choice: 'maybe' } }, 'invalid_args', 'choice', token],
    ['SubmitVote', { vote: { round: 'r' } }, 'invalid_args', 'choice', token],
    ['SubmitVote', { submission: new Uint8Array(0) }, 'malformed', 'submission', token],
    ['SubmitVote', { submission: new Uint8Array(300) }, 'malformed', 'submission', token],
    ['SubmitVote', { submission: signed(port, 0, [vote, vote]) }, 'malformed', 'submission', token],
    ['SubmitRound', { submission: signed(port, 0, [vote]) }, 'malformed', 'submission', token],
    ['SubmitVote', { submission: signed(port, 0, [vote]) }, 'malformed', 'Idempotency-Key', keyed],
    ['GetRound', {}, 'invalid_args', 'round', token],
    ['GetRound', { round: 'x'.repeat(65) }, 'invalid_args', 'round', token],
  ] as const) {
    const error = await failure(rounds.call(method, request, metadata));
    const told = [error.code, codeOf(error), fieldOf(error)];
    t.deepEqual(
      told,
      [status.INVALID_ARGUMENT, code, field],
      `${method} ${Object.keys(request).join()}`,
    );
  }
  t.is(port.submitted, 0);
  const forged = await failure(rounds.call('SubmitVote', { submission: altered }));
  t.deepEqual([forged.code, codeOf(forged)], [status.UNAUTHENTICATED, 'bad_signature']);
  for (const request of [{ from: 0 }, { after: 'x' }, { rounds: Array(65).fill('r') }]) {
    t.like(await watch(t, started, request).ended, { code: 'malformed' });
  }
  for (const round of ['', 'a b', 'x'.repeat(65)]) {
    const ended = await watch(t, started, { rounds: ['r', round] }).ended;
    t.like(ended, { status: status.INVALID_ARGUMENT, code: 'invalid_args', field: 'rounds' });
  }
});

test('a round is read as it was at a height, and with all that is final anywhere', async (t) => {
  const started = await start(t);
  const rounds = voting(t, started);
  await rounds.call('SubmitRound', roundOfTwo(started, 'r', 1), token);
  await rounds.call('SubmitVote', { vote: { round: 'r', choice: 'approve' } }, token);
  const at = (name: string, value: string): Metadata => {
    const metadata = bearer(API_TOKEN);
    metadata.set(`althing-${name}`, value);
    return metadata;
  };
  const read = (metadata: Metadata) => rounds.call('GetRound', { round: 'r' }, metadata);
  t.like(await read(at('at-height', '1')), { height: 1, result: { status: 'open' } });
  t.like(await read(at('consistency', 'linearizable')), { result: { status: 'approved' } });
});

test('where no module voting runs, or another one of that name, there is no such service', async (t) => {
  const named = (commands: readonly string[], queries: readonly string[]): DefinedModule =>
    defineModule({
      name: 'voting',
      version: 1,
      description: 'Another one.',
      events: { opened: event('Opened.', Type.String()) },
      commands: ({ command }) =>
        membersOf(commands, () =>
          command({ description: 'Does.', args: Type.Object({}) }, () => undefined),
        ),
      queries: ({ query }) =>
        membersOf(queries, () =>
          query({ description: 'Tells.', args: Type.Object({}), result: Type.Null() }, () => null),
        ),
    });
  const another = [
    named(['open'], ['round']),
    named(['open', 'cast'], []),
    named(['open', 'cast'], ['round']),
  ];
  const others = builtInModules.filter(({ name }) => name !== 'voting' && name !== 'bridge');
  for (const modules of [others, ...another.map((each) => [...others, each])]) {
    const started = await start(t, false, { modules });
    const none = await failure(voting(t, started).call('GetRound', { round: 'r' }));
    t.is(none.code, status.UNIMPLEMENTED);
    const health = new TestClient(t, started.address, 'grpc.health.v1.Health');
    const unknown = await failure(health.call('Check', { service: 'althing.v1.Voting' }));
    t.is(unknown.code, status.NOT_FOUND);
  }
});
