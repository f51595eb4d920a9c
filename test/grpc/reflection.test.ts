import test from 'ava';
import protobuf from 'protobufjs/ext/descriptor/index.js';
import { start, TestClient } from './start.ts';

interface Reflected {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number };
}

const VERSIONS = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

for (const version of VERSIONS) {
  test(`${version} lists what is served and describes it`, async (t) => {
    const { address } = await start(t);
    const stream = new TestClient(t, address, version).stream('ServerReflectionInfo');
    const answers = stream[Symbol.asyncIterator]() as AsyncIterator<Reflected>;
    const ask = async (request: object): Promise<Reflected> => {
      stream.write(request);
      return (await answers.next()).value as Reflected;
    };
    const listed = (await ask({ listServices: '*' })).listServicesResponse?.service ?? [];
    const names = listed.map(({ name }) => name);
    for (const name of [
      'althing.v1.Transactions',
      'althing.v1.Consensus',
      'grpc.health.v1.Health',
    ]) {
      t.true(names.includes(name), name);
    }
    const described = await ask({ fileContainingSymbol: 'althing.v1.Transactions' });
    const files = (described.fileDescriptorResponse?.fileDescriptorProto ?? []).map((bytes) =>
      protobuf.FileDescriptorProto.toObject(protobuf.FileDescriptorProto.decode(bytes)),
    ) as { package: string; service?: { name: string; method: { name: string }[] }[] }[];
    const service = files
      .flatMap((file) => file.service ?? [])
      .find((each) => each.name === 'Transactions');
    t.deepEqual(
      service?.method.map(({ name }) => name),
      ['Submit', 'SubmitStream', 'Get'],
    );
    t.true(files.some((file) => file.package === 'google.protobuf'));
    t.truthy((await ask({ fileContainingSymbol: 'bank.v1.Loans' })).errorResponse);
    stream.end();
  });
}
