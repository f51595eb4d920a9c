/** Media types: what a body is written in, and what its sender wants back (RFC 9110 §12.5.1). */
import { Problem } from '../edge/problem.ts';
import { toJson, toMsgpack } from '../edge/representation.ts';
import type { Content, SchemaOrName } from './operation.ts';
import { JSON_TYPE, type Reply, type Request } from './request.ts';

export const MSGPACK_TYPE = 'application/msgpack';
export const SUBMISSION_TYPE = 'application/vnd.althing.submission';
export const RECEIPTS_TYPE = 'application/vnd.althing.receipts';

export type BodyFormat = 'json' | 'msgpack' | 'submission';
export type AnswerFormat = 'json' | 'msgpack' | 'receipts';

const BODY_FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  [JSON_TYPE, 'json'],
  [MSGPACK_TYPE, 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
  ['application/vnd.msgpack', 'msgpack'],
  [SUBMISSION_TYPE, 'submission'],
]);

export function bodyFormat(
  request: Request,
  accepted: readonly BodyFormat[],
): BodyFormat | Problem {
  const declared = request.headers.get('content-type') ?? '';
  // The hot path sends exactly this; everything else is parsed.
  const format = BODY_FORMATS.get(declared) ?? BODY_FORMATS.get(mediaType(declared));
  const encoding = request.headers.get('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    return unsupported('send the body without content encoding', 'Content-Encoding');
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(declared)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    return unsupported('send UTF-8', 'Content-Type');
  }
  if (format !== undefined && accepted.includes(format)) return format;
  const known = [...BODY_FORMATS]
    .filter(([, each]) => accepted.includes(each))
    .map(([type]) => type);
  const found = declared === '' ? 'no Content-Type' : 'an unknown Content-Type';
  return unsupported(`${found}; accepted are ${known.join(', ')}`, 'Content-Type');
}

function mediaType(declared: string): string {
  return (declared.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function unsupported(detail: string, field: string): Problem {
  return new Problem(415, 'unsupported_media_type', detail, { field });
}

/** `receipts`: whether the compact binary form of receipts is on offer, too. */
export function answerFormat(request: Request, receipts = false): AnswerFormat | Problem {
  const accept = request.headers.get('accept');
  if (accept === undefined || accept === '*/*' || accept === JSON_TYPE) return 'json';
  if (accept === MSGPACK_TYPE) return 'msgpack';
  if (receipts && accept === RECEIPTS_TYPE) return 'receipts';
  const json = quality(accept, JSON_TYPE);
  const msgpack = quality(accept, MSGPACK_TYPE);
  if (json === 0 && msgpack === 0) {
    return new Problem(406, 'not_acceptable', `offered are ${JSON_TYPE} and ${MSGPACK_TYPE}`, {
      field: 'Accept',
    });
  }
  return msgpack > json ? 'msgpack' : 'json';
}

/** Whether an answer of that type is wanted; it is where nothing is said. */
export function accepts(accept: string | undefined, type: string): boolean {
  return accept === undefined || quality(accept, type) > 0;
}

/** The weight that `accept` gives to `type`, from its most specific range. */
function quality(accept: string, type: string): number {
  const ranges = [type, `${type.split('/', 1)[0] ?? ''}/*`, '*/*'];
  let best = { rank: ranges.length, weight: 0 };
  for (const part of accept.split(',')) {
    const rank = ranges.indexOf(mediaType(part));
    if (rank < 0 || rank >= best.rank) continue;
    const weight = Number(/;\s*q\s*=\s*([0-9.]+)/i.exec(part)?.[1] ?? 1);
    best = { rank, weight: Number.isFinite(weight) ? Math.min(1, weight) : 0 };
  }
  return best.weight;
}

/** What `answer` writes, and what a body may be written in. */
export function eitherFormat(schema: SchemaOrName): Content {
  return { [JSON_TYPE]: schema, [MSGPACK_TYPE]: null };
}

/** `value` in the format that the request asks for. */
export function answer(
  request: Request,
  value: unknown,
  status = 200,
  more: Partial<Reply> = {},
): Reply | Problem {
  const format = answerFormat(request);
  if (format instanceof Problem) return format;
  return format === 'json'
    ? { status, body: toJson(value), contentType: JSON_TYPE, ...more }
    : { status, body: toMsgpack(value), contentType: MSGPACK_TYPE, ...more };
}
