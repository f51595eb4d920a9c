/** What both entries of `althing/client` export alike. */
export { Client, type ClientOptions, type SignOptions, type SubmitOptions } from './client.ts';
export type { ConnectOptions } from './entry.ts';
export { AlthingError, OutcomeUnknown, TransactionFailed } from './errors.ts';
export { Key } from './keys.ts';
export type { ProvedEvent } from './lanes.ts';
export type { Answer, Parameters, ReadOptions, Trust } from './reads.ts';
export type { Submitted } from './submitter.ts';
export type { SaidItem, StreamItem, SubscribeOptions, Subscription } from './subscription.ts';
export type { TrustedCheckpoint } from './trust.ts';
export type {
  AnyModule,
  CallOptions,
  Done,
  EventData,
  Following,
  FollowOptions,
  ModuleClient,
  ModuleEvent,
} from './typed.ts';
export type { ClusterFacts } from './cluster.ts';
export type { Genesis } from '../../protocols/genesis.ts';
export type { Receipt, ReceiptEvent } from '../../protocols/transaction/receipts.ts';
export type { Call } from '../../protocols/transaction/submission.ts';
export type { Value } from '../../protocols/transaction/values.ts';
export type { Crypto, Signer } from '../../protocols/crypto.ts';
