/**
 * The vocabulary that every protocol shares (glossary: docs/glossary.md).
 *
 * Digests and public keys are lower-case hex strings inside the machines: they are compared, used as
 * map keys and shown to people far more often than they are hashed. Signatures and payloads stay bytes.
 */

/** 64 lower-case hex characters: a 32-byte hash. */
export type Digest = string & { readonly __brand: 'Digest' };
/** 64 lower-case hex characters: an Ed25519 public key. */
export type PublicKey = string & { readonly __brand: 'PublicKey' };
/** A validator's place in the epoch's validator set, 0 ≤ index < n. */
export type ValidatorIndex = number;
/** Milliseconds since the Unix epoch. */
export type Millis = number;

export const ZERO_DIGEST = '0'.repeat(64) as Digest;

/** The tip of one lane: batch `seq` with `digest`, and through its chain everything below (rule D1). */
export interface Tip {
  /** −1 when the lane is empty; its digest is then ZERO_DIGEST. */
  readonly seq: number;
  readonly digest: Digest;
}

export const EMPTY_TIP: Tip = { seq: -1, digest: ZERO_DIGEST };

/** What executing the chain up to `height` produced (rule B2). `height` is divisible by C. */
export interface Executed {
  readonly height: number;
  readonly stateRoot: Digest;
  readonly receiptsRoot: Digest;
  /** Digest of the validator set pending at that height, ZERO_DIGEST when none is. */
  readonly pendingSet: Digest;
}

export interface Signed {
  readonly signature: Uint8Array;
}

export type VoteKind = 'prepare' | 'commit';

/** One validator's vote for one block (rules B4, B6). */
export interface Vote extends Signed {
  readonly kind: VoteKind;
  readonly epoch: number;
  readonly term: number;
  readonly height: number;
  readonly block: Digest;
  /** The block is the first one of its term: two such prepare votes in a term are evidence. */
  readonly first: boolean;
  readonly voter: ValidatorIndex;
}

/** `q` votes for one block (rules B4, B6). The fields that all its votes share stand once. */
export interface Certificate {
  readonly kind: VoteKind;
  readonly epoch: number;
  readonly term: number;
  readonly height: number;
  readonly block: Digest;
  readonly first: boolean;
  readonly votes: readonly { readonly voter: ValidatorIndex; readonly signature: Uint8Array }[];
}

/** A validator's statement that it abandoned `term`, with the rank of its highest certificate (T2). */
export interface Timeout extends Signed {
  readonly epoch: number;
  readonly term: number;
  readonly voter: ValidatorIndex;
  /** −1 when the validator holds no certificate of this epoch. */
  readonly highTerm: number;
  readonly highHeight: number;
  readonly highBlock: Digest;
}

/** `q` timeouts of one term, with the highest certificate among them in full (T2). */
export interface TimeoutCertificate {
  readonly epoch: number;
  readonly term: number;
  readonly timeouts: readonly {
    readonly voter: ValidatorIndex;
    readonly highTerm: number;
    readonly highHeight: number;
    readonly highBlock: Digest;
    readonly signature: Uint8Array;
  }[];
  readonly highest: Certificate | null;
}

/** The leader's signed word that it hands the term over (T4). */
export interface HandOver extends Signed {
  readonly epoch: number;
  readonly term: number;
}

/** Why a block may extend its parent (B1): the parent's prepare certificate, or how its term began. */
export type Justify =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'timeouts'; readonly certificate: TimeoutCertificate }
  | { readonly kind: 'epoch' };

/** One step of the agreed order (B1): a cut through all lanes, nothing of the transactions themselves. */
export interface Block extends Signed {
  readonly epoch: number;
  readonly term: number;
  readonly height: number;
  readonly parent: Digest;
  readonly justify: Justify;
  /** One tip for each lane, by validator index. */
  readonly cut: readonly Tip[];
  readonly timestamp: Millis;
  readonly executed: Executed;
  /** Digest of the next validator set when this block ends its epoch, else null. */
  readonly endsEpoch: Digest | null;
}

/** A signed batch header (D1); its payload travels and is stored beside it as raw bytes. */
export interface BatchHeader extends Signed {
  readonly epoch: number;
  readonly lane: ValidatorIndex;
  readonly seq: number;
  readonly parentDigest: Digest;
  readonly payloadDigest: Digest;
  /** Transactions in the payload. */
  readonly txCount: number;
  /** Bytes of the payload. */
  readonly bytes: number;
}

/** What a validator holds durably, lane by lane, and how far it has executed (D2). */
export interface Marks extends Signed {
  readonly epoch: number;
  readonly validator: ValidatorIndex;
  readonly tips: readonly Tip[];
  readonly executed: Executed;
}
