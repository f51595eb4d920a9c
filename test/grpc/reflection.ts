/** A client of server reflection: which services there are, and of what files. */
import type { ExecutionContext } from 'ava';
import protobuf from 'protobufjs/ext/descriptor/index.js';
import { TestClient } from './start.ts';

interface Reflected {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly errorResponse?: { readonly errorCode: number };
}

export interface Message {
  readonly name: string;
  readonly field?: readonly {
    readonly name: string;
    readonly typeName?: string;
    readonly proto3Optional?: boolean;
  }[];
  readonly nestedType?: readonly Message[];
  readonly options?: { readonly mapEntry?: boolean };
  readonly enumType?: readonly { readonly name: string }[];
  readonly reservedRange?: readonly { readonly start: number; readonly end: number }[];
}

export interface File {
  readonly name: string;
  readonly package: string;
  readonly dependency?: readonly string[];
  readonly messageType?: readonly Message[];
  readonly enumType?: readonly { readonly name: string }[];
  readonly service?: readonly {
    readonly name: string;
    readonly method: readonly {
      readonly name: string;
      readonly inputType: string;
      readonly outputType: string;
    }[];
  }[];
}

/** The messages of a file, each under its full name. */
export function messagesOf(file: File): ReadonlyMap<string, Message> {
  const found = new Map<string, Message>();
  const add = (at: string, messages: readonly Message[] = []): void => {
    for (const message of messages) {
      found.set(`${at}.${message.name}`, message);
      add(`${at}.${message.name}`, message.nestedType);
    }
  };
  add(`.${file.package}`, file.messageType);
  return found;
}

/** Full names of all types in a file. */
export function typesOf(file: File): readonly string[] {
  const messages = messagesOf(file);
  const enums = [...messages].flatMap(([at, { enumType }]) =>
    (enumType ?? []).map(({ name }) => `${at}.${name}`),
  );
  const own = (file.enumType ?? []).map(({ name }) => `.${file.package}.${name}`);
  return [...messages.keys(), ...enums, ...own];
}

/** Names of all types that a file names. */
export function namedIn(file: File): readonly string[] {
  const fields = [...messagesOf(file).values()].flatMap(({ field }) => field ?? []);
  const methods = (file.service ?? []).flatMap(({ method }) => method);
  return [
    ...fields.flatMap(({ typeName }) => typeName || []),
    ...methods.flatMap(({ inputType, outputType }) => [inputType, outputType]),
  ];
}

export class Reflection {
  readonly #stream;
  readonly #answers;

  constructor(t: ExecutionContext, address: string, version = 'v1') {
    const service = `grpc.reflection.${version}.ServerReflection`;
    this.#stream = new TestClient(t, address, service).stream('ServerReflectionInfo');
    this.#answers = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Reflected>;
  }

  async ask(request: object): Promise<Reflected> {
    this.#stream.write(request);
    return (await this.#answers.next()).value as Reflected;
  }

  async services(): Promise<readonly string[]> {
    const { listServicesResponse } = await this.ask({ listServices: '*' });
    return (listServicesResponse?.service ?? []).map(({ name }) => name);
  }

  /** The file of a symbol, and all that it needs. */
  async files(symbol: string): Promise<readonly File[]> {
    const { fileDescriptorResponse } = await this.ask({ fileContainingSymbol: symbol });
    return (fileDescriptorResponse?.fileDescriptorProto ?? []).map((bytes) =>
      protobuf.FileDescriptorProto.toObject(protobuf.FileDescriptorProto.decode(bytes)),
    ) as unknown as readonly File[];
  }

  async methods(service: string): Promise<readonly string[]> {
    const name = service.split('.').at(-1);
    const found = (await this.files(service))
      .filter((file) => service === `${file.package}.${name}`)
      .flatMap((file) => file.service ?? [])
      .find((each) => each.name === name);
    return found?.method.map((each) => each.name) ?? [];
  }

  end(): void {
    this.#stream.end();
  }
}
