/**
 * google.protobuf.Struct and Value as plain values, and back (protobuf's JSON mapping). Depth is
 * bounded here as it is for JSON.
 */
import { malformed, type Problem } from '../edge/problem.ts';
import { plain } from '../edge/representation.ts';
import { DEPTH_MAX, isForbiddenName } from '../edge/strict-json.ts';

/** As proto-loader decodes it; `kind` names the field that is set. */
export interface ProtoValue {
  readonly kind?: string;
  readonly nullValue?: unknown;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: ProtoStruct;
  readonly listValue?: { readonly values?: readonly ProtoValue[] };
}

export interface ProtoStruct {
  readonly fields?: Readonly<Record<string, ProtoValue>>;
}

export function fromStruct(struct: ProtoStruct): { readonly value: unknown } | Problem {
  return orProblem(() => readStruct(struct, 1));
}

/** What `read` makes of Structs and Values, or why it is nothing. */
export function orProblem(read: () => unknown): { readonly value: unknown } | Problem {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof Refused) return malformed(error.message, 'args');
    throw error;
  }
}

class Refused extends Error {}

/** Within orProblem. */
export function readStruct({ fields = {} }: ProtoStruct, depth: number): Record<string, unknown> {
  if (depth > DEPTH_MAX) throw new Refused(`nested deeper than ${DEPTH_MAX} levels`);
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (isForbiddenName(name)) throw new Refused(`the name ${JSON.stringify(name)} is not allowed`);
    members[name] = readValue(value, depth + 1);
  }
  return members;
}

/** Within orProblem. */
export function readValue(value: ProtoValue, depth: number): unknown {
  switch (value.kind) {
    case 'nullValue':
      return null;
    case 'numberValue':
      return readNumber(value.numberValue ?? 0);
    case 'stringValue':
      return value.stringValue;
    case 'boolValue':
      return value.boolValue;
    case 'structValue':
      return readStruct(value.structValue ?? {}, depth);
    case 'listValue':
      if (depth > DEPTH_MAX) throw new Refused(`nested deeper than ${DEPTH_MAX} levels`);
      return (value.listValue?.values ?? []).map((each) => readValue(each, depth + 1));
    default:
      throw new Refused('a value without a kind');
  }
}

function readNumber(value: number): number {
  const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (exact) return value;
  throw new Refused('a number that a double does not hold exactly: use a decimal string');
}

/** Any value that a receipt may hold, in the form that proto-loader encodes. */
export function toProtoValue(value: unknown): ProtoValue {
  return writeValue(plain(value));
}

function writeValue(value: unknown): ProtoValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    default:
      return value === null || typeof value !== 'object' ? { nullValue: 0 } : writeObject(value);
  }
}

function writeObject(value: object): ProtoValue {
  if (Array.isArray(value)) return { listValue: { values: value.map(writeValue) } };
  return { structValue: writeStruct(value) };
}

function writeStruct(value: object): ProtoStruct {
  const fields = Object.entries(value).map(([name, each]) => [name, writeValue(each)] as const);
  return { fields: Object.fromEntries(fields) };
}

export function toProtoStruct(value: unknown): ProtoStruct {
  return writeStruct(plain(value) as object);
}
