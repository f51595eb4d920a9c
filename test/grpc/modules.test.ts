/** The services of the modules, and those of state, as a client of any language calls them. */
import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import { bearer, start, TestClient } from './start.ts';
import { API_TOKEN } from '../http/test-node.ts';
import { toMsgpack } from '../../src/edge/representation.ts';

const token = (key?: string): Metadata => {
  const metadata = bearer(API_TOKEN);
  if (key !== undefined) metadata.set('idempotency-key', key);
  return metadata;
};
const failure = async (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as ServiceError,
  );
const codeOf = ({ metadata }: ServiceError): unknown => metadata.get('althing-code')[0];

test('a command is sent with typed arguments and answered with a typed receipt', async (t) => {
  const { address } = await start(t);
  const commands = new TestClient(t, address, 'althing.module.kv.v1.Commands');
  const value = { structValue: { fields: { a: { numberValue: 1 } } } };
  const receipt = await commands.call<Record<string, unknown>>(
    'Set',
    { namespace: 'n', key: 'k', value },
    token(),
  );
  t.like(receipt, { height: 1, exactlyOnce: false, result: { version: 1 } });
  t.like(receipt['events'], { 0: { module: 'kv', name: 'set' } });
  const queries = new TestClient(t, address, 'althing.module.kv.v1.Queries');
  t.like(await queries.call('Get', { namespace: 'n', key: 'k' }), {
    height: 1,
    result: { key: 'k', version: 1, value: { structValue: { fields: { a: { numberValue: 1 } } } } },
  });
});

test('what may be left out is left out, and zero is not nothing', async (t) => {
  const { address } = await start(t);
  const commands = new TestClient(t, address, 'althing.module.kv.v1.Commands');
  const at = { namespace: 'n', key: 'k', value: { stringValue: 'x' } };
  await commands.call('Set', { ...at, ifRevision: 0 }, token());
  t.is(
    codeOf(await failure(commands.call('Set', { ...at, ifRevision: 0 }, token()))),
    'revision_mismatch',
  );
  t.like(await commands.call('Set', at, token()), { result: { version: 2 } });
  const queries = new TestClient(t, address, 'althing.module.kv.v1.Queries');
  const all = await queries.call<{ result: { entries: unknown[]; next?: string } }>('List', {
    namespace: 'n',
  });
  t.is(all.result.entries.length, 1);
  t.is(all.result.next, undefined);
});

test('an amount beyond 2^53 arrives as it is', async (t) => {
  const { address } = await start(t);
  const commands = new TestClient(t, address, 'althing.module.ledger.v1.Commands');
  const amount = '9223372036854775807';
  const refused = await failure(
    commands.call('Transfer', { from: 'bob', to: 'alice', amount }, token()),
  );
  t.is(codeOf(refused), 'overflows_credits_posted');
  const negative = { from: 'bob', to: 'alice', amount: -1 };
  t.is(codeOf(await failure(commands.call('Transfer', negative, token()))), 'invalid_args');
});

test('a refusal is a status that names the transaction; what does not fit, the argument', async (t) => {
  const { address, port } = await start(t);
  const commands = new TestClient(t, address, 'althing.module.ledger.v1.Commands');
  const misfit = await failure(commands.call('Open', { account: 'a b' }, token()));
  t.is(misfit.code, status.INVALID_ARGUMENT);
  t.is(misfit.metadata.get('althing-field')[0], 'account');
  t.is(port.submitted, 0);
  const exists = await failure(commands.call('Open', { account: 'alice' }, token()));
  t.is(exists.code, status.INVALID_ARGUMENT);
  t.is(codeOf(exists), 'exists_with_different_owner');
  t.is(exists.metadata.get('althing-height')[0], '1');
  const queries = new TestClient(t, address, 'althing.module.ledger.v1.Queries');
  const absent = await failure(queries.call('Account', { account: 'nobody' }));
  t.is(absent.code, status.NOT_FOUND);
});

test('a command needs a credential, and runs once under a key', async (t) => {
  const { address, port } = await start(t);
  const commands = new TestClient(t, address, 'althing.module.ledger.v1.Commands');
  const open = { account: 'carol' };
  t.is((await failure(commands.call('Open', open))).code, status.UNAUTHENTICATED);
  t.is((await failure(commands.call('Open', open, bearer('no')))).code, status.PERMISSION_DENIED);
  t.is(port.submitted, 0);
  const first = await commands.call<{ id: string }>('Open', open, token('k1'));
  t.like(first, { exactlyOnce: true });
  t.is((await commands.call<{ id: string }>('Open', open, token('k1'))).id, first.id);
});

test('any query can be asked by name, with a Struct or msgpack', async (t) => {
  const { address } = await start(t);
  const state = new TestClient(t, address, 'althing.v1.State');
  const asked = { module: 'ledger', query: 'account' };
  const args = { fields: { account: { stringValue: 'alice' } } };
  t.like(await state.call('Query', { ...asked, args }), {
    height: 0,
    result: { structValue: { fields: { balance: { stringValue: '1000' } } } },
  });
  const argsMsgpack = toMsgpack({ account: 'alice' });
  t.like(await state.call('Query', { ...asked, argsMsgpack }), { height: 0 });
  for (const [request, code] of [
    [{ module: 'nope', query: 'x' }, 'unknown_module'],
    [{ module: 'ledger', query: 'toString' }, 'unknown_query'],
    [{ ...asked, args: { fields: { account: { numberValue: 1 } } } }, 'invalid_args'],
    [{ ...asked, args: { fields: { __proto__x: { boolValue: true } } } }, 'invalid_args'],
    [{ ...asked, args: { fields: { constructor: { boolValue: true } } } }, 'malformed'],
    [{ ...asked, argsMsgpack: Uint8Array.of(0xc1) }, 'malformed'],
    [asked, 'invalid_args'],
  ] as const) {
    t.is(codeOf(await failure(state.call('Query', request))), code, JSON.stringify(request));
  }
});

test('the modules that are in force are listed with what can be asked of them', async (t) => {
  const { address } = await start(t);
  const state = new TestClient(t, address, 'althing.v1.State');
  const { modules } = await state.call<{ modules: { name: string; commands: string[] }[] }>(
    'Modules',
    {},
  );
  t.true(modules.find(({ name }) => name === 'ledger')?.commands.includes('transfer'));
});

test('reflection and health know the services of the modules', async (t) => {
  const { address } = await start(t);
  const stream = new TestClient(t, address, 'grpc.reflection.v1.ServerReflection').stream(
    'ServerReflectionInfo',
  );
  const answers = stream[Symbol.asyncIterator]() as AsyncIterator<{
    listServicesResponse?: { service: { name: string }[] };
    fileDescriptorResponse?: { fileDescriptorProto: unknown[] };
  }>;
  stream.write({ listServices: '*' });
  const listed = (await answers.next()).value?.listServicesResponse?.service ?? [];
  const names = listed.map(({ name }: { name: string }) => name);
  for (const name of ['althing.v1.State', 'althing.module.ledger.v1.Commands']) {
    t.true(names.includes(name), name);
  }
  stream.write({ fileContainingSymbol: 'althing.module.ledger.v1.TransferCommand' });
  t.true(
    ((await answers.next()).value?.fileDescriptorResponse?.fileDescriptorProto.length ?? 0) > 0,
  );
  stream.end();
  const health = new TestClient(t, address, 'grpc.health.v1.Health');
  t.like(await health.call('Check', { service: 'althing.module.ledger.v1.Queries' }), {
    status: 'SERVING',
  });
});
