/** What clients have learnt from the receipts of all of them: names that the cluster has given. */
import { decodeReceipts } from '../../../protocols/transaction/receipts.ts';
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

  learn(wish: Wish): void {
    const receipts = wish.told === null ? null : decodeReceipts(wish.told);
    for (const [at, { status, result }] of (receipts ?? []).entries()) {
      if (status !== 'ok') continue;
      const { module, command, args } = wish.calls[at]!;
      const [asked, said] = [args as Args, result as Args];
      if (`${module}.${command}` === 'voting.open') {
        this.rounds.set(asked['round'] as string, said['digest'] as string);
      } else if (module === 'kv' && (command === 'set' || command === 'compareAndSet')) {
        this.revisions.set(asked['key'] as string, said['modRevision'] as number);
      } else if (`${module}.${command}` === 'bridge.enroll') {
        this.accounts.set(wish.sender, said['account'] as string);
      } else if (`${module}.${command}` === 'bridge.lock') {
        this.locked.set(said['transfer'] as string, asked as unknown as Content);
      }
    }
  }
}
