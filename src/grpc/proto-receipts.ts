/** Receipts as althing.v1.Receipt. */
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { toProtoValue, type ProtoValue } from './struct-values.ts';

export interface ProtoReceipt {
  readonly id: string;
  readonly height: number;
  readonly index: number;
  readonly status: 'STATUS_OK' | 'STATUS_FAILED';
  readonly result?: ProtoValue;
  readonly error?: { readonly code: string; readonly message: string };
  readonly events: readonly {
    readonly module: string;
    readonly name: string;
    readonly data: ProtoValue;
  }[];
}

export function protoReceipts(receipts: readonly Receipt[]): ProtoReceipt[] {
  return receipts.map(protoReceipt);
}

function protoReceipt({ id, height, index, status, result, error, events }: Receipt): ProtoReceipt {
  return {
    id,
    height,
    index,
    status: status === 'ok' ? 'STATUS_OK' : 'STATUS_FAILED',
    ...(result === undefined ? {} : { result: toProtoValue(result) }),
    ...(error === undefined ? {} : { error }),
    events: events.map(({ module, name, data }) => ({ module, name, data: toProtoValue(data) })),
  };
}
