/**
 * The files that reflection tells of, as clients need them that build types out of files, such as
 * grpcurl. What proto-loader makes, one file of each package, does not say what each needs of the others
 * (grpc/grpc-node#2595) and which fields are optional, names types by parts of their names, entries of
 * maps not as protoc does, which clients in Go refuse, and ends reserved ranges one number early.
 */
import type { PackageDefinition } from '@grpc/proto-loader';
import descriptor from 'protobufjs/ext/descriptor/index.js';

/** As descriptor.proto says: what stands in a file, or in a message. */
interface Scope {
  readonly messageType?: readonly Message[];
  readonly nestedType?: readonly Message[];
  readonly enumType?: readonly { readonly name: string }[];
}
interface Message extends Scope {
  name: string;
  readonly field: readonly Field[];
  readonly options?: { readonly mapEntry?: boolean } | null;
  readonly oneofDecl: readonly { readonly name: string }[];
  readonly reservedRange: readonly { end: number }[];
}
interface Field {
  readonly name: string;
  typeName: string;
  readonly oneofIndex: number;
  proto3Optional: boolean;
}
interface File extends Scope {
  readonly name: string;
  readonly package: string;
  dependency: string[];
  readonly service: readonly {
    readonly method: readonly { readonly inputType: string; readonly outputType: string }[];
  }[];
}

const { FileDescriptorProto } = descriptor;

/** The same definitions, with whole files. */
export function withWholeFiles(definitions: PackageDefinition): PackageDefinition {
  const made = new Map<readonly Buffer[], Buffer[]>();
  const whole = (files: Buffer[]): Buffer[] => {
    if (!made.has(files)) made.set(files, wholeFiles(files));
    return made.get(files)!;
  };
  const entries = Object.entries(definitions).map(([name, each]) => {
    if (!('format' in each)) return [name, each];
    return [name, { ...each, fileDescriptorProtos: whole(each.fileDescriptorProtos as Buffer[]) }];
  });
  return Object.fromEntries(entries) as PackageDefinition;
}

function wholeFiles(encoded: readonly Buffer[]): Buffer[] {
  const files = encoded.map((bytes) => FileDescriptorProto.decode(bytes) as unknown as File);
  for (const { messageType } of files) messageType?.forEach(nameEntries);
  const homes = new Map(
    files.flatMap((file) => [...typesIn(file.package, file)].map((type) => [type, file.name])),
  );
  for (const file of files) {
    const types = [...namesIn(file, homes)];
    const needed = types.map((type) => homes.get(type)).filter((name) => name !== undefined);
    file.dependency = [...new Set(needed)].filter((name) => name !== file.name);
  }
  return files.map((file) => Buffer.from(FileDescriptorProto.encode(file as object).finish()));
}

/** A field `labels` that is a map is a list of `LabelsEntry`. */
function nameEntries({ field: fields, nestedType }: Message): void {
  for (const nested of nestedType ?? []) {
    if (nested.options?.mapEntry !== true) nameEntries(nested);
    else {
      const field = fields.find(({ typeName }) => typeName.split('.').at(-1) === nested.name)!;
      nested.name = `${nested.name}Entry`;
      field.typeName = nested.name;
    }
  }
}

/** Full names of all types that stand in it. */
function* typesIn(at: string, scope: Scope): Generator<string> {
  for (const { name } of scope.enumType ?? []) yield `${at}.${name}`;
  for (const message of scope.messageType ?? scope.nestedType ?? []) {
    yield `${at}.${message.name}`;
    yield* typesIn(`${at}.${message.name}`, message);
  }
}

/** Full names of all types that are named in it, where from now on they stand in full. */
function* namesIn(file: File, types: ReadonlyMap<string, string>): Generator<string> {
  for (const message of file.messageType ?? []) yield* namesInMessage(file.package, message, types);
  for (const { method } of file.service) {
    for (const { inputType, outputType } of method)
      yield* [inputType.slice(1), outputType.slice(1)];
  }
}

function* namesInMessage(
  above: string,
  message: Message,
  types: ReadonlyMap<string, string>,
): Generator<string> {
  const at = `${above}.${message.name}`;
  for (const field of message.field) {
    // Of an optional field protobufjs makes a choice of one, as protoc does, and no more.
    const choice = Object.hasOwn(field, 'oneofIndex') ? message.oneofDecl[field.oneofIndex] : null;
    if (choice?.name === `_${field.name}`) field.proto3Optional = true;
    if (field.typeName === '') continue;
    const type = fullName(field.typeName, at, types);
    field.typeName = `.${type}`;
    yield type;
  }
  // They end before it.
  for (const range of message.reservedRange) range.end++;
  for (const nested of message.nestedType ?? []) yield* namesInMessage(at, nested, types);
}

/** The innermost type of that name, as a scope sees it. */
function fullName(name: string, scope: string, types: ReadonlyMap<string, string>): string {
  if (name.startsWith('.')) return name.slice(1);
  for (let at = scope; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    if (types.has(`${at}.${name}`)) return `${at}.${name}`;
  }
  return name;
}
