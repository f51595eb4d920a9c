/** Between messages as protobufjs decodes them and values as JSON has them, by shape. */
import { isMembers } from '../../edge/fields.ts';
import {
  readStruct,
  readValue,
  toProtoStruct,
  toProtoValue,
  type ProtoStruct,
  type ProtoValue,
} from '../struct-values.ts';
import { WHOLE } from './module-proto.ts';
import type { Field, Shape } from './shape.ts';

type Message = Readonly<Record<string, unknown>>;

/**
 * What a message says, in the form that JSON has: whether it fits its schema is checked as if it were
 * JSON. To be called within orProblem of struct-values.ts.
 */
export function fromMessage(shape: Shape, message: unknown): unknown {
  switch (shape.kind) {
    case 'scalar':
      if (shape.type === 'bytes') return Uint8Array.from(message as Uint8Array);
      return shape.type === 'int64' ? integer(String(message)) : message;
    case 'integer64':
      return String(message);
    case 'value':
      return readValue(message as ProtoValue, 1);
    case 'struct':
      return readStruct(message as ProtoStruct, 1);
    case 'list':
      return (message as readonly unknown[]).map((each) => fromMessage(shape.item, each));
    case 'message':
      return membersFrom(shape, message as Message);
  }
}

/** As a number where it is one of 53 bits; else as it came, for the schema to refuse. */
function integer(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

function membersFrom(
  { fields }: Extract<Shape, { kind: 'message' }>,
  message: Message,
): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {};
  for (const { name, key, shape, optional, nullable } of fields) {
    const value = Object.hasOwn(message, key) ? message[key] : undefined;
    const isAbsent = value === undefined || value === null;
    // An empty list and none are the same on the wire.
    const isEmpty = Array.isArray(value) && value.length === 0 && optional;
    if (!isAbsent && !isEmpty) members[name] = fromMessage(shape, value);
    else if (nullable) members[name] = null;
  }
  return members;
}

/** Arguments out of the message that has them: it has one field where they are no members. */
export function argumentsFrom(shape: Shape, message: unknown): unknown {
  if (shape.kind === 'message') return fromMessage(shape, message);
  const value = (message as Message)[WHOLE];
  return value === null || value === undefined ? {} : fromMessage(shape, value);
}

/** Data of an event as its message. */
export function eventMessage(shape: Shape, data: unknown): unknown {
  const message = toMessage(shape, data);
  return shape.kind === 'message' ? message : { [WHOLE]: message };
}

/** A result as a message. */
export function toMessage(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'scalar':
    case 'integer64':
      return typeof value === 'bigint' ? value.toString() : value;
    case 'value':
      return toProtoValue(value);
    case 'struct':
      return toProtoStruct(value);
    case 'list':
      return (value as readonly unknown[]).map((each) => toMessage(shape.item, each));
    case 'message':
      return messageFrom(shape, value);
  }
}

function messageFrom({ fields }: Extract<Shape, { kind: 'message' }>, value: unknown): Message {
  if (!isMembers(value)) return {};
  // Null is a value where anything is, and nothing where a type is.
  const isThere = ({ name, shape }: Field): boolean =>
    value[name] !== undefined && (value[name] !== null || shape.kind === 'value');
  const entries = fields
    .filter(isThere)
    .map(({ name, key, shape }) => [key, toMessage(shape, value[name])]);
  return Object.fromEntries(entries) as Message;
}
