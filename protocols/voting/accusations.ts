/** The evidence that this node found and wrote down (stream `voting`): one record for each misdeed. */
import { keyOf, type Verifier } from '../certificates.ts';
import { InvariantViolation, type LogEvent, type Output } from '../machine.ts';
import type { Effect } from '../messages.ts';
import type { VotingStatus } from '../status.ts';
import { readEvent } from '../stored.ts';
import type { Certificate, ValidatorIndex } from '../types.ts';
import { packStructure } from '../wire.ts';
import {
  accusedBy,
  evidenceKey,
  evidenceRecord,
  isEvidenceValid,
  type Evidence,
} from './evidence.ts';
import { votesOf } from './vote-sets.ts';

export const VOTING_STREAM = 'voting';
/** One validator's proven misdeeds that are kept: more prove nothing more. */
const EVIDENCE_PER_VALIDATOR_MAX = 64;

export class Accusations {
  readonly #verifier: Verifier;
  readonly #self: ValidatorIndex;
  readonly #keys = new Set<string>();
  readonly #countOf: number[];
  #accused: readonly ValidatorIndex[] = [];
  #streamEnd = 0;

  constructor(verifier: Verifier, self: ValidatorIndex) {
    this.#verifier = verifier;
    this.#self = self;
    this.#countOf = Array.from({ length: verifier.cluster.n }, () => 0);
  }

  status(): Pick<VotingStatus, 'evidence' | 'accused'> {
    return { evidence: this.#keys.size, accused: this.#accused };
  }

  recover(event: LogEvent): void {
    const record = readEvent(evidenceRecord, event);
    this.#streamEnd = event.seq + 1;
    this.#remember(record.evidence);
  }

  /** Writes the evidence down, if it is new and proves what it says (I84). */
  accuse(item: Evidence, out: Output<Effect>): void {
    const accused = accusedBy(item);
    const key = keyOf(this.#verifier.cluster, accused);
    if (key === undefined || this.#keys.has(evidenceKey(item))) return;
    if (this.#countOf[accused]! >= EVIDENCE_PER_VALIDATOR_MAX) return;
    if (!isEvidenceValid(this.#verifier, item)) {
      out.effects.push(faultOf(accused, 'bad_vote_signature'));
      return;
    }
    if (accused === this.#self) {
      throw new InvariantViolation(
        'own_equivocation',
        `this node signed twice: ${evidenceKey(item)}`,
      );
    }
    this.#remember(item);
    const record = { accused: key, found: item.kind, evidence: item };
    out.events.push({
      stream: VOTING_STREAM,
      seq: this.#streamEnd++,
      kind: 'evidenceFound',
      header: packStructure(evidenceRecord, record),
    });
    out.effects.push(faultOf(accused, item.kind));
  }

  /** Accuses those who voted in both certificates: for two blocks of one place, of one term. */
  accuseBoth(first: Certificate, second: Certificate, out: Output<Effect>): void {
    // In different terms that alone proves nothing.
    if (first.term !== second.term) return;
    for (const one of votesOf(first)) {
      const other = votesOf(second).find(({ voter }) => voter === one.voter);
      if (other !== undefined) this.accuse({ kind: 'doubleVote', first: one, second: other }, out);
    }
  }

  #remember(item: Evidence): void {
    const accused = accusedBy(item);
    this.#keys.add(evidenceKey(item));
    if (this.#countOf[accused]!++ === 0) this.#accused = [...this.#accused, accused];
  }
}

const faultOf = (peer: ValidatorIndex, code: string): Effect => ({
  kind: 'peerFault',
  peer,
  code,
  detail: '',
});
