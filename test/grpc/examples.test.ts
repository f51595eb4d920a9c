/**
 * The examples of docs/grpc.md, as grpcurl runs them: it knows of a service what reflection tells, and
 * takes the JSON of a message.
 */
import { readFileSync } from 'node:fs';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import {
  loadFileDescriptorSetFromObject,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import test, { type ExecutionContext } from 'ava';
import { set, signed } from '../http/posting.ts';
import { ROOT } from '../repository/sources.ts';
import { Reflection, type Message } from './reflection.ts';
import { start, TestClient } from './start.ts';

interface Example {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** `list`, or a method. */
  readonly symbol: string;
}

const page = readFileSync(`${ROOT}docs/grpc.md`, 'utf8');
const examples = [...page.matchAll(/^ {4}(grpcurl .*)$/gm)].map(([, line]) => exampleIn(line!));

/** Throws where it has an option that nobody follows here. */
function exampleIn(line: string): Example {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  const headers: string[] = [];
  let body = '{}';
  for (let word = words.shift(); words[0]?.startsWith('-');) {
    word = words.shift();
    if (word === '-H') headers.push(words.shift()!);
    else if (word === '-d') body = words.shift()!;
    else if (word !== '-plaintext') throw new Error(`${line}: ${word}`);
  }
  const [address, symbol, ...more] = words;
  if (address !== '127.0.0.1:9004' || symbol === undefined || more.length > 0)
    throw new Error(line);
  return { line, headers, body, symbol };
}

function metadataOf(headers: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (const header of headers) {
    const [, name, value] = /^([a-z-]+): (.+)$/.exec(header)!;
    metadata.set(name!, value!);
  }
  return metadata;
}

const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Out of a file of descriptors a map comes as the list of entries that it is on the wire. */
function structFrom(json: object): object {
  const fields = Object.entries(json).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } };
    throw new Error(`${key}: only text is followed here`);
  });
  return { fields };
}

/** As proto-loader takes it; what has no field is an error, as it is in protobuf's JSON mapping. */
function messageFrom(type: Message, json: object): object {
  const fields = new Map((type.field ?? []).map((each) => [camelCase(each.name), each]));
  const members = Object.entries(json).map(([name, value]: [string, unknown]) => {
    const field = fields.get(camelCase(name));
    if (field === undefined) throw new Error(`${type.name} has no field ${name}`);
    const isStruct = field.typeName?.endsWith('google.protobuf.Struct') === true;
    return [camelCase(field.name), isStruct ? structFrom(value as object) : value];
  });
  return Object.fromEntries(members) as object;
}

async function definitionsOf(reflection: Reflection, service: string): Promise<PackageDefinition> {
  const file = await reflection.files(service);
  return loadFileDescriptorSetFromObject({ file } as never, { longs: Number, enums: String });
}

/** The first answer. Rejects with the ServiceError. */
async function called(t: ExecutionContext, address: string, example: Example): Promise<object> {
  const [service, method] = example.symbol.split('/') as [string, string];
  const definitions = await definitionsOf(new Reflection(t, address), service);
  const { requestType, responseStream } = (definitions[service] as ServiceDefinition)[method]!;
  const type = (requestType as MessageTypeDefinition<object, object>).type as Message;
  const request = messageFrom(type, JSON.parse(example.body) as object);
  const client = new TestClient(t, address, service, undefined, definitions);
  const metadata = metadataOf(example.headers);
  if (!responseStream) return client.call(method, request, metadata);
  const answers = client.answers<object>(method, request, metadata);
  t.teardown(() => answers.cancel());
  return new Promise((resolve, reject) => answers.once('data', resolve).once('error', reject));
}

test('all examples of the page are followed here', (t) => {
  t.true(examples.length > 1);
  t.is(page.match(/grpcurl -/g)?.length, examples.length);
});

for (const example of examples) {
  test(`${example.line} does what it says`, async (t) => {
    const { address, port } = await start(t);
    await port.submit(signed(port, 0, [set('k')]));
    if (example.symbol === 'list') {
      const names = await new Reflection(t, address).services();
      for (const { symbol } of examples) {
        const [service] = symbol.split('/');
        t.true(symbol === 'list' || names.includes(service!), symbol);
      }
      return;
    }
    t.truthy(await called(t, address, example));
  });
}

test('an example that is wrong is not followed', async (t) => {
  const { address } = await start(t);
  const example = exampleIn(
    `grpcurl -plaintext -d '{"module": "kv"}' 127.0.0.1:9004 althing.v1.State/Query`,
  );
  const refused = await t.throwsAsync<ServiceError>(called(t, address, example));
  t.is(refused?.code, status.NOT_FOUND);
  for (const wrong of [{ body: '{"modul": "kv"}' }, { symbol: 'althing.v1.State/Ask' }]) {
    await t.throwsAsync(called(t, address, { ...example, ...wrong }));
  }
  t.throws(() => exampleIn('grpcurl -insecure 127.0.0.1:9004 list'));
  t.throws(() => exampleIn('grpcurl 127.0.0.1:9005 list'));
});
