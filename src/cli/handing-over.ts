/**
 * Hands a signed submission to a node, without waiting until it is final.
 *
 * A node that is silent may have it, and executes it. So a refusal is believed as the outcome of a submission is
 * (X2): from f + 1 nodes, or all that there are; and where nobody tells, the outcome is not known.
 */
import { submissionId } from '../../protocols/transaction/submission.ts';
import { isFinalRefusal, Refusals } from '../client/asking.ts';
import type { Client } from '../client/client.ts';
import { OutcomeUnknown } from '../client/errors.ts';
import { attempts } from '../client/hedging.ts';
import { membersOf, problemOf } from '../client/nodes.ts';
import { Said } from '../client/said.ts';
import { SUBMISSION_TYPE } from '../client/submitter.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { signedPart } from '../edge/raw-submission.ts';

/** A node says that it has taken it. */
export interface Accepted {
  /** In its words, with the id of the submission. */
  readonly accepted: Readonly<Record<string, unknown>>;
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
    const accepted = answer.status === 202 ? membersOf(answer) : {};
    if (accepted['id'] === id) return { accepted };
    const error = problemOf(answer);
    said.add(node, error);
    if (isFinalRefusal(error) && refusals.areEnough(node, error)) throw error;
  }
  throw new OutcomeUnknown(id, bytes, said.text);
}
