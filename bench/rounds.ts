/**
 * The work of the scenario `voting`: rounds of four voters of whom three are required, so that each is
 * decided by its third vote. A lot is many rounds in three submissions: the first opens them and votes,
 * and once it is final the two others vote, in whatever order they come.
 */
import type { Call } from '../protocols/transaction/submission.ts';
import { decodeReceipts } from '../protocols/transaction/receipts.ts';
import { closedLoop } from './loops.ts';
import type { Sender, Sent } from './sender.ts';
import type { RunResult } from './tally.ts';
import { sign, type Client, type Workload } from './workload.ts';

const VOTERS = 4;
const REQUIRED = 3;

export interface Lot {
  readonly opening: Uint8Array;
  readonly votes: readonly Uint8Array[];
}

/** Signed lots of `rounds` rounds each; the voters of one lot are clients that follow one another. */
export function lotsOf(workload: Workload, count: number, rounds: number): Lot[] {
  return Array.from({ length: count }, (_, lot) => {
    const voters = votersOf(workload, lot);
    const ids = Array.from({ length: rounds }, (_each, at) => `${workload.run}-${lot}-${at}`);
    const cast = ids.map((round) => call('cast', { round, choice: 'approve' }));
    const electorate = {
      voters: voters.map(({ signer }) => ({ voter: `key:${signer.publicKey}` })),
      required: REQUIRED,
    };
    const open = ids.map((round) => call('open', { round, ...electorate }));
    const [first, ...others] = voters.slice(0, REQUIRED);
    return {
      opening: sign(workload, first!, [...open, ...cast]),
      votes: others.map((voter) => sign(workload, voter, cast)),
    };
  });
}

function votersOf({ clients }: Workload, lot: number): Client[] {
  if (clients.length < VOTERS) throw new Error(`rounds need ${VOTERS} clients: --clients`);
  return Array.from({ length: VOTERS }, (_, at) => clients[(lot + at) % clients.length]!);
}

function call(command: string, args: Call['args']): Call {
  return { module: 'voting', command, args };
}

/** Closed loop over lots. `transactions` of the result are decided rounds, and a latency is that of a lot. */
export function decideAll(
  sender: Sender,
  lots: readonly Lot[],
  options: { readonly rounds: number; readonly outstanding: number; readonly secondsMax: number },
): Promise<RunResult> {
  const { rounds, ...bounds } = options;
  return closedLoop({ ...bounds, count: lots.length, transactionsEach: rounds }, (at) =>
    decide(sender, lots[at]!, at, rounds),
  );
}

async function decide(sender: Sender, lot: Lot, node: number, rounds: number): Promise<Sent> {
  const opened = await sender.send(lot.opening, node);
  if (!opened.ok) return opened;
  const voted = await Promise.all(lot.votes.map((vote, at) => sender.send(vote, node + 1 + at)));
  const failed = voted.find(({ ok }) => !ok);
  if (failed !== undefined) return failed;
  const approved = voted.reduce((sum, sent) => sum + approvedBy(sent), 0);
  if (approved === rounds) return opened;
  return { ok: false, retries: 0, error: `${approved} of ${rounds} rounds were approved` };
}

/** How many rounds these votes decided. */
function approvedBy(sent: Sent): number {
  const receipts = sent.ok ? (decodeReceipts(sent.receipts) ?? []) : [];
  return receipts.filter(({ result }) => (result as { status?: string }).status === 'approved')
    .length;
}
