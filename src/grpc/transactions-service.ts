/** althing.v1.Transactions: the shared core of src/edge in protobuf's clothes. */
import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Caller, Edge } from '../edge/edge.ts';
import type { Outcome, Wait } from '../edge/outcome.ts';
import { WAIT_MS_DEFAULT, WAIT_MS_MAX } from '../edge/outcome.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { decodeAll } from '../edge/receipts.ts';
import { parseMsgpack } from '../edge/strict-msgpack.ts';
import { readTransactionName } from '../edge/transaction-name.ts';
import { protoReceipts, type ProtoReceipt } from './proto-receipts.ts';
import { text } from './read-metadata.ts';
import { fromStruct, type ProtoStruct } from './struct-values.ts';
import { submitAnswer, type SubmitAnswer } from './submit-answer.ts';
import { SubmitStream } from './submit-stream.ts';
import { answerUnary } from './unary.ts';
import type { Calls } from './calls.ts';

/** As proto-loader decodes it, defaults filled in. */
export interface SubmitMessage {
  readonly content?: 'submission' | 'transactions';
  readonly submission?: Uint8Array;
  readonly transactions?: {
    readonly transactions: readonly TransactionMessage[];
    readonly validUntil: number;
  };
  readonly idempotencyKey: string;
  readonly wait: 'WAIT_FINALIZED' | 'WAIT_ACCEPTED';
  readonly timeoutMs: number;
  readonly requestId: string;
}

interface TransactionMessage {
  readonly module: string;
  readonly command: string;
  readonly arguments?: 'args' | 'argsMsgpack';
  readonly args?: ProtoStruct;
  readonly argsMsgpack?: Uint8Array;
}

interface GetMessage {
  readonly id: string;
  readonly proof: boolean;
}

interface GetAnswer {
  readonly id: string;
  readonly height: number;
  readonly receipts: readonly ProtoReceipt[];
  readonly proof?: Uint8Array;
  readonly certifiedHeight?: number;
}

export function transactionsService(edge: Edge, calls: Calls): UntypedServiceImplementation {
  return {
    Submit: (
      call: ServerUnaryCall<SubmitMessage, SubmitAnswer>,
      done: sendUnaryData<SubmitAnswer>,
    ) =>
      answerUnary(edge, call, done, calls, async () => {
        const outcome = await submit(edge, call.request, text(call.metadata, 'authorization'));
        return outcome instanceof Problem ? outcome : submitAnswer(outcome);
      }),
    SubmitStream: (call: ServerDuplexStream<SubmitMessage, object>) => {
      const credential = text(call.metadata, 'authorization');
      const path = call.getPath();
      const run = (request: SubmitMessage): Promise<Outcome | Problem> =>
        calls.run(path, () => submit(edge, request, credential));
      new SubmitStream(call, run).start();
    },
    Get: (call: ServerUnaryCall<GetMessage, GetAnswer>, done: sendUnaryData<GetAnswer>) =>
      answerUnary(edge, call, done, calls, () => find(edge, call.request)),
  };
}

async function submit(
  edge: Edge,
  request: SubmitMessage,
  credential: string | undefined,
): Promise<Outcome | Problem> {
  const wait = waitOf(request);
  if (wait instanceof Problem) return wait;
  return hand(edge, request, wait, {
    authorization: credential,
    idempotencyKey: request.idempotencyKey === '' ? undefined : request.idempotencyKey,
  });
}

function hand(
  edge: Edge,
  request: SubmitMessage,
  wait: Wait,
  caller: Caller,
): Promise<Outcome | Problem> {
  // A copy that nobody else holds: what comes off the wire is a part of a larger buffer.
  if (request.submission !== undefined && request.content === 'submission') {
    return edge.submitBytes(Uint8Array.from(request.submission), caller, wait);
  }
  if (request.transactions === undefined) {
    return Promise.resolve(malformed('expected submission or transactions', 'content'));
  }
  const value = valueOf(request.transactions);
  return value instanceof Problem ? Promise.resolve(value) : edge.submitValue(value, caller, wait);
}

/** The same shape that JSON and msgpack have. */
function valueOf({
  transactions,
  validUntil,
}: NonNullable<SubmitMessage['transactions']>): object | Problem {
  const calls: object[] = [];
  for (const [at, each] of transactions.entries()) {
    const args = argumentsOf(each);
    if (args instanceof Problem) return malformed(args.detail, `transactions[${at}].args`);
    calls.push({ module: each.module, command: each.command, args: args.value });
  }
  return { transactions: calls, ...(validUntil === 0 ? {} : { validUntil }) };
}

function argumentsOf(transaction: TransactionMessage): { readonly value: unknown } | Problem {
  if (transaction.arguments === 'argsMsgpack') {
    return parseMsgpack(transaction.argsMsgpack ?? new Uint8Array(0));
  }
  return fromStruct(transaction.args ?? {});
}

function waitOf({ wait, timeoutMs }: SubmitMessage): Wait | Problem {
  if (timeoutMs > WAIT_MS_MAX) {
    return malformed(`expected at most ${WAIT_MS_MAX} milliseconds`, 'timeout_ms');
  }
  if (wait !== 'WAIT_FINALIZED' && wait !== 'WAIT_ACCEPTED') {
    return malformed('expected WAIT_FINALIZED or WAIT_ACCEPTED', 'wait');
  }
  return {
    until: wait === 'WAIT_ACCEPTED' ? 'accepted' : 'finalized',
    timeoutMs: timeoutMs === 0 ? WAIT_MS_DEFAULT : timeoutMs,
  };
}

async function find(edge: Edge, { id, proof }: GetMessage): Promise<GetAnswer | Problem> {
  const name = readTransactionName(id);
  if (name instanceof Problem) return name;
  const found = await edge.find(name.submission);
  if (found instanceof Problem) return found;
  const all = decodeAll(found.receipts);
  const wanted = name.index === null ? all : all.slice(name.index, name.index + 1);
  if (wanted.length === 0) {
    const detail = `the submission has ${all.length} transactions, numbered from 0`;
    return new Problem(404, 'unknown_transaction', detail, { field: 'id' });
  }
  const answer = { id, height: found.receipts.height, receipts: protoReceipts(wanted) };
  if (!proof) return answer;
  const proved = await edge.prove({ kind: 'submission', id: name.submission });
  if (proved instanceof Problem) return proved;
  return { ...answer, proof: proved.proof, certifiedHeight: proved.height };
}
