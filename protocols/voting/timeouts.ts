/**
 * Timeouts of all validators (rule T2): when to join, and the timeout certificate.
 *
 * I82. Per validator only its highest timeout is kept, so memory is bounded by n.
 * I83. A timeout certificate is formed only of timeouts whose signature and claimed certificate were
 *      checked here.
 */
import {
  backsClaim,
  compareRank,
  isCertificateValid,
  isTimeoutValid,
  type Verifier,
} from '../certificates.ts';
import { joinOf } from '../quorum.ts';
import type { Certificate, Timeout, TimeoutCertificate, ValidatorIndex } from '../types.ts';

export interface HeldTimeout {
  readonly timeout: Timeout;
  readonly highest: Certificate | null;
}

interface Kept extends HeldTimeout {
  /** Signature and claim were found good: they are checked once, however often a bad one comes beside them. */
  checked: boolean;
}

export class Timeouts {
  readonly #verifier: Verifier;
  readonly #held: (Kept | undefined)[];
  /** The highest certificate checked so far: most timeouts of a term carry the same one. */
  #checked: Certificate | undefined;
  #certifiedTerm = -1;

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
    this.#held = Array.from<Kept | undefined>({ length: verifier.cluster.n });
  }

  of(voter: ValidatorIndex): HeldTimeout | undefined {
    return this.#held[voter];
  }

  /** Keeps the timeout if it is its voter's highest; false when it says nothing new. */
  keep(held: HeldTimeout): boolean {
    const earlier = this.#held[held.timeout.voter];
    if (earlier !== undefined && earlier.timeout.term >= held.timeout.term) return false;
    this.#held[held.timeout.voter] = { ...held, checked: false };
    return true;
  }

  /** Whether so many abandoned `term` or a later one that no quorum forms in it without us. */
  areJoined(term: number): boolean {
    const abandoned = this.#held.filter((held) => held !== undefined && held.timeout.term >= term);
    return abandoned.length >= joinOf(this.#verifier.cluster.n);
  }

  /** The certificate for `term` once q valid timeouts of it are here; each term is certified once. */
  form(term: number): { certificate: TimeoutCertificate | null; bad: readonly ValidatorIndex[] } {
    const { quorum } = this.#verifier.cluster;
    if (term <= this.#certifiedTerm || this.#ofTerm(term).length < quorum) {
      return { certificate: null, bad: [] };
    }
    const bad = this.#dropInvalid(term);
    const held = this.#ofTerm(term);
    if (held.length < quorum) return { certificate: null, bad };
    this.#certifiedTerm = term;
    return { certificate: certificateOf(term, held), bad };
  }

  #ofTerm(term: number): Kept[] {
    return this.#held.filter((held): held is Kept => held?.timeout.term === term);
  }

  #dropInvalid(term: number): ValidatorIndex[] {
    const bad: ValidatorIndex[] = [];
    for (const held of this.#ofTerm(term)) {
      held.checked ||= this.#isValid(held);
      if (held.checked) continue;
      const { voter } = held.timeout;
      this.#held[voter] = undefined;
      bad.push(voter);
    }
    return bad;
  }

  #isValid({ timeout, highest }: HeldTimeout): boolean {
    if (!isTimeoutValid(this.#verifier, timeout) || !backsClaim(timeout, highest)) return false;
    if (highest === null) return true;
    if (!isCertificateValid(this.#verifier, highest, this.#checked)) return false;
    this.#checked = highest;
    return true;
  }
}

function certificateOf(term: number, held: readonly HeldTimeout[]): TimeoutCertificate {
  const top = held.reduce((best, each) =>
    compareRank(rankOf(each), rankOf(best)) > 0 ? each : best,
  );
  return {
    epoch: top.timeout.epoch,
    term,
    timeouts: held.map(({ timeout }) => ({
      voter: timeout.voter,
      highTerm: timeout.highTerm,
      highHeight: timeout.highHeight,
      highBlock: timeout.highBlock,
      signature: timeout.signature,
    })),
    highest: top.highest,
  };
}

function rankOf({ timeout }: HeldTimeout): { term: number; height: number } {
  return { term: timeout.highTerm, height: timeout.highHeight };
}
