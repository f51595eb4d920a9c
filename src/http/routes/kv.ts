/**
 * Keys of the `kv` module as resources: the revision of a key's last change is its ETag, and `If-Match`
 * makes a write conditional (RFC 9110 §13). A write is a transaction like any other, final when it is
 * answered.
 */
import { queryArgs } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { integerField, isMembers } from '../../edge/fields.ts';
import { refusedByModule, soleReceipt } from '../../edge/one-receipt.ts';
import type { Outcome } from '../../edge/outcome.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import type { Receipt } from '../../../protocols/transaction/receipts.ts';
import { answer } from '../negotiation.ts';
import { readBody, submitOne } from '../one-command.ts';
import { onlyReadOptions } from '../reads.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';
import { tellAccepted } from '../writes.ts';
import { READ, REMOVE, WRITE } from './kv-operations.ts';
import { answerProved } from './proofs.ts';

const MODULE = 'kv';
const TTL_MS = 'ttlMs';
const LIFETIME = ['lease', TTL_MS];
const PATH = '/api/v11/kv/:namespace/:key';

export function kvRoutes(edge: Edge, bodyBytesMax: number): Route[] {
  return [
    { method: 'GET', path: PATH, operation: READ, handle: (request) => read(edge, request) },
    {
      method: 'PUT',
      path: PATH,
      bodyBytesMax,
      operation: WRITE,
      handle: (request) => write(edge, request),
    },
    { method: 'DELETE', path: PATH, operation: REMOVE, handle: (request) => remove(edge, request) },
  ];
}

function placeOf(request: Request): { readonly namespace: string; readonly key: string } {
  const [namespace = '', key = ''] = request.params;
  return { namespace, key };
}

/** None for what tells of no key: the answer to a delete. */
function etagsOf(value: unknown): readonly (readonly [string, string])[] {
  const revision = isMembers(value) ? value['modRevision'] : undefined;
  return typeof revision === 'number' ? [['etag', `"${revision}"`]] : [];
}

async function read(edge: Edge, request: Request): Promise<Reply | Problem> {
  const options = onlyReadOptions(request);
  if (options instanceof Problem) return options;
  const args = queryArgs(edge.catalog, MODULE, 'get', placeOf(request), true);
  if (args instanceof Problem) return args;
  if (options.proof) {
    const wanted = { kind: 'query', module: MODULE, query: 'get', args: args.value } as const;
    return answerProved(edge, request, wanted);
  }
  const found = await edge.query(MODULE, 'get', args.value, options);
  if (found instanceof Problem) return found;
  const { value, height } = found;
  const headers = etagsOf(value);
  if (isNamed(headers[0]?.[1] ?? '', request.headers.get('if-none-match'))) {
    return { status: 304, body: '', contentType: '', headers, height };
  }
  return answer(request, value, 200, { headers, height });
}

/**
 * Whether `If-None-Match` names this tag: alone, in a list, as `*`, and as a weak one, which a proxy
 * makes of it that compresses answers (RFC 9110 §13.1.2).
 */
function isNamed(etag: string, header: string | undefined): boolean {
  if (header === undefined) return false;
  const tags: readonly string[] = header.match(/"[^"]*"/g) ?? [];
  return header === '*' || tags.includes(etag);
}

function write(edge: Edge, request: Request): Promise<Reply | Problem> {
  return change(edge, request, 'set', LIFETIME, () => readBody(request));
}

function remove(edge: Edge, request: Request): Promise<Reply | Problem> {
  return change(edge, request, 'delete', [], () => ({}));
}

/** `read` gives what is written, beside the key. */
async function change(
  edge: Edge,
  request: Request,
  command: string,
  options: readonly string[],
  read: () => Readonly<Record<string, unknown>> | Problem,
): Promise<Reply | Problem> {
  const condition = conditionOf(request);
  if (condition instanceof Problem) return condition;
  const called = { module: MODULE, command, parameters: options };
  const outcome = await submitOne(edge, request, called, () => {
    const content = read();
    if (content instanceof Problem) return content;
    const lifetime = lifetimeOf(request, options);
    if (lifetime instanceof Problem) return lifetime;
    return { value: { ...placeOf(request), ...content, ...condition, ...lifetime } };
  });
  return outcome instanceof Problem ? outcome : changed(request, outcome);
}

/** `?lease=` or `?ttlMs=`: how long the key is to stay. */
function lifetimeOf({ query }: Request, options: readonly string[]): object | Problem {
  const given: Record<string, unknown> = {};
  for (const name of options) {
    const text = query.get(name);
    if (text === undefined) continue;
    const value = name === TTL_MS ? integerField(text, name) : text;
    if (value instanceof Problem) return value;
    given[name] = value;
  }
  return given;
}

/** `If-Match: "<revision>"`, or `If-None-Match: *` for a key that must not be there yet. */
function conditionOf({ headers }: Request): { readonly ifRevision?: number } | Problem {
  const match = headers.get('if-match');
  const none = headers.get('if-none-match');
  if (match !== undefined && none !== undefined) {
    return malformed('send If-Match or If-None-Match, not both', 'If-Match');
  }
  if (none !== undefined) {
    return none === '*' ? { ifRevision: 0 } : malformed('expected *', 'If-None-Match');
  }
  if (match === undefined) return {};
  const revision = /^"([1-9][0-9]{0,15})"$/.exec(match)?.[1];
  return revision === undefined
    ? malformed('expected the ETag of a key, such as "7"', 'If-Match')
    : { ifRevision: Number(revision) };
}

function changed(request: Request, outcome: Outcome): Reply | Problem {
  if (outcome.kind === 'accepted') return tellAccepted(request, outcome);
  const receipt = soleReceipt(outcome);
  const { id, height, result, error } = receipt;
  if (error?.code === 'revision_mismatch') return mismatch(request, receipt, error);
  if (error !== undefined) {
    // Of nothing else may 404 speak here: the path names the key.
    return refusedByModule(receipt, error, error.code === 'key_not_found' ? 404 : 422);
  }
  const told = isMembers(result) ? result : {};
  const body = { ...placeOf(request), ...told, id, height, exactlyOnce: outcome.exactlyOnce };
  return answer(request, body, 200, { height, headers: etagsOf(told) });
}

function mismatch(
  { headers }: Request,
  { id, height }: Receipt,
  { code, message }: NonNullable<Receipt['error']>,
): Problem {
  const field = headers.has('if-none-match') ? 'If-None-Match' : 'If-Match';
  return new Problem(412, code, message, { field, extras: { id, height } });
}
