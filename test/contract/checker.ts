/**
 * Whether an answer is one that the document lists for its operation, with a body of the listed schema
 * and nothing in it that is not listed. Schemas of answers are open for clients, and closed here.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { resolved, type Document, type Listed, type Response, type Schema } from './document.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** In front of references, so that they mean the document and not the schema that they stand in. */
const BASE = 'document';

export class Checker {
  readonly #document: Document;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #compiled = new Map<unknown, ValidateFunction>();

  constructor(document: Document) {
    this.#document = document;
    this.#ajv.addSchema({ $id: BASE, components: closed(document.components) });
  }

  /** Faults of `value` against a schema of the document; `answer`: nothing more than is listed. */
  faults(
    schema: Schema,
    value: unknown,
    kind: 'request' | 'answer' = 'request',
  ): readonly string[] {
    let check = this.#compiled.get(schema);
    if (check === undefined) {
      check = this.#ajv.compile(rooted(kind === 'answer' ? closed(schema) : schema) as Schema);
      this.#compiled.set(schema, check);
    }
    if (check(value)) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message = '' }) => `${instancePath} ${message}`,
    );
  }

  /** One line for each way in which the answer is not as the document says. */
  answerFaults({ method, operation }: Listed, answered: Answered): readonly string[] {
    const { status, headers, body } = answered;
    const entry = operation.responses[String(status)];
    if (entry === undefined) {
      return [`${status} is not listed: ${new TextDecoder().decode(body).slice(0, 200)}`];
    }
    const response = resolved<Response>(this.#document, entry);
    const missing = ['x-althing-node', 'x-althing-height'].filter((name) => !(name in headers));
    const faults = missing.map((name) => `no header ${name}`);
    if (response.content === undefined) {
      return body.length === 0 ? faults : [...faults, `${status} has a body`];
    }
    if (method === 'HEAD') return faults;
    const type = headers['content-type'] ?? '';
    const content = response.content[type];
    if (content === undefined) return [...faults, `${status} as ${type} is not listed`];
    if (!type.endsWith('json') || content.schema === undefined) return faults;
    return [...faults, ...this.faults(content.schema, json(body), 'answer')];
  }
}

function json(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(body));
}

/** The same with no member allowed that is not listed; parts of an `allOf` know only theirs. */
function closed(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => closed(each, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([name, each]) => [
    name,
    closed(each, name === 'allOf'),
  ]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  const listsMembers = typeof copy['properties'] === 'object' && copy['type'] === 'object';
  if (listsMembers && !isPart && copy['additionalProperties'] === undefined) {
    copy['additionalProperties'] = false;
  }
  return copy;
}

function rooted(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rooted);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([name, each]) => [
    name,
    name === '$ref' && typeof each === 'string' ? `${BASE}${each}` : rooted(each),
  ]);
  return Object.fromEntries(entries);
}
