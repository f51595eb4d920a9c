/** What SubmitResponse holds. */
import type { Outcome } from '../edge/outcome.ts';
import { decodeAll } from '../edge/receipts.ts';
import { protoReceipts, type ProtoReceipt } from './proto-receipts.ts';

export interface SubmitAnswer {
  readonly id: string;
  readonly exactlyOnce: boolean;
  readonly final: boolean;
  readonly height: number;
  readonly receipts: readonly ProtoReceipt[];
}

export function submitAnswer(outcome: Outcome): SubmitAnswer {
  const { exactlyOnce } = outcome;
  if (outcome.kind === 'accepted') {
    return { id: outcome.id, exactlyOnce, final: false, height: 0, receipts: [] };
  }
  const { receipts } = outcome;
  return {
    id: receipts.id,
    exactlyOnce,
    final: true,
    height: receipts.height,
    receipts: protoReceipts(decodeAll(receipts)),
  };
}
