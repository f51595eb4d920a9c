/**
 * Schemas of everything that is signed, hashed, sent or stored, and the digests over them (rule M3):
 * `althing/v1/<kind>`, the cluster id, then the canonical fields without the signature.
 */
import { Writer } from './bytes.ts';
import {
  binary,
  boolean,
  hex,
  i53,
  index,
  list,
  nullable,
  oneOf,
  struct,
  u53,
  union,
  type Schema,
} from './codec.ts';
import type { Crypto } from './crypto.ts';
import type {
  BatchHeader,
  Block,
  Certificate,
  Digest,
  Executed,
  HandOver,
  Justify,
  Marks,
  PublicKey,
  Signed,
  Timeout,
  TimeoutCertificate,
  Tip,
  Vote,
  VoteKind,
} from './types.ts';

/** No validator set is larger: bounds every list on the wire. */
export const VALIDATORS_MAX = 128;

export const digest = hex<Digest>(32);
export const publicKey = hex<PublicKey>(32);
export const signature = binary(64, true);
export const voteKind: Schema<VoteKind> = oneOf('prepare', 'commit');

export const tip: Schema<Tip> = struct({ seq: i53, digest });
export const tips = list(tip, VALIDATORS_MAX);

export const executed: Schema<Executed> = struct({
  height: u53,
  stateRoot: digest,
  receiptsRoot: digest,
  pendingSet: digest,
});

const voteFields = {
  kind: voteKind,
  epoch: u53,
  term: u53,
  height: u53,
  block: digest,
  first: boolean,
};
type VoteContent = Omit<Vote, 'signature' | 'voter'>;
const voteContent: Schema<VoteContent> = struct(voteFields);
export const vote: Schema<Vote> = struct({ ...voteFields, voter: index, signature });

export const certificate: Schema<Certificate> = struct({
  ...voteFields,
  votes: list(struct({ voter: index, signature }), VALIDATORS_MAX),
});

const timeoutFields = { epoch: u53, term: u53, highTerm: i53, highHeight: i53, highBlock: digest };
type TimeoutContent = Omit<Timeout, 'signature' | 'voter'>;
const timeoutContent: Schema<TimeoutContent> = struct(timeoutFields);
export const timeout: Schema<Timeout> = struct({ ...timeoutFields, voter: index, signature });

export const timeoutCertificate: Schema<TimeoutCertificate> = struct({
  epoch: u53,
  term: u53,
  timeouts: list(
    struct({ voter: index, highTerm: i53, highHeight: i53, highBlock: digest, signature }),
    VALIDATORS_MAX,
  ),
  highest: nullable(certificate),
});

type HandOverContent = Omit<HandOver, 'signature'>;
const handOverContent: Schema<HandOverContent> = struct({ epoch: u53, term: u53 });
export const handOver: Schema<HandOver> = struct({ epoch: u53, term: u53, signature });

export const justify: Schema<Justify> = union<Justify>({
  certificate: struct({ certificate }),
  timeouts: struct({ certificate: timeoutCertificate }),
  epoch: struct({}),
});

const blockFields = {
  epoch: u53,
  term: u53,
  height: u53,
  parent: digest,
  justify,
  cut: tips,
  timestamp: u53,
  executed,
  endsEpoch: nullable(digest),
};
export type BlockContent = Omit<Block, 'signature'>;
/** What a block's digest covers: all of it but its leader's signature. */
export const blockContent: Schema<BlockContent> = struct(blockFields);
export const block: Schema<Block> = struct({ ...blockFields, signature });

const batchFields = {
  epoch: u53,
  lane: index,
  seq: u53,
  parentDigest: digest,
  payloadDigest: digest,
  txCount: u53,
  bytes: u53,
};
type BatchContent = Omit<BatchHeader, 'signature'>;
const batchContent: Schema<BatchContent> = struct(batchFields);
export const batchHeader: Schema<BatchHeader> = struct({ ...batchFields, signature });

const marksFields = { epoch: u53, validator: index, tips, executed };
type MarksContent = Omit<Marks, 'signature'>;
const marksContent: Schema<MarksContent> = struct(marksFields);
export const marks: Schema<Marks> = struct({ ...marksFields, signature });

const scratch = new Writer(4096);

function signedBytes<T>(kind: string, schema: Schema<T>, clusterId: Digest, value: T): Uint8Array {
  scratch.reset().text(`althing/v1/${kind}`).hex(clusterId);
  schema.write(scratch, value);
  return scratch.take();
}

export const voteBytes = (clusterId: Digest, value: VoteContent): Uint8Array =>
  signedBytes('vote', voteContent, clusterId, value);
export const timeoutBytes = (clusterId: Digest, value: TimeoutContent): Uint8Array =>
  signedBytes('timeout', timeoutContent, clusterId, value);
export const handOverBytes = (clusterId: Digest, value: HandOverContent): Uint8Array =>
  signedBytes('hand-over', handOverContent, clusterId, value);
export const blockBytes = (clusterId: Digest, value: BlockContent): Uint8Array =>
  signedBytes('block', blockContent, clusterId, value);
export const batchBytes = (clusterId: Digest, value: BatchContent): Uint8Array =>
  signedBytes('batch', batchContent, clusterId, value);
export const marksBytes = (clusterId: Digest, value: MarksContent): Uint8Array =>
  signedBytes('marks', marksContent, clusterId, value);

/** A block's digest covers all but its signature, so one content has one digest. */
export function blockDigest(crypto: Crypto, clusterId: Digest, value: BlockContent): Digest {
  return crypto.hash(blockBytes(clusterId, value));
}

/** A batch's digest: what tips, marks and cuts name. */
export function batchDigest(crypto: Crypto, clusterId: Digest, value: BatchContent): Digest {
  return crypto.hash(batchBytes(clusterId, value));
}

export type { Signed };
