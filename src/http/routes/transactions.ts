/**
 * Submitting transactions and asking what became of them.
 *
 * The hot path is a canonical submission as `application/vnd.althing.submission`: its bytes go from
 * the socket to the node as they are.
 */
import type { Caller, Edge } from '../../edge/edge.ts';
import { integerField } from '../../edge/fields.ts';
import {
  statusUrl,
  WAIT_MS_DEFAULT,
  WAIT_MS_MAX,
  type Outcome,
  type Wait,
} from '../../edge/outcome.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { decodeAll, receiptsBytes, receiptsJson, receiptsView } from '../../edge/receipts.ts';
import { parseJson } from '../../edge/strict-json.ts';
import { parseMsgpack } from '../../edge/strict-msgpack.ts';
import { readTransactionName } from '../../edge/transaction-name.ts';
import type { SubmissionReceipts } from '../../../protocols/messages.ts';
import { transactionId } from '../../../protocols/transaction/submission.ts';
import {
  answer,
  answerFormat,
  bodyFormat,
  RECEIPTS_TYPE,
  type AnswerFormat,
  type BodyFormat,
} from '../negotiation.ts';
import { onlyFinalized, wantsProof } from '../reads.ts';
import { JSON_TYPE, onlyParameters, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';
import { answerProved } from './proofs.ts';

const ACCEPTED_BODIES: readonly BodyFormat[] = ['json', 'msgpack', 'submission'];
const WAIT_PARAMETERS = ['wait', 'timeoutMs'];
const FINALIZED: Wait = { until: 'finalized', timeoutMs: WAIT_MS_DEFAULT };

export function transactionRoutes(edge: Edge, bodyBytesMax: number): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v11/transactions',
      bodyBytesMax,
      handle: (request) => submit(edge, request),
    },
    {
      method: 'GET',
      path: '/api/v11/transactions/:id',
      handle: (request) => find(edge, request),
    },
  ];
}

async function submit(edge: Edge, request: Request): Promise<Reply | Problem> {
  const format = bodyFormat(request, ACCEPTED_BODIES);
  if (format instanceof Problem) return format;
  const answered = answerFormat(request, true);
  if (answered instanceof Problem) return answered;
  const wait = readWait(request);
  if (wait instanceof Problem) return wait;
  if (format === 'submission') {
    const outcome = await edge.submitBytes(request.body, callerOf(request), wait);
    return tell(request, answered, outcome);
  }
  const parsed = format === 'json' ? parseJson(request.body) : parseMsgpack(request.body);
  if (parsed instanceof Problem) return parsed;
  return tell(request, answered, await edge.submitValue(parsed.value, callerOf(request), wait));
}

export function callerOf({ headers }: Request): Caller {
  return {
    authorization: headers.get('authorization'),
    idempotencyKey: headers.get('idempotency-key'),
  };
}

/** What the client is told, in the format it asked for. */
export function tell(
  request: Request,
  format: AnswerFormat,
  outcome: Outcome | Problem,
): Reply | Problem {
  if (outcome instanceof Problem) return outcome;
  if (outcome.kind === 'accepted') return tellAccepted(request, outcome);
  const { receipts, exactlyOnce } = outcome;
  const { height } = receipts;
  if (format === 'json') {
    const body = receiptsJson(receipts, { exactlyOnce });
    return { status: 200, body, contentType: JSON_TYPE, height };
  }
  if (format === 'receipts') {
    return { status: 200, body: receiptsBytes(receipts), contentType: RECEIPTS_TYPE, height };
  }
  return answer(request, receiptsView(receipts, { exactlyOnce }), 200, { height });
}

export function tellAccepted(
  request: Request,
  { id, txCount, exactlyOnce }: Extract<Outcome, { kind: 'accepted' }>,
): Reply | Problem {
  const ids = Array.from({ length: txCount }, (_, at) => transactionId(id, at));
  const location = statusUrl(id);
  const body = { id, ids, statusUrl: location, exactlyOnce };
  return answer(request, body, 202, { headers: [['location', location]] });
}

/** `own`: parameters that the route has besides. */
export function readWait(request: Request, own: readonly string[] = []): Wait | Problem {
  if (request.query.size === 0) return FINALIZED;
  const unknown = onlyParameters(request, [...WAIT_PARAMETERS, ...own]);
  if (unknown !== null) return unknown;
  const until = request.query.get('wait') ?? 'finalized';
  if (until !== 'finalized' && until !== 'accepted') {
    return malformed('expected finalized or accepted', 'wait');
  }
  const timeoutMs = integerField(request.query.get('timeoutMs') ?? WAIT_MS_DEFAULT, 'timeoutMs');
  if (timeoutMs instanceof Problem) return timeoutMs;
  if (timeoutMs < 1 || timeoutMs > WAIT_MS_MAX) {
    return malformed(`expected 1 to ${WAIT_MS_MAX} milliseconds`, 'timeoutMs');
  }
  return { until, timeoutMs };
}

async function find(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyFinalized(request, 'provable');
  if (refused !== null) return refused;
  const name = readTransactionName(request.params[0] ?? '');
  if (name instanceof Problem) return name;
  const found = await edge.find(name.submission);
  if (found instanceof Problem) return found.code === 'in_progress' ? pending(request) : found;
  const { height, receipts } = found;
  const shown =
    name.index === null
      ? receiptsView(receipts, { exactlyOnce: null })
      : decodeAll(receipts)[name.index];
  if (shown === undefined) return noSuchIndex(receipts);
  const proof = wantsProof(request);
  if (proof instanceof Problem) return proof;
  if (!proof) return answer(request, shown, 200, { height });
  return answerProved(edge, request, { kind: 'submission', id: name.submission }, () => shown);
}

/** Taken here and not final yet: neither an error nor a receipt. */
function pending(request: Request): Reply | Problem {
  const body = { id: request.params[0], status: 'pending' };
  return answer(request, body, 202, { headers: [['retry-after', '1']] });
}

function noSuchIndex({ txCount }: SubmissionReceipts): Problem {
  const detail = `the submission has ${txCount} transactions, numbered from 0`;
  return new Problem(404, 'unknown_transaction', detail, { field: 'id' });
}
