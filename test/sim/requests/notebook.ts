/** What clients have learnt from the receipts of all of them: names that the cluster has given. */
import { decodeReceipts, type Receipt } from '../../../protocols/transaction/receipts.ts';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Args } from '../history/model.ts';
import type { Wish } from '../submissions.ts';

export interface Content {
  readonly asset: string;
  readonly to: string;
  readonly amount: number;
  readonly deadline: number;
}

export class Notebook {
  /** By id: the digest of the round. */
  readonly rounds = new Map<string, string>();
  /** By owner: its account with the bridge. */
  readonly accounts = new Map<string, string>();
  /** By key: the revision that a client last gave it, as an ETag says it. */
  readonly revisions = new Map<string, number>();
  /** Outbound transfers by id. */
  readonly locked = new Map<string, Content>();
  /** What happened on the ledger outside, by its id there. */
  readonly outside = new Map<string, Content>();

  learn({ told, calls, sender }: Wish): void {
    const receipts = told === null ? null : decodeReceipts(told);
    for (const [at, receipt] of (receipts ?? []).entries()) this.note(sender, calls[at]!, receipt);
  }

  note(sender: string, call: Call, { status, result }: Pick<Receipt, 'status' | 'result'>): void {
    if (status !== 'ok') return;
    const { module, command } = call;
    const [asked, said] = [call.args as Args, result as Args];
    if (module === 'kv' && (command === 'set' || command === 'compareAndSet')) {
      this.revisions.set(asked['key'] as string, said['modRevision'] as number);
    } else if (`${module}.${command}` === 'voting.open') {
      this.rounds.set(asked['round'] as string, said['digest'] as string);
    } else if (`${module}.${command}` === 'bridge.enroll') {
      this.accounts.set(sender, said['account'] as string);
    } else if (`${module}.${command}` === 'bridge.lock') {
      this.locked.set(said['transfer'] as string, asked as unknown as Content);
    }
  }
}
