/** Values from a schema of the document: such as fit, and what is near to fitting. */
import fc from 'fast-check';
import { resolved, type Document, type Schema } from './document.ts';

const LENGTH_MAX = 40;

/** Any value that fits. */
export function fitting(document: Document, schema: Schema): fc.Arbitrary<unknown> {
  const whole = resolved<Schema>(document, schema as Schema & { $ref: string });
  const of = (part: unknown): fc.Arbitrary<unknown> => fitting(document, part as Schema);
  if ('const' in whole) return fc.constant(whole['const']);
  if (Array.isArray(whole['enum'])) return fc.constantFrom(...(whole['enum'] as unknown[]));
  if (whole['x-json-form'] === 'integer64') {
    // The schema has no words for how much fits: the pattern lets more pass.
    const [numbers] = (whole['anyOf'] ?? [{ minimum: 0 }]) as readonly Schema[];
    const fits = fc.maxSafeInteger().map((any) => within(numbers!, any));
    return whole['anyOf'] === undefined ? fits.map(String) : fc.oneof(fits, fits.map(String));
  }
  const either = (whole['anyOf'] ?? whole['oneOf']) as readonly unknown[] | undefined;
  if (either !== undefined) return fc.oneof(...either.map(of));
  switch (whole['type']) {
    case 'object':
      return objects(whole, of);
    case 'array':
      return fc.array(of(whole['items']), {
        minLength: Number(whole['minItems'] ?? 0),
        maxLength: Math.min(3, Number(whole['maxItems'] ?? 3)),
      });
    case 'string':
      return texts(whole);
    case 'integer':
    case 'number':
      return fc.maxSafeInteger().map((any) => within(whole, any));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.constantFrom<unknown>(null, true, 7, 'text', [1, { a: 'b' }], { nested: [] });
  }
}

function objects(
  schema: Schema,
  of: (part: unknown) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  const members = Object.entries(properties).map(([name, each]) => [name, of(each)] as const);
  const requiredKeys = (schema['required'] ?? []) as string[];
  const { minProperties: minLength, maxProperties: maxLength } = schema as Record<string, number>;
  if (minLength !== undefined && maxLength !== undefined) {
    return fc
      .subarray(members, { minLength, maxLength })
      .chain((chosen) => fc.record(Object.fromEntries(chosen)));
  }
  return fc.record(Object.fromEntries(members), { requiredKeys });
}

function texts(schema: Schema): fc.Arbitrary<string> {
  const {
    minLength = 0,
    maxLength = LENGTH_MAX,
    pattern,
  } = schema as Record<string, number> & {
    pattern?: string;
  };
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  return pattern === undefined
    ? fc.string({ minLength, maxLength: Math.min(maxLength, minLength + LENGTH_MAX) }).filter(fits)
    : fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= 600);
}

function within({ minimum, maximum }: Schema, any: number): number {
  const low = Number(minimum ?? Number.MIN_SAFE_INTEGER);
  const high = Number(maximum ?? Number.MAX_SAFE_INTEGER);
  return any >= low && any <= high ? any : low + (Math.abs(any) % Math.min(1000, high - low + 1));
}

const STRANGE: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  'x',
  '-1',
  '1e3',
  '0x10',
  '99999999999999999999999999',
  '\u0000',
  '../../etc/passwd',
  'ü😀',
  'x'.repeat(5_000),
  [],
  [[[[]]]],
  {},
  { a: 1 },
];

/** The value with one part of it replaced, left out or added: most do not fit any more. */
export function* spoiled(value: unknown): Generator<unknown> {
  yield* STRANGE;
  if (Array.isArray(value)) {
    yield [...(value as unknown[]), ...(value as unknown[]), 'x'];
    for (const [at, each] of value.entries()) {
      for (const other of spoiled(each)) yield value.with(at, other);
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, unknown: 1 };
    for (const [name, each] of Object.entries(value)) {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const other of spoiled(each)) yield { ...value, [name]: other };
    }
  }
}
