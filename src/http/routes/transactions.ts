/**
 * Submitting transactions and asking what became of them.
 *
 * The hot path is a canonical submission as `application/vnd.althing.submission`: its bytes go from
 * the socket to the node as they are.
 */
import { Type } from '@sinclair/typebox';
import type { Edge } from '../../edge/edge.ts';
import type { Outcome } from '../../edge/outcome.ts';
import { Problem } from '../../edge/problem.ts';
import { decodeAll, receiptsBytes, receiptsJson, receiptsView } from '../../edge/receipts.ts';
import { parseJson } from '../../edge/strict-json.ts';
import { parseMsgpack } from '../../edge/strict-msgpack.ts';
import { readTransactionName } from '../../edge/transaction-name.ts';
import type { SubmissionReceipts } from '../../../protocols/messages.ts';
import {
  answer,
  answerFormat,
  bodyFormat,
  eitherFormat,
  MSGPACK_TYPE,
  RECEIPTS_TYPE,
  SUBMISSION_TYPE,
  type AnswerFormat,
  type BodyFormat,
} from '../negotiation.ts';
import { PROBLEMS, type Operation } from '../operation.ts';
import {
  onlyFinalized,
  provable,
  PROVABLE_PARAMETERS,
  READ_PROBLEMS,
  wantsProof,
} from '../reads.ts';
import { JSON_TYPE, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';
import { named } from '../schemas.ts';
import { submissionSchema } from '../submission-schema.ts';
import {
  ACCEPTED,
  callerOf,
  readWait,
  tellAccepted,
  WRITE_PARAMETERS,
  WRITE_PROBLEMS,
} from '../writes.ts';
import { answerProved } from './proofs.ts';

const ACCEPTED_BODIES: readonly BodyFormat[] = ['json', 'msgpack', 'submission'];

export function transactionRoutes(edge: Edge, bodyBytesMax: number): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v11/transactions',
      bodyBytesMax,
      operation: submitOperation(edge),
      handle: (request) => submit(edge, request),
    },
    {
      method: 'GET',
      path: '/api/v11/transactions/:id',
      operation: FIND,
      handle: (request) => find(edge, request),
    },
  ];
}

function submitOperation({ catalog, cluster }: Edge): Operation {
  const max = cluster.genesis.limits.transactionsPerSubmissionMax;
  return {
    id: 'submitTransactions',
    tag: 'transactions',
    summary: 'Submits one transaction, or several as one submission.',
    description:
      'Executed in their order, each succeeding or failing alone: look at every receipt. A ' +
      'submission that its client signed needs no other credential and executes once, however ' +
      'often it is sent.',
    parameters: WRITE_PARAMETERS,
    body: {
      description: 'one transaction, a list of them, or the canonical bytes of a signed submission',
      content: {
        [JSON_TYPE]: submissionSchema(catalog, max),
        [MSGPACK_TYPE]: null,
        [SUBMISSION_TYPE]: Type.Unsafe({ type: 'string', contentEncoding: 'binary' }),
      },
    },
    answers: {
      200: {
        description: 'the receipts: every transaction is final',
        content: { ...eitherFormat('Receipts'), [RECEIPTS_TYPE]: null },
      },
      202: ACCEPTED,
    },
    problems: [
      ...WRITE_PROBLEMS,
      PROBLEMS.body,
      { 422: ['unknown_module', 'unknown_command', 'invalid_args'] },
    ],
    credential: 'token or signature',
  };
}

const FIND: Operation = {
  id: 'getTransaction',
  tag: 'transactions',
  summary: 'The receipts of a submission, or that of one of its transactions.',
  parameters: [
    {
      name: 'id',
      in: 'path',
      description: 'of a submission, or of a transaction: `<submission>-<index>`',
      schema: Type.String({ pattern: '^[0-9a-f]{64}(-(0|[1-9][0-9]{0,4}))?$' }),
    },
    ...PROVABLE_PARAMETERS,
  ],
  answers: {
    200: {
      description: 'it is final',
      content: eitherFormat(provable(Type.Union([named('Receipts'), named('Receipt')]))),
    },
    202: {
      description: 'taken by this node and not final yet',
      content: eitherFormat('Pending'),
      headers: { 'retry-after': 'seconds' },
    },
  },
  problems: [...READ_PROBLEMS, PROBLEMS.state, PROBLEMS.proof, { 404: ['unknown_transaction'] }],
};

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
