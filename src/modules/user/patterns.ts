/**
 * Patterns of user modules' schemas are matched in time linear in the text, by RE2: the engine's own
 * regular expressions backtrack, and no meter could stop them. Documents have the pattern as it is.
 */
import { Kind, TypeRegistry, type TSchema } from '@sinclair/typebox';
import { RE2JS } from 're2js';

const KIND = 'althing/matched';
const PATTERN_MAX = 1000;
/** Of the compiled pattern, in instructions; matching takes up to that many for each character. */
const PROGRAM_MAX = 1000;

const programs = new Map<string, RE2JS>();

/** How many instructions it has. Throws an Error that says what is wrong with it. */
export function compilePattern(pattern: string): number {
  const known = programs.get(pattern);
  if (known !== undefined) return known.programSize();
  if (pattern.length > PATTERN_MAX) {
    throw new Error(`a pattern has at most ${PATTERN_MAX} characters`);
  }
  try {
    // Clients check by the document with the regular expressions of their language.
    void new RegExp(pattern, 'u');
    const program = RE2JS.compile(pattern);
    if (program.programSize() > PROGRAM_MAX) throw new Error('it repeats too much');
    programs.set(pattern, program);
    return program.programSize();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the pattern ${JSON.stringify(pattern)} cannot be used: ${reason}`);
  }
}

interface MatchedText {
  readonly pattern: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

TypeRegistry.Set<MatchedText>(KIND, ({ pattern, minLength, maxLength }, value) => {
  if (typeof value !== 'string') return false;
  if (value.length < (minLength ?? 0) || value.length > (maxLength ?? Infinity)) return false;
  return programs.get(pattern)!.test(value);
});

/** The same schema for checks: with RE2 wherever it has a pattern. */
export function matchedByRe2(schema: TSchema): TSchema {
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema)) as TSchema;
  if (schema[Kind] === 'String' && typeof schema['pattern'] === 'string') {
    compilePattern(schema['pattern']);
    return Object.assign(copy, { [Kind]: KIND });
  }
  const { properties, items, anyOf } = schema as {
    readonly properties?: Readonly<Record<string, TSchema>>;
    readonly items?: TSchema | readonly TSchema[];
    readonly anyOf?: readonly TSchema[];
  };
  if (properties !== undefined) {
    const entries = Object.entries(properties).map(([name, each]) => [name, matchedByRe2(each)]);
    Object.assign(copy, { properties: Object.fromEntries(entries) as object });
  }
  if (Array.isArray(items)) Object.assign(copy, { items: items.map(matchedByRe2) });
  else if (items !== undefined) Object.assign(copy, { items: matchedByRe2(items as TSchema) });
  if (anyOf !== undefined) Object.assign(copy, { anyOf: anyOf.map(matchedByRe2) });
  return copy;
}
