import test from 'ava';
import { messagesOf, namedIn, Reflection, typesOf, type File } from './reflection.ts';
import { start, TestClient } from './start.ts';

/** The methods of each service of ours, beside those of the modules. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  'althing.v1.Transactions': ['Submit', 'SubmitStream', 'Get'],
  'althing.v1.Consensus': ['Status', 'Evidence'],
  'althing.v1.State': ['Query', 'ProveRow', 'Modules'],
  'althing.v1.Stream': ['Subscribe'],
  'althing.v1.Voting': ['SubmitRound', 'SubmitVote', 'GetRound', 'WatchRounds'],
};

for (const version of ['v1', 'v1alpha']) {
  test(`reflection ${version} lists what is served and describes it`, async (t) => {
    const { address } = await start(t);
    const reflection = new Reflection(t, address, version);
    const names = await reflection.services();
    for (const [service, methods] of Object.entries(SERVICES)) {
      t.true(names.includes(service), service);
      t.deepEqual(await reflection.methods(service), methods);
    }
    t.true(names.includes('grpc.health.v1.Health'));
    t.truthy((await reflection.ask({ fileContainingSymbol: 'bank.v1.Loans' })).errorResponse);
    reflection.end();
  });
}

test('every service that is listed and ours is SERVING', async (t) => {
  const { address } = await start(t);
  const names = (await new Reflection(t, address).services()).filter((name) =>
    name.startsWith('althing.'),
  );
  t.true(names.length >= Object.keys(SERVICES).length + 9);
  const health = new TestClient(t, address, 'grpc.health.v1.Health');
  for (const service of names) {
    t.like(await health.call('Check', { service }), { status: 'SERVING' }, service);
  }
});

// As protoc does, and clients that build types out of files.
test('every file names what it needs, in full, and none needs itself', async (t) => {
  const { address } = await start(t);
  const reflection = new Reflection(t, address);
  for (const service of await reflection.services()) {
    const files = new Map((await reflection.files(service)).map((file) => [file.name, file]));
    const visit = (file: File, above: readonly string[]): void => {
      const path = [...above, file.name];
      t.false(above.includes(file.name), path.join(' needs '));
      if (above.includes(file.name)) return;
      const needed = (file.dependency ?? []).map((name) => files.get(name));
      t.false(needed.includes(undefined), `${path.join(' needs ')} needs what is not there`);
      const types = new Set([file, ...(needed as File[])].flatMap(typesOf));
      for (const name of namedIn(file)) t.true(types.has(name), `${file.name}: ${name}`);
      for (const each of needed as File[]) visit(each, path);
    };
    t.true(files.size > 0, service);
    for (const file of files.values()) visit(file, []);
  }
});

test('files say which fields are optional and which numbers are reserved', async (t) => {
  const { address } = await start(t);
  const [file] = await new Reflection(t, address).files('althing.module.kv.v1.SetCommand');
  const message = messagesOf(file!).get('.althing.module.kv.v1.SetCommand')!;
  t.deepEqual(
    message.field?.filter((field) => field.proto3Optional).map(({ name }) => name),
    ['ifRevision', 'lease', 'ttlMs', 'prevKv'],
  );
  t.like(message.reservedRange, [{ start: 4, end: 5 }]);
});

// As protoc names them: protobuf-go refuses a file with others.
test('files name the entries of a map after its field', async (t) => {
  const { address } = await start(t);
  const files = await new Reflection(t, address).files('althing.v1.State');
  const messages = new Map(files.flatMap((file) => [...messagesOf(file)]));
  const entries = [...messages].filter(([, { options }]) => options?.mapEntry === true);
  t.deepEqual(
    entries.map(([name]) => name),
    ['.google.protobuf.Struct.FieldsEntry'],
  );
  const [fields] = messages.get('.google.protobuf.Struct')!.field!;
  t.like(fields, { name: 'fields', typeName: '.google.protobuf.Struct.FieldsEntry' });
});
