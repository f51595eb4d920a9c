/**
 * A proof as it travels: what is claimed, the way from each claim up to a root, and the blocks and
 * votes that certify the root. docs/proofs.md describes it for those who check proofs without this
 * code.
 *
 * I114. Decoding is total and bounded by the bytes given, and a proof has one encoding: bytes that are
 *       not the canonical form of some proof are refused.
 */
import { fromHex, utf8, Writer } from '../bytes.ts';
import {
  binary,
  decodeCanonical,
  integer,
  list,
  nullable,
  struct,
  u53,
  union,
  type Decoded,
  type Schema,
} from '../codec.ts';
import { refuse } from '../canonical-reader.ts';
import { blockContent, certificate, digest, type BlockContent } from '../structures.ts';
import { readText } from '../transaction/text-reader.ts';
import { HASH, LEAF, PATH_BITS, type Step } from '../transaction/tree-encoding.ts';
import type { Certificate, Digest } from '../types.ts';

export const PROOF_TAG = 'althing/v1/proof';
/** Of a whole proof; what is larger is neither made nor read. */
export const PROOF_BYTES_MAX = 16 * 1024 * 1024;
/** From the block that certifies down to the one whose certificate is there. */
export const HEADERS_MAX = 64;
export const CLAIMS_MAX = 256;
const TABLE_BYTES_MAX = 256;
export const KEY_BYTES_MAX = 64 * 1024;
/** Levels of an RFC 6962 tree of 2^53 leaves. */
const LEVELS_MAX = 53;

/** There is a row, and these are its canonical bytes. */
export interface RowClaim {
  readonly kind: 'row';
  /** `<module>/<table>` */
  readonly table: string;
  readonly key: string;
  readonly row: Uint8Array;
  /** From the leaf up to the state root. */
  readonly steps: readonly Step[];
}

/** There is no row under the key: where its path ends stands nothing, or another path's leaf. */
export interface AbsenceClaim {
  readonly kind: 'absence';
  readonly table: string;
  readonly key: string;
  readonly leaf: { readonly path: Uint8Array; readonly rowHash: Uint8Array } | null;
  readonly steps: readonly Step[];
}

/**
 * These outcomes, events among them, are what a submission got. A claim about an event is this claim
 * and the places of the transaction and of the event in it.
 */
export interface ReceiptsClaim {
  readonly kind: 'receipts';
  readonly id: Digest;
  readonly height: number;
  /** Place of the submission's first transaction in its block. */
  readonly index: number;
  readonly txCount: number;
  /** As in transaction/receipts.ts. */
  readonly outcomes: Uint8Array;
  /** From the submission's leaf up to its block's receipts root. */
  readonly blockSteps: readonly Step[];
  /** From the block's leaf up to the receipts root of all blocks up to the checkpoint. */
  readonly heightSteps: readonly Step[];
}

export type Claim = RowClaim | AbsenceClaim | ReceiptsClaim;

/** The blocks between a state and the votes for it. */
export interface Certification {
  /** Ascending and linked; `executed` of the first is what is certified. Without signatures. */
  readonly headers: readonly BlockContent[];
  /** The commit certificate of the last. */
  readonly certificate: Certificate;
}

export interface Proof {
  readonly clusterId: Digest;
  readonly certification: Certification;
  /** Each under the roots of the same `executed`. */
  readonly claims: readonly Claim[];
}

/** Well-formed text of at most `max` bytes of UTF-8. */
function text(max: number): Schema<string> {
  const checked = (value: string, path: string): string =>
    value.isWellFormed() && utf8(value).length <= max
      ? value
      : refuse(path, `well-formed text of at most ${max} bytes`);
  return {
    pack: (value) => value,
    unpack: (packed, path) =>
      typeof packed === 'string' ? checked(packed, path) : refuse(path, 'text'),
    write: (writer, value) => void writer.text(value),
    read(reader, path) {
      const length = reader.u32(path);
      if (length > max) return refuse(path, `at most ${max} bytes`);
      const bytes = reader.raw(length, path);
      return readText(bytes, 0, length) ?? refuse(path, 'well-formed UTF-8');
    },
  };
}

const step: Schema<Step> = struct({ prefix: binary(2 + LEAF), suffix: binary(1 + LEAF) });
const treeSteps = list(step, PATH_BITS);
const merkleSteps = list(step, LEVELS_MAX);
const hash = binary(HASH, true);
/** As wide as where they are hashed: what is cut off there would have a second encoding. */
const u32 = integer(0, 0xffff_ffff);
const place = { table: text(TABLE_BYTES_MAX), key: text(KEY_BYTES_MAX) };

const claim: Schema<Claim> = union<Claim>({
  row: struct({ ...place, row: binary(PROOF_BYTES_MAX), steps: treeSteps }),
  absence: struct({
    ...place,
    leaf: nullable(struct({ path: hash, rowHash: hash })),
    steps: treeSteps,
  }),
  receipts: struct({
    id: digest,
    height: u53,
    index: u32,
    txCount: u32,
    outcomes: binary(PROOF_BYTES_MAX),
    blockSteps: merkleSteps,
    heightSteps: merkleSteps,
  }),
});

const proof: Schema<Proof> = struct({
  clusterId: digest,
  certification: struct({ headers: list(blockContent, HEADERS_MAX), certificate }),
  claims: list(claim, CLAIMS_MAX),
});

const tagged: Schema<{ tag: string; proof: Proof }> = struct({ tag: text(64), proof });

/** Canonical bytes; more than PROOF_BYTES_MAX of them nobody will read. */
export function encodeProof(value: Proof): Uint8Array {
  const writer = new Writer(4096);
  tagged.write(writer, { tag: PROOF_TAG, proof: value });
  return writer.take();
}

export function decodeProof(bytes: Uint8Array): Decoded<Proof> {
  if (bytes.length > PROOF_BYTES_MAX) {
    return { ok: false, error: `value: expected at most ${PROOF_BYTES_MAX} bytes` };
  }
  const decoded = decodeCanonical(tagged, bytes);
  if (!decoded.ok) return decoded;
  if (decoded.value.tag === PROOF_TAG) return { ok: true, value: decoded.value.proof };
  return { ok: false, error: `tag: expected ${PROOF_TAG}` };
}

/** The same as lower-case hex, which is how JSON carries it. */
export function decodeProofHex(hex: string): Decoded<Proof> {
  if (hex.length > 2 * PROOF_BYTES_MAX || !/^(?:[0-9a-f]{2})*$/.test(hex)) {
    return { ok: false, error: `value: expected at most ${PROOF_BYTES_MAX} bytes in hex` };
  }
  return decodeProof(fromHex(hex));
}
