/**
 * Numbers of fields, which never change: a generated .proto file is the record of those that were given.
 *
 * A field keeps the number under which the file before had it with this name and type; any other gets
 * one that its message never had. Those of fields that are gone stay reserved.
 */
export type Numbers = ReadonlyMap<string, MessageNumbers>;

interface MessageNumbers {
  /** By type and name, as `repeated string voters`. */
  readonly given: ReadonlyMap<string, number>;
  readonly reserved: readonly number[];
}

const NONE: MessageNumbers = { given: new Map(), reserved: [] };
const FIELD = /^(?:optional )?((?:repeated )?[\w.]+ \w+) = (\d+);/;

/** Reads what module-proto.ts wrote; messages are named by their path, as `A.B`. */
export function numbersIn(file: string): Numbers {
  const numbers = new Map<string, { given: Map<string, number>; reserved: number[] }>();
  const path: string[] = [];
  for (const line of file.split('\n').map((each) => each.trim())) {
    const [, opened] = /^(?:message|service) (\w+) \{/.exec(line) ?? [];
    if (opened !== undefined) path.push(opened);
    if (line.endsWith('}')) path.pop();
    const at = path.join('.');
    const message = numbers.get(at) ?? { given: new Map<string, number>(), reserved: [] };
    const [, field, number] = FIELD.exec(line) ?? [];
    if (field !== undefined) message.given.set(field, Number(number));
    const [, reserved] = /^reserved ([\d, ]+);/.exec(line) ?? [];
    if (reserved !== undefined) message.reserved.push(...reserved.split(',').map(Number));
    if (field !== undefined || reserved !== undefined) numbers.set(at, message);
  }
  return numbers;
}

/** Numbers for the fields of a message, in their order, and those that nobody may take. */
export function numbered(
  before: Numbers,
  path: string,
  fields: readonly string[],
): { readonly numbers: readonly number[]; readonly reserved: readonly number[] } {
  const { given, reserved } = before.get(path) ?? NONE;
  const gone = [...given].filter(([field]) => !fields.includes(field)).map(([, number]) => number);
  let last = Math.max(0, ...given.values(), ...reserved);
  const numbers = fields.map((field) => given.get(field) ?? ++last);
  return { numbers, reserved: [...reserved, ...gone].toSorted((a, b) => a - b) };
}
