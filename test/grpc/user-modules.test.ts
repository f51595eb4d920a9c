/** Modules of users have the services of their declaration, whatever that holds. */
import { status, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { loadProtos } from '../../src/grpc/protos.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { loadUserModule } from '../../src/modules/user/load.ts';
import { API_TOKEN } from '../http/test-node.ts';
import { madeText, raffleText } from '../user-modules/files.ts';
import { Reflection } from './reflection.ts';
import { bearer, start, TestClient } from './start.ts';
import { Watching } from './watching.ts';

const token = bearer(API_TOKEN);

/** A node that runs the module of this text too, and clients of its services. */
async function serve(t: ExecutionContext, text: string) {
  const module = loadUserModule({ file: 'made.ts', text });
  const modules = [...builtInModules, module];
  const started = await start(t, false, { modules });
  const { all } = loadProtos(modules);
  const client = (service: string): TestClient =>
    new TestClient(t, started.address, service, undefined, all);
  const of = (section: string): TestClient => client(`althing.module.${module.name}.v1.${section}`);
  return { ...started, client, of };
}

async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as ServiceError,
  );
}
const codeOf = ({ metadata }: ServiceError): unknown => metadata.get('althing-code')[0];

test('the example of a module is served typed, listed, well, and told in the stream', async (t) => {
  const { address, client, of } = await serve(t, raffleText());
  const commands = of('Commands');
  const queries = of('Queries');
  t.like(await commands.call('Open', { raffle: 'r', forMs: '60000' }, token), { height: 1 });
  t.like(await queries.call('Raffle', { raffle: 'r' }), { result: { winner: undefined } });
  const taken = await failure(commands.call('Open', { raffle: 'r', forMs: '1' }, token));
  t.deepEqual([taken.code, codeOf(taken)], [status.INVALID_ARGUMENT, 'raffle_taken']);
  const misfit = await failure(commands.call('Open', { raffle: 'q', forMs: '0' }, token));
  t.deepEqual([codeOf(misfit), misfit.metadata.get('althing-field')[0]], ['invalid_args', 'forMs']);
  t.is((await failure(commands.call('Open', { raffle: 'q' }))).code, status.UNAUTHENTICATED);
  const reflection = new Reflection(t, address);
  const names = await reflection.services();
  const health = client('grpc.health.v1.Health');
  for (const section of ['Commands', 'Queries']) {
    const service = `althing.module.raffle.v1.${section}`;
    t.true(names.includes(service));
    t.like(await health.call('Check', { service }), { status: 'SERVING' });
  }
  t.true((await reflection.methods('althing.module.raffle.v1.Commands')).includes('Open'));
  const stream = client('althing.v1.Stream');
  const request = { from: 1, withoutEvents: true, transactions: true, modules: ['raffle'] };
  const watching = new Watching<{ id: string; transaction?: { command: string } }>(
    t,
    stream.answers('Subscribe', request),
  );
  t.like(await watching.first(({ transaction }) => transaction !== undefined), {
    id: '1.1',
    transaction: { module: 'raffle', command: 'open' },
  });
});

test('services follow the modules in force: those of an upgrade come, others go, calls go on', async (t) => {
  const { edge, address, client, of } = await serve(t, raffleText());
  const stream = client('althing.v1.Stream');
  const request = { from: 1, withoutEvents: true, transactions: true };
  const told = new Watching<{ id: string }>(t, stream.answers('Subscribe', request));
  const health = client('grpc.health.v1.Health');
  const service = 'althing.module.raffle.v1.Commands';
  const open = () => of('Commands').call('Open', { raffle: 'r', forMs: '60000' }, token);
  const { catalog } = edge;

  edge.catalog = new ModuleCatalog(builtInModules);
  t.is((await failure(open())).code, status.UNIMPLEMENTED);
  t.false((await new Reflection(t, address).services()).includes(service));
  t.like(await health.call('Check', { service }), { status: 'NOT_SERVING' });
  t.truthy(await client('althing.v1.State').call('Modules', {}));

  edge.catalog = catalog;
  t.like(await open(), { height: 1 });
  t.true((await new Reflection(t, address).services()).includes(service));
  t.like(await health.call('Check', { service }), { status: 'SERVING' });
  t.like(await told.first(({ id }) => id !== '0'), { id: '1.1' });
});

/** `d0` is an integer, and each after it an object of the one before. */
const DEEP = [
  'const d0 = Type.Integer();',
  ...Array.from({ length: 120 }, (_, at) => `const d${at + 1} = Type.Object({ a: d${at} });`),
].join('\n');
const HANDLERS = `({ tables }, args) => { tables.rows.set('it', args); return args; }`;
const nested = (levels: number): object => (levels === 0 ? { a: 7 } : { a: nested(levels - 1) });
const asStruct = (value: unknown): object =>
  typeof value === 'number'
    ? { numberValue: value }
    : {
        structValue: {
          fields: Object.fromEntries(
            Object.entries(value as object).map(([name, each]) => [name, asStruct(each)]),
          ),
        },
      };

for (const [what, schema, request, said] of [
  ['are anything', 'AnyValue', { arguments: asStruct({ b: 1 }) }, asStruct({ b: 1 })],
  [
    'have names that protobuf takes for one',
    'Type.Object({ fooBar: Type.Integer(), foo_bar: Type.Integer() })',
    { arguments: { fields: { fooBar: { numberValue: 1 }, foo_bar: { numberValue: 2 } } } },
    { fields: { fooBar: { numberValue: 1 }, foo_bar: { numberValue: 2 } } },
  ],
  [
    'have names that objects have',
    'Type.Object({ isPrototypeOf: Type.Integer() })',
    { arguments: { fields: { isPrototypeOf: { numberValue: 1 } } } },
    { fields: { isPrototypeOf: { numberValue: 1 } } },
  ],
  [
    'have names of protobuf itself',
    'Type.Object({ message: Type.String(), optional: Type.Object({ repeated: Type.Integer() }) })',
    { message: 'm', optional: { repeated: 4 } },
    { message: 'm', optional: { repeated: 4 } },
  ],
] as const) {
  test(`arguments and results that ${what} pass as they are`, async (t) => {
    const body = `
      tables: { rows: table('It.', AnyValue) },
      events: { said: event('It.', ${schema}) },
      commands: ({ command }) => ({
        take: command({ description: 'Takes.', args: ${schema}, result: ${schema} },
          ({ emit }, args) => { emit('said', args); return args; }),
      }),`;
    const { address, of } = await serve(t, madeText(body));
    t.like(await of('Commands').call('Take', request, token), { result: said });
    t.true((await new Reflection(t, address).services()).length > 10);
  });
}

test('schemas that are nested deeper than protobuf allows are values from there on', async (t) => {
  const body = `
    tables: { rows: table('It.', AnyValue) },
    commands: ({ command }) => ({
      take: command({ description: 'Takes.', args: d120 }, () => undefined),
      few: command({ description: 'Takes.', args: d25, result: d25 }, ${HANDLERS}),
    }),`;
  const { of } = await serve(t, madeText(body, DEEP));
  const levels = 13;
  let message: object = asStruct(nested(24 - levels));
  for (let level = 0; level < levels; level++) message = { a: message };
  t.like(await of('Commands').call('Few', message, token), { result: message });
});
