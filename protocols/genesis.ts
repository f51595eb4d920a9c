/**
 * The genesis document: everything on which validators must agree before the first block. Its hash
 * is the cluster id, which every signature covers (rule M3), so nodes with different limits can
 * never mistake each other's votes.
 */
import { utf8 } from './bytes.ts';
import type { Crypto } from './crypto.ts';
import { quorumOf } from './quorum.ts';
import type { Digest, PublicKey } from './types.ts';

export interface Validator {
  /** A name for people and configuration, such as `validator-1`. */
  readonly id: string;
  readonly publicKey: PublicKey;
}

/** Limits that bear on what honest validators accept. Sizes in bytes, times in milliseconds. */
export interface ConsensusLimits {
  /** C: every how many heights the state is certified (B2). */
  readonly checkpointInterval: number;
  /** W: bytes that one lane may hold that are not final (D4). */
  readonly laneBytesMax: number;
  readonly batchBytesMax: number;
  readonly submissionBytesMax: number;
  readonly transactionBytesMax: number;
  readonly transactionsPerSubmissionMax: number;
  /** How far a block's time may lie from a voter's clock, either way (B4). */
  readonly clockDriftMsMax: number;
  /** How far ahead of block time a submission's `validUntil` may lie (E2). */
  readonly validityMsMax: number;
  /** Steps of one transaction (I130); a document without it means STEPS_MAX. */
  readonly stepsMax?: number;
}

/** A module as nodes agree on it: what has the same digest runs alike. */
export interface Program {
  readonly name: string;
  readonly version: number;
  /** BLAKE3 of its source; empty for a module that is part of this software. */
  readonly digest: Digest | '';
}

/** What nodes agree on of a module. */
export function programOf({ name, version, digest }: Program): Program {
  return { name, version, digest };
}

type Widened = Omit<Program, 'digest'> & { readonly digest: string };

/** Also where a digest was read as mere text. */
export function isSameProgram(a: Widened, b: Widened): boolean {
  return a.name === b.name && a.version === b.version && a.digest === b.digest;
}

export interface Genesis {
  readonly version: 1;
  readonly name: string;
  /** Milliseconds since the Unix epoch: the timestamp of height 0. */
  readonly createdAtMs: number;
  readonly validators: readonly Validator[];
  readonly limits: ConsensusLimits;
  /** Initial configuration of modules by name, handed to their `genesis` hook. JSON values only. */
  readonly modules: Readonly<Record<string, unknown>>;
  /** What runs from height 1 on; without it, whatever a node brings. Later by upgrades (I120). */
  readonly programs?: readonly Program[];
}

export const DEFAULT_LIMITS: ConsensusLimits = {
  checkpointInterval: 16,
  laneBytesMax: 16 * 1024 * 1024,
  batchBytesMax: 1024 * 1024 + 4096,
  submissionBytesMax: 1024 * 1024,
  transactionBytesMax: 64 * 1024,
  transactionsPerSubmissionMax: 1000,
  clockDriftMsMax: 5_000,
  validityMsMax: 24 * 60 * 60 * 1000,
};

/** JSON with sorted keys and no white space: the bytes whose hash is the cluster id. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** What the machines know about the cluster they belong to. */
export interface Cluster {
  readonly id: Digest;
  readonly genesis: Genesis;
  readonly n: number;
  readonly quorum: number;
}

/** The hash that every signature of the cluster covers (rule M3). */
export function clusterIdOf(genesis: Genesis, crypto: Pick<Crypto, 'hash'>): Digest {
  return crypto.hash(utf8(canonicalJson(genesis)));
}

export function clusterOf(genesis: Genesis, crypto: Pick<Crypto, 'hash'>): Cluster {
  const n = genesis.validators.length;
  return { id: clusterIdOf(genesis, crypto), genesis, n, quorum: quorumOf(n) };
}
