/** What `althing/client` exports to Node: the client, and keys from PEM files. */
export { Client, type ClientOptions } from './client.ts';
export { AlthingError, OutcomeUnknown, TransactionFailed } from './errors.ts';
export type { Answer, Parameters, ReadOptions } from './reads.ts';
export type { Submitted } from './submitter.ts';
export type { Done, EventData, ModuleClient } from './typed.ts';
export type { ClusterFacts } from './cluster.ts';
export type { Receipt, ReceiptEvent } from '../../protocols/transaction/receipts.ts';
export type { Call } from '../../protocols/transaction/submission.ts';
export type { Value } from '../../protocols/transaction/values.ts';
export type { Crypto, Signer } from '../../protocols/crypto.ts';
