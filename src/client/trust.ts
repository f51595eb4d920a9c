/**
 * Whom a client trusts, and what it has seen of them: the validators that the genesis document names, or
 * a checkpoint that stands in for it. No node is among them.
 *
 * X4. What is read with proof is what q of the trusted validators certify, as of a height that is not below
 *     any that the client has seen certified, and not older than was asked for. So reads never go
 *     back, and see what the client itself has submitted: a proof that held once is no answer for ever.
 */
import { canonicalJson, type ConsensusLimits, type Genesis } from '../../protocols/genesis.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import { faultyMax } from '../../protocols/quorum.ts';
import type { Verifier } from '../../protocols/certificates.ts';
import type { Certified } from '../../protocols/proofs/certification.ts';
import { decodeProof } from '../../protocols/proofs/format.ts';
import {
  trustGenesis,
  trustValidators,
  verifyProof,
  type Fact,
  type TrustedValidators,
} from '../../protocols/proofs/verify.ts';
import { isHex } from '../../protocols/bytes.ts';
import type { ClusterFacts } from './cluster.ts';
import { AlthingError } from './errors.ts';
import { TRUSTED } from './known-options.ts';
import { checkOptions } from './options.ts';

/** The validators at a height, as somebody who is trusted has told them: in place of the genesis. */
export interface TrustedCheckpoint extends TrustedValidators {
  /** Nothing as of a lower height is believed to be the present. */
  readonly height?: number;
  /** Those of the genesis document; its defaults without them. */
  readonly limits?: ClusterFacts['limits'];
}

export interface Freshness {
  readonly minHeight?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

export interface Proven {
  readonly certified: Certified;
  readonly facts: readonly Fact[];
}

/** An idle cluster certifies a state every few seconds. */
const MAX_AGE_MS = 60_000;
/** Of a cluster whose limits nobody has told: those that every cluster can do with. */
const LIMITS: ClusterFacts['limits'] = {
  transactionsPerSubmissionMax: 1000,
  submissionBytesMax: 1024 * 1024,
  transactionBytesMax: 64 * 1024,
};

export class Trust {
  readonly facts: ClusterFacts;
  readonly crypto: Crypto;
  readonly #verifier: Verifier;
  readonly #maxAgeMs: number;
  #height: number;

  private constructor(
    verifier: Verifier,
    limits: ClusterFacts['limits'],
    { height = 0, maxAgeMs = MAX_AGE_MS }: { height?: number; maxAgeMs?: number },
  ) {
    const { id, n, genesis } = verifier.cluster;
    const validators = genesis.validators.map((each) => each.id);
    this.facts = { clusterId: id, validators, faultyMax: faultyMax(n), limits };
    this.crypto = verifier.crypto;
    this.#verifier = verifier;
    this.#maxAgeMs = maxAgeMs;
    this.#height = height;
  }

  /** @param genesis the document, whole, or its text. Throws AlthingError `bad_genesis`. */
  static inGenesis(crypto: Crypto, genesis: Genesis | string, maxAgeMs?: number): Trust {
    const document = typeof genesis === 'string' ? parsed(genesis) : genesis;
    checkValidators(document);
    const { transactionsPerSubmissionMax, submissionBytesMax, transactionBytesMax } =
      (document.limits ?? {}) as Partial<ConsensusLimits>;
    if (
      transactionsPerSubmissionMax === undefined ||
      submissionBytesMax === undefined ||
      transactionBytesMax === undefined
    ) {
      throw badGenesis('it has no limits');
    }
    const limits = { transactionsPerSubmissionMax, submissionBytesMax, transactionBytesMax };
    // A copy: whom one trusts does not change with an object that others hold.
    const copy = JSON.parse(canonicalJson(document)) as Genesis;
    return new Trust(
      trustGenesis(crypto, copy),
      limits,
      maxAgeMs === undefined ? {} : { maxAgeMs },
    );
  }

  /** Throws AlthingError `bad_genesis`. */
  static inCheckpoint(crypto: Crypto, trusted: TrustedCheckpoint, maxAgeMs?: number): Trust {
    checkOptions(trusted, TRUSTED);
    const { clusterId, validators, height = 0, limits = LIMITS } = trusted;
    checkValidators({ validators });
    if (!isHex(clusterId, 32)) throw badGenesis('clusterId is not 64 digits of lower-case hex');
    const copy = { clusterId, validators: validators.map((each) => ({ ...each })) };
    const options = maxAgeMs === undefined ? { height } : { height, maxAgeMs };
    return new Trust(trustValidators(crypto, copy), limits, options);
  }

  /** The highest executed height that this client has seen certified. */
  get height(): number {
    return this.#height;
  }

  /** What a proof shows, of whatever time. Throws AlthingError `not_proved` or `other_cluster`. */
  verify(proof: Uint8Array): Proven {
    const verified = verifyProof(this.#verifier, proof);
    if (!verified.ok) {
      if (verified.code === 'other_cluster') throw this.#otherCluster(proof);
      throw new AlthingError(
        'not_proved',
        `a proof does not hold (${verified.code}): ${verified.message}`,
      );
    }
    this.#height = Math.max(this.#height, verified.certified.executed.height);
    return verified;
  }

  #otherCluster(proof: Uint8Array): AlthingError {
    const decoded = decodeProof(proof);
    const theirs = decoded.ok ? decoded.value.clusterId : 'another';
    const detail =
      `these nodes are of cluster ${theirs}; the genesis document is of ${this.facts.clusterId}: ` +
      "give the genesis document of that cluster, or its nodes' addresses";
    return new AlthingError('other_cluster', detail);
  }

  /** The same, of the present. Throws AlthingError `not_proved` or `stale_answer`. */
  verifyNow(
    proof: Uint8Array,
    { minHeight = this.#height, maxAgeMs = this.#maxAgeMs }: Freshness,
  ): Proven {
    const proven = this.verify(proof);
    const { executed, block } = proven.certified;
    if (executed.height < minHeight) {
      throw new AlthingError(
        'stale_answer',
        `as of height ${executed.height}, before ${minHeight}`,
      );
    }
    const ageMs = Date.now() - block.timestamp;
    if (ageMs <= maxAgeMs) return proven;
    const detail = `certified ${ageMs} ms ago by the clock of this client, which asked for ${maxAgeMs}`;
    throw new AlthingError('stale_answer', detail);
  }
}

function parsed(text: string): Genesis {
  try {
    return JSON.parse(text) as Genesis;
  } catch {
    throw badGenesis('it is not JSON: give the text of the file, not its name');
  }
}

function checkValidators(document: Pick<Genesis, 'validators'>): void {
  const validators: unknown = (document as Partial<Genesis> | null)?.validators;
  if (!Array.isArray(validators) || validators.length === 0)
    throw badGenesis('it has no validators');
  const keys = (validators as readonly Partial<Genesis['validators'][number]>[]).map(
    (each) => each?.publicKey,
  );
  if (keys.some((key) => typeof key !== 'string' || !isHex(key, 32))) {
    throw badGenesis('a validator has no key of 64 digits of lower-case hex');
  }
  if (new Set(keys).size < keys.length) throw badGenesis('two validators have one key');
}

function badGenesis(detail: string): AlthingError {
  return new AlthingError(
    'bad_genesis',
    `this is not the genesis document of a cluster: ${detail}`,
  );
}
