/** The options of each function of a client: what else is given is refused (options.ts). */
import type { ClientOptions, SignOptions, SubmitOptions } from './client.ts';
import type { Known } from './options.ts';
import type { ReadOptions } from './reads.ts';
import type { SubscribeOptions } from './subscription.ts';
import type { TrustedCheckpoint } from './trust.ts';
import type { CallOptions, FollowOptions } from './typed.ts';

const trust = ['proof', 'node'] as const;

export const CONNECT: Known<ClientOptions> = {
  urls: 'list',
  genesis: 'any',
  trusted: 'any',
  clusterId: 'any',
  signer: 'any',
  modules: 'list',
  trust,
  maxAgeMs: 'any',
  attemptMs: 'any',
  validityMs: 'any',
  batchMs: 'any',
  firstSeq: 'any',
  fetch: 'any',
  crypto: 'any',
};

export const TRUSTED: Known<TrustedCheckpoint> = {
  clusterId: 'any',
  validators: 'any',
  height: 'any',
  limits: 'any',
};

export const SIGN: Known<SignOptions> = { validityMs: 'any' };
export const CALL: Known<CallOptions> = { trust, signal: 'any' };
export const SUBMIT: Known<SubmitOptions> = { ...CALL, signed: 'any' };

/** A row is always proved. */
export const ROW: Known<Omit<ReadOptions, 'trust'>> = {
  consistency: ['finalized', 'linearizable'],
  atHeight: 'any',
  minHeight: 'any',
  maxAgeMs: 'any',
  patienceMs: 'any',
  signal: 'any',
};
export const READ: Known<ReadOptions> = { trust, ...ROW };

export const FOLLOW: Known<FollowOptions> = {
  from: 'any',
  after: 'any',
  topics: 'list',
  nodes: 'any',
  stallMs: 'any',
  signal: 'any',
};
export const SUBSCRIBE: Known<SubscribeOptions> = {
  ...FOLLOW,
  modules: 'list',
  blocks: 'any',
  transactions: 'any',
  trust,
};
