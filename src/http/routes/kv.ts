/**
 * Keys of the `kv` module as resources: the version of a key is its ETag, and `If-Match` makes a write
 * conditional (RFC 9110 §13). A write is a transaction like any other, final when it is answered.
 */
import { commandArgs, queryArgs } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { isMembers } from '../../edge/fields.ts';
import type { Outcome } from '../../edge/outcome.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { decodeAll } from '../../edge/receipts.ts';
import { parseJson } from '../../edge/strict-json.ts';
import { parseMsgpack } from '../../edge/strict-msgpack.ts';
import { answer, bodyFormat } from '../negotiation.ts';
import { onlyReadOptions } from '../reads.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';
import { callerOf, readWait, tellAccepted } from './transactions.ts';

const MODULE = 'kv';
const PATH = '/api/v11/kv/:namespace/:key';

export function kvRoutes(edge: Edge, bodyBytesMax: number): Route[] {
  return [
    { method: 'GET', path: PATH, handle: (request) => read(edge, request) },
    { method: 'PUT', path: PATH, bodyBytesMax, handle: (request) => write(edge, request) },
    { method: 'DELETE', path: PATH, handle: (request) => remove(edge, request) },
  ];
}

function placeOf(request: Request): { readonly namespace: string; readonly key: string } {
  const [namespace = '', key = ''] = request.params;
  return { namespace, key };
}

const etagOf = (version: unknown): string => `"${String(version)}"`;

async function read(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyReadOptions(request);
  if (refused !== null) return refused;
  const args = queryArgs(edge.catalog, MODULE, 'get', placeOf(request));
  if (args instanceof Problem) return args;
  const found = await edge.query(MODULE, 'get', args.value);
  if (found instanceof Problem) return found;
  const { value, height } = found;
  const etag = etagOf(isMembers(value) ? value['version'] : '');
  const headers = [['etag', etag]] as const;
  if (isNamed(etag, request.headers.get('if-none-match'))) {
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
  return change(edge, request, 'set', () => readValue(request));
}

function remove(edge: Edge, request: Request): Promise<Reply | Problem> {
  return change(edge, request, 'delete', () => ({}));
}

function readValue(request: Request): { readonly value: unknown } | Problem {
  const format = bodyFormat(request, ['json', 'msgpack']);
  if (format instanceof Problem) return format;
  return format === 'json' ? parseJson(request.body) : parseMsgpack(request.body);
}

async function change(
  edge: Edge,
  request: Request,
  command: string,
  read: () => Readonly<Record<string, unknown>> | Problem,
): Promise<Reply | Problem> {
  const wait = readWait(request);
  if (wait instanceof Problem) return wait;
  const condition = conditionOf(request);
  if (condition instanceof Problem) return condition;
  // The node signs every such write: the body of one that it will not sign is not read.
  const principal = edge.authorize(callerOf(request));
  if (principal instanceof Problem) return principal;
  const content = read();
  if (content instanceof Problem) return content;
  const place = placeOf(request);
  const given = { ...place, ...content, ...condition };
  const args = commandArgs(edge.catalog, { module: MODULE, command, args: given }, '');
  if (args instanceof Problem) return args;
  const calls = [{ module: MODULE, command, args: args.value }];
  const asked = { calls, validUntil: null, client: null };
  const outcome = await edge.submitRequest(asked, callerOf(request), wait);
  if (outcome instanceof Problem) return outcome;
  if (outcome.kind === 'accepted') return tellAccepted(request, outcome);
  return changed(request, place, outcome);
}

/** `If-Match: "<version>"`, or `If-None-Match: *` for a key that must not be there yet. */
function conditionOf({ headers }: Request): { readonly ifVersion?: number } | Problem {
  const match = headers.get('if-match');
  const none = headers.get('if-none-match');
  if (match !== undefined && none !== undefined) {
    return malformed('send If-Match or If-None-Match, not both', 'If-Match');
  }
  if (none !== undefined) {
    return none === '*' ? { ifVersion: 0 } : malformed('expected *', 'If-None-Match');
  }
  if (match === undefined) return {};
  const version = /^"([1-9][0-9]{0,15})"$/.exec(match)?.[1];
  return version === undefined
    ? malformed('expected the ETag of a key, such as "7"', 'If-Match')
    : { ifVersion: Number(version) };
}

function changed(
  request: Request,
  place: object,
  { receipts, exactlyOnce }: Extract<Outcome, { kind: 'final' }>,
): Reply | Problem {
  const [receipt] = decodeAll(receipts);
  const { height } = receipts;
  if (receipt?.error !== undefined) return refusedByModule(request, receipt.error);
  const version = isMembers(receipt?.result) ? receipt.result['version'] : null;
  const body = { ...place, version, id: receipt?.id, height, exactlyOnce };
  return answer(request, body, 200, { height, headers: [['etag', etagOf(version)]] });
}

function refusedByModule(
  { headers }: Request,
  { code, message }: { code: string; message: string },
): Problem {
  if (code === 'version_mismatch') {
    const field = headers.has('if-none-match') ? 'If-None-Match' : 'If-Match';
    return new Problem(412, code, message, { field });
  }
  return new Problem(code === 'key_not_found' ? 404 : 422, code, message);
}
