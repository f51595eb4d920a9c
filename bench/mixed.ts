/**
 * A mix of transfers: of every hundred 70 plain, 10 pending, 8 that post and 1 that voids what was
 * pending in the same client's submission before, 10 in linked chains of two; 1 of the pending is left to
 * expire, which counts as the hundredth.
 */
import type { Call } from '../protocols/transaction/submission.ts';
import { transferOf, type Client, type Transfer, type Workload } from './workload.ts';

const CYCLE = 100;
/** Slots of a cycle, by their number. */
const PENDING = 10;
const POSTED = 18;
const VOIDED = 19;
const EXPIRED = 20;
const LINKED = 30;

const LASTS_MS = 10 * 60 * 1000;
/** Of the pending transfer that nobody posts. */
const BRIEF_MS = 2000;

/** The calls that make `perSubmission` transfers: fewer than that, since a chain is one call. */
export function mixedCalls(workload: Workload, at: number, perSubmission: number): Call[] {
  const { clients, memo, run } = workload;
  const client = clients[at % clients.length]!;
  const calls: Call[] = [];
  for (let slot = 0; slot < perSubmission; slot++) {
    const index = at * perSubmission + slot;
    const kind = slot % CYCLE;
    if (kind < PENDING) calls.push(pend(run, client, index, kind));
    else if (kind < VOIDED) {
      const pending = index - PENDING - clients.length * perSubmission;
      calls.push(...resolve(run, pending, kind < POSTED ? 'post' : 'void'));
    } else if (kind >= EXPIRED && kind < LINKED) {
      if (kind % 2 === 0) calls.push(chain(client, index));
    } else if (kind >= EXPIRED)
      calls.push(call('transfer', { ...transferOf(client, index), memo }));
  }
  return calls;
}

const call = (command: string, args: Call['args']): Call => ({ module: 'ledger', command, args });

export const idOf = (run: string, index: number): string => `${run}-${index}`;

function pend(run: string, client: Client, index: number, kind: number): Call {
  const timeoutMs = kind === PENDING - 1 ? BRIEF_MS : LASTS_MS;
  return call('pend', { ...transferOf(client, index), id: idOf(run, index), timeoutMs });
}

/** Nothing before a client's second submission. */
function resolve(run: string, pending: number, command: 'post' | 'void'): Call[] {
  return pending < 0 ? [] : [call(command, { pendingId: idOf(run, pending) })];
}

/** There and back. */
function chain(client: Client, index: number): Call {
  const there: Transfer = transferOf(client, index);
  const back = { ...there, from: there.to, to: there.from };
  return call('createTransfers', { transfers: [{ ...there, flags: ['linked'] }, back] });
}
