/**
 * Hands a signed submission to a node, without waiting until it is final.
 *
 * A node that is silent may have it, and executes it. So a refusal is believed as the outcome of a submission is
 * (X2): from f + 1 nodes, or all that there are; and where nobody tells, the outcome is not known.
 */
import { submissionId, transactionId } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { isFinalRefusal, Refusals } from '../client/asking.ts';
import type { Client } from '../client/client.ts';
import { OutcomeUnknown } from '../client/errors.ts';
import { attempts } from '../client/hedging.ts';
import { membersOf, problemOf } from '../client/nodes.ts';
import { Said } from '../client/said.ts';
import { SUBMISSION_TYPE } from '../client/submitter.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { statusUrl } from '../edge/outcome.ts';
import { clientTxCount, signedPart } from '../edge/raw-submission.ts';

/** A node says that it has taken it. Of its words nothing else is used: all of this is known here. */
export interface Accepted {
  readonly id: Digest;
  /** Of its transactions, in order. */
  readonly ids: readonly string[];
  readonly statusUrl: string;
  /** What is signed executes once at most, however often it is sent. */
  readonly exactlyOnce: true;
}

/**
 * Until a node has taken it, or the signal. Throws AlthingError when it is refused, OutcomeUnknown when nobody
 * told.
 */
export async function handOver(
  { nodes, cluster }: Pick<Client, 'nodes' | 'cluster'>,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Accepted> {
  const id = submissionId(nodeCrypto, signedPart(bytes));
  const path = '/api/v11/transactions?wait=accepted';
  const headers = { 'content-type': SUBMISSION_TYPE, accept: 'application/json' };
  const request = { method: 'POST', path, headers, body: bytes } as const;
  const refusals = new Refusals(nodes, cluster.faultyMax + 1);
  const said = new Said(nodes);
  const one = (node: number, end: AbortSignal) => nodes.ask(node, request, end);
  for await (const { node, result: answer } of attempts(nodes, 'POST', signal, one)) {
    if (answer === null) continue;
    if (answer.status === 202 && membersOf(answer)['id'] === id) return accepted(id, bytes);
    const error = problemOf(answer);
    said.add(node, error);
    if (isFinalRefusal(error) && refusals.areEnough(node, error)) throw error;
  }
  throw new OutcomeUnknown(id, bytes, said.text);
}

function accepted(id: Digest, bytes: Uint8Array): Accepted {
  const ids = Array.from({ length: clientTxCount(bytes) }, (_, at) => transactionId(id, at));
  return { id, ids, statusUrl: statusUrl(id), exactlyOnce: true };
}
