/** Requests for an operation of the document: good, bad and hostile ones. */
import fc from 'fast-check';
import type { Checker } from './checker.ts';
import type { Document, Listed, Parameter, Schema } from './document.ts';
import { fitting, spoiled } from './values.ts';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The document says that this does not fit: it must be refused. */
  readonly isBad: boolean;
  /** What about it is special, for people. */
  readonly note: string;
}

const JSON_TYPE = 'application/json';
const GOOD = 6;
const SEED = 11;

export class Requests {
  readonly #document: Document;
  readonly #checker: Checker;
  readonly #credential: Readonly<Record<string, string>>;

  constructor(document: Document, checker: Checker, credential: Readonly<Record<string, string>>) {
    this.#document = document;
    this.#checker = checker;
    this.#credential = credential;
  }

  /** Fit the schemas: may be refused for what they mean, and not for their form. */
  good(listed: Listed): readonly Sent[] {
    const { operation } = listed;
    const parameters = fc.tuple(...(operation.parameters ?? []).map((each) => this.#given(each)));
    const schema = bodySchema(listed);
    const body = schema === null ? fc.constant(undefined) : fitting(this.#document, schema);
    return fc
      .sample(fc.tuple(parameters, body), { numRuns: GOOD, seed: SEED })
      .map(([given, value]) => ({
        ...this.#request(listed, given, schema === null ? undefined : JSON.stringify(value)),
        isBad: false,
        note: 'good',
      }));
  }

  /** One part of a good request spoiled. */
  bad(listed: Listed): readonly Sent[] {
    const [given, value] = this.#sample(listed);
    const text = value === undefined ? undefined : JSON.stringify(value);
    return [...this.#badBodies(listed, given, value), ...this.#badParameters(listed, given, text)];
  }

  /** What no document could list, in bytes, names, sizes and headers. */
  hostile(listed: Listed): readonly Sent[] {
    const [given, value] = this.#sample(listed);
    const text = value === undefined ? undefined : JSON.stringify(value);
    const request = this.#request(listed, given, text);
    const withHeaders = (headers: Record<string, string>, isBad: boolean): Sent => ({
      ...request,
      headers: { ...request.headers, ...headers },
      isBad,
      note: JSON.stringify(headers),
    });
    const common = [
      withHeaders({ accept: 'text/html;q=0.1, */*;q=0' }, false),
      withHeaders({ accept: 'application/msgpack' }, false),
      withHeaders({ traceparent: 'x'.repeat(500), 'x-unknown': '\u00ff' }, false),
      {
        ...request,
        path: `${request.path}${mark(request.path)}unknown=1`,
        isBad: false,
        note: 'unknown parameter',
      },
      {
        ...request,
        path: `${request.path}${mark(request.path)}a=%ff`,
        isBad: true,
        note: 'no UTF-8',
      },
      {
        ...request,
        path: `${request.path}${mark(request.path)}a=1&a=2`,
        isBad: true,
        note: 'twice',
      },
      {
        ...request,
        path: `${request.path}${mark(request.path)}__proto__=1&constructor=2`,
        isBad: false,
        note: 'names',
      },
    ];
    if (text === undefined) return common;
    const bodies = HOSTILE_BODIES.map(([note, body]) => ({ ...request, body, isBad: true, note }));
    return [
      ...common,
      ...bodies,
      withHeaders({ 'content-type': 'text/plain' }, true),
      withHeaders({ 'content-type': 'application/json; charset=latin1' }, true),
      withHeaders({ 'content-encoding': 'gzip' }, true),
      withHeaders({ 'content-type': 'application/msgpack' }, false),
      ...(this.#needsToken(listed)
        ? [
            withHeaders({ authorization: '' }, true),
            withHeaders({ authorization: 'Bearer no' }, true),
            withHeaders({ authorization: 'Basic eDp5' }, true),
          ]
        : []),
    ];
  }

  #needsToken({ operation }: Listed): boolean {
    return operation.security?.length === 1;
  }

  /** With no more than it needs, so that only what is spoiled is refused. */
  #sample(listed: Listed): readonly [readonly (Given | null)[], unknown] {
    const parameters = (listed.operation.parameters ?? []).map((each) =>
      each.required === true ? this.#given(each) : fc.constant(null),
    );
    const schema = bodySchema(listed);
    const body = schema === null ? fc.constant(undefined) : fitting(this.#document, schema);
    return fc.sample(fc.tuple(fc.tuple(...parameters), body), { numRuns: 1, seed: SEED })[0]!;
  }

  /** A value of a parameter as text; null where it is left out. */
  #given(parameter: Parameter): fc.Arbitrary<Given | null> {
    const { schema, content } = parameter;
    const values =
      schema === undefined
        ? fitting(this.#document, content![JSON_TYPE]!.schema).map((each) => JSON.stringify(each))
        : fitting(this.#document, schema).map(String);
    const given = values.map((text): Given => ({ parameter, text }));
    return parameter.required === true ? given : fc.option(given);
  }

  *#badBodies(listed: Listed, given: readonly (Given | null)[], value: unknown): Generator<Sent> {
    const schema = bodySchema(listed);
    if (schema === null) return;
    for (const other of spoiled(value)) {
      const faults = this.#checker.faults(schema, other);
      const request = this.#request(listed, given, JSON.stringify(other));
      yield { ...request, isBad: faults.length > 0, note: faults[0] ?? 'fits' };
    }
  }

  *#badParameters(
    listed: Listed,
    given: readonly (Given | null)[],
    body: string | undefined,
  ): Generator<Sent> {
    for (const [at, parameter] of (listed.operation.parameters ?? []).entries()) {
      const { name, schema, required } = parameter;
      if (required === true && parameter.in === 'query') {
        const request = this.#request(listed, given.with(at, null), body);
        yield { ...request, isBad: true, note: `no ${name}` };
      }
      for (const other of spoiled('')) {
        const text = String(other);
        if (!canStand(parameter, text)) continue;
        const isBad = schema !== undefined && !this.#fits(schema, text);
        const request = this.#request(listed, given.with(at, { parameter, text }), body);
        yield { ...request, isBad, note: `${name}=${text.slice(0, 40)}` };
      }
    }
  }

  /** Whether text that stands for a value of the schema fits it. */
  #fits(schema: Schema, text: string): boolean {
    const readings: unknown[] = [text];
    if (/^(?:0|-?[1-9][0-9]*)$/.test(text)) readings.push(Number(text));
    if (text === 'true' || text === 'false') readings.push(text === 'true');
    return readings.some((each) => this.#checker.faults(schema, each).length === 0);
  }

  #request(
    { method, template }: Listed,
    given: readonly (Given | null)[],
    body: string | undefined,
  ): Pick<Sent, 'method' | 'path' | 'headers' | 'body'> {
    let path = template;
    const query: string[] = [];
    const headers: Record<string, string> = { ...this.#credential };
    for (const each of given) {
      if (each === null) continue;
      const { name, in: place } = each.parameter;
      if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(each.text));
      if (place === 'query') query.push(`${name}=${encodeURIComponent(each.text)}`);
      if (place === 'header') headers[name.toLowerCase()] = each.text;
    }
    if (body !== undefined) headers['content-type'] = JSON_TYPE;
    const whole = query.length === 0 ? path : `${path}?${query.join('&')}`;
    return { method, path: whole, headers, ...(body === undefined ? {} : { body }) };
  }
}

interface Given {
  readonly parameter: Parameter;
  readonly text: string;
}

const mark = (path: string): string => (path.includes('?') ? '&' : '?');

/** Whether the text can be sent at all, and says what it should. */
function canStand(parameter: Parameter, text: string): boolean {
  // An empty segment, or dots alone, is another path.
  if (parameter.in === 'path') return text !== '' && text.length < 1_000;
  if (parameter.in === 'header') return /^[\x20-\x7e]*$/.test(text) && text.trim() !== '';
  return text.length < 1_000;
}

/** Null where the operation takes no body. */
export function bodySchema({ operation }: Listed): Schema | null {
  return operation.requestBody?.content[JSON_TYPE]?.schema ?? null;
}

const HOSTILE_BODIES: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['cut short', '{"a":'],
  ['two documents', '{}{}'],
  ['deep', '['.repeat(50_000)],
  ['deep and whole', `${'['.repeat(40)}${']'.repeat(40)}`],
  ['a prototype', '{"__proto__":{"polluted":true}}'],
  ['a constructor', '{"constructor":{"prototype":{"polluted":true}}}'],
  ['a name twice', '{"a":1,"a":2}'],
  ['a byte order mark', '\ufeff{}'],
  ['no UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
  ['half a surrogate pair', '"\\ud800"'],
  ['a number without end', '9'.repeat(100_000)],
  ['many values', `[${'0,'.repeat(150_000)}0]`],
  ['huge', ' '.repeat(5 * 1024 * 1024)],
];
