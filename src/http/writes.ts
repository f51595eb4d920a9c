/** What every write takes beside its body: how long to wait for what, and who asks. */
import { Type } from '@sinclair/typebox';
import type { Caller } from '../edge/edge.ts';
import { integerField } from '../edge/fields.ts';
import {
  statusUrl,
  WAIT_MS_DEFAULT,
  WAIT_MS_MAX,
  type Outcome,
  type Wait,
} from '../edge/outcome.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { transactionId } from '../../protocols/transaction/submission.ts';
import { answer, eitherFormat } from './negotiation.ts';
import { PROBLEMS, type Answer, type Parameter, type Problems } from './operation.ts';
import { onlyParameters, type Reply, type Request } from './request.ts';

const NAMES = ['wait', 'timeoutMs'];
const FINALIZED: Wait = { until: 'finalized', timeoutMs: WAIT_MS_DEFAULT };

export const WRITE_PARAMETERS: readonly Parameter[] = [
  {
    name: 'wait',
    in: 'query',
    description: 'what to wait for: finality, or that this node has taken it',
    schema: Type.Union([Type.Literal('finalized'), Type.Literal('accepted')]),
  },
  {
    name: 'timeoutMs',
    in: 'query',
    description: `how long to wait, in milliseconds; ${WAIT_MS_DEFAULT} without it`,
    schema: Type.Integer({ minimum: 1, maximum: WAIT_MS_MAX }),
  },
  {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'the same transactions under the same key execute once, whatever node they are sent to',
    schema: Type.String({ minLength: 1, maxLength: 255 }),
  },
];

/** Of a write that the node signs for its caller. */
export const WRITE_PROBLEMS: readonly Problems[] = [
  PROBLEMS.parameters,
  PROBLEMS.negotiated,
  PROBLEMS.submitted,
  PROBLEMS.write,
];

export const ACCEPTED: Answer = {
  description: 'with `wait=accepted`: taken by this node, final later, or never',
  content: eitherFormat('Accepted'),
  headers: { location: 'where to ask what became of it' },
};

export function callerOf({ headers }: Request): Caller {
  return {
    authorization: headers.get('authorization'),
    idempotencyKey: headers.get('idempotency-key'),
  };
}

/** `own`: parameters that the route has besides. */
export function readWait(request: Request, own: readonly string[] = []): Wait | Problem {
  if (request.query.size === 0) return FINALIZED;
  const unknown = onlyParameters(request, [...NAMES, ...own]);
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

export function tellAccepted(
  request: Request,
  { id, txCount, exactlyOnce }: Extract<Outcome, { kind: 'accepted' }>,
): Reply | Problem {
  const ids = Array.from({ length: txCount }, (_, at) => transactionId(id, at));
  const location = statusUrl(id);
  const body = { id, ids, statusUrl: location, exactlyOnce };
  return answer(request, body, 202, { headers: [['location', location]] });
}
