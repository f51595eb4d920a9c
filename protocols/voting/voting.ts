/**
 * The voting machine: it hears every validator's votes and timeouts, tells consensus when a quorum
 * says the same thing, and keeps proof of those who say two things (rules B4, B6, B7, T2).
 *
 * A vote or timeout is taken only from its signer's own channel, so a stranger's bad signature can
 * never displace a validator's own (I85). Memory per validator is bounded (I86): votes outside the
 * window are dropped, and those beyond a validator's share are refused as a fault of that peer. What
 * honest validators cast fits in, however many terms fail in a row (docs/proof.md, liveness).
 */
import {
  isCertificateValid,
  isTimeoutCertificateValid,
  keyOf,
  type Verifier,
} from '../certificates.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import {
  InvariantViolation,
  newOutput,
  unreachable,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
} from '../machine.ts';
import type { ConsensusMessage, Effect, PeerMessage, VotingInput } from '../messages.ts';
import type { VotingStatus } from '../status.ts';
import type {
  Certificate,
  HandOver,
  Timeout,
  TimeoutCertificate,
  ValidatorIndex,
  Vote,
} from '../types.ts';
import { packStructure, unpackStructure } from '../wire.ts';
import {
  evidenceKey,
  evidenceRecord,
  hidesCommit,
  isEvidenceValid,
  type Evidence,
} from './evidence.ts';
import { Timeouts } from './timeouts.ts';
import { count, form, newVoteSet, setKey, type VoteSet } from './vote-sets.ts';

export const VOTING_STREAM = 'voting';
/**
 * Votes further above the final height than this are of no use before catching up: nobody honest
 * casts them far above its own (I93). Those for first blocks are few, and taken at any height.
 */
const HEIGHTS_AHEAD_MAX = 512;
const TERMS_AHEAD_MAX = 1024;
/** Votes of terms so long ago are forgotten: a block of a later term makes theirs final. */
const TERMS_BEHIND_MAX = 128;
/** Votes that one validator may have in undecided sets. */
const VOTES_PER_VALIDATOR_MAX = 2048;
/** One validator's proven misdeeds that are kept: more prove nothing more. */
const EVIDENCE_PER_VALIDATOR_MAX = 64;

export interface VotingOptions {
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly crypto: Crypto;
}

export class VotingMachine implements Machine<VotingInput, Effect, VotingStatus> {
  readonly #verifier: Verifier;
  readonly #self: ValidatorIndex;
  readonly #sets = new Map<string, VoteSet>();
  readonly #held: number[];
  /** Per validator: the first-block vote of its latest term that has one. */
  readonly #firsts: (Vote | undefined)[];
  readonly #lastVoted: number[];
  readonly #timeouts: Timeouts;
  readonly #evidence = new Set<string>();
  readonly #evidenceOf: number[];
  #term = 0;
  #finalHeight = 0;
  #streamEnd = 0;
  #recovered = false;
  #out: Output<Effect> = newOutput();

  constructor(options: VotingOptions) {
    const { cluster, crypto, self } = options;
    this.#verifier = { cluster, crypto };
    this.#self = self;
    this.#held = Array.from({ length: cluster.n }, () => 0);
    this.#evidenceOf = Array.from({ length: cluster.n }, () => 0);
    this.#lastVoted = Array.from({ length: cluster.n }, () => 0);
    this.#firsts = Array.from<Vote | undefined>({ length: cluster.n });
    this.#timeouts = new Timeouts(this.#verifier);
  }

  nextRecovery(): RecoveryRead | null {
    if (this.#recovered) return null;
    this.#recovered = true;
    return { stream: VOTING_STREAM, from: 0, bodies: false };
  }

  recover(event: LogEvent): void {
    const record = unpackStructure(evidenceRecord, event.header);
    if (!record.ok)
      throw new InvariantViolation('log_malformed', `voting ${event.seq}: ${record.error}`);
    this.#streamEnd = event.seq + 1;
    this.#remember(record.value.evidence);
  }

  status(): VotingStatus {
    return { voteSets: this.#sets.size, evidence: this.#evidence.size };
  }

  step(input: VotingInput): Output<Effect> {
    this.#out = newOutput();
    switch (input.kind) {
      case 'peerMessage':
        this.#peerMessage(input.from, input.message);
        break;
      case 'ownVote':
        this.#voteReceived(input.vote);
        break;
      case 'ownTimeout':
        this.#timeoutReceived(input.timeout, input.highest);
        break;
      case 'termEntered':
        this.#termEntered(input.term);
        break;
      case 'finalTo':
        this.#prune(input.height);
        break;
      case 'started':
      case 'timer':
      case 'logRead':
      case 'logFound':
      case 'peerConnected':
      case 'peerDisconnected':
      case 'drain':
        break;
      default:
        unreachable(input);
    }
    return this.#out;
  }

  #peerMessage(from: ValidatorIndex, message: PeerMessage): void {
    switch (message.kind) {
      case 'vote':
        if (message.vote.voter !== from) return this.#fault(from, 'vote_of_another');
        return this.#voteReceived(message.vote);
      case 'timeout':
        if (message.timeout.voter !== from) return this.#fault(from, 'timeout_of_another');
        if (message.handOver !== null) this.#tellHandOver(message.handOver);
        return this.#timeoutReceived(message.timeout, message.highest);
      case 'certificate':
        return this.#certificateReceived(from, message.certificate);
      case 'timeoutCertificate':
        return this.#timeoutCertificateReceived(from, message.certificate);
      default:
        return this.#fault(from, 'misrouted');
    }
  }

  #voteReceived(vote: Vote): void {
    if (vote.height <= this.#finalHeight) return;
    if (!this.#isWithinWindow(vote)) return;
    const set = this.#setOf(vote);
    const counted = count(set, vote);
    if (counted.kind === 'repeated') return;
    if (counted.kind === 'conflict') {
      return this.#accuse({ kind: 'doubleVote', first: counted.earlier, second: vote });
    }
    this.#held[vote.voter]!++;
    // This node made its own votes: there is nothing to check.
    if (vote.voter === this.#self) set.checked[this.#self] = true;
    this.#checkAgainstHistory(vote);
    this.#formCertificate(set, vote);
  }

  #isWithinWindow(vote: Vote): boolean {
    const inWindow =
      vote.epoch === 0 &&
      (vote.first || vote.height <= this.#finalHeight + HEIGHTS_AHEAD_MAX) &&
      vote.term <= this.#term + TERMS_AHEAD_MAX &&
      vote.term >= this.#term - TERMS_BEHIND_MAX;
    if (!inWindow) return false;
    if (this.#held[vote.voter]! < VOTES_PER_VALIDATOR_MAX) return true;
    this.#fault(vote.voter, 'vote_flood');
    return false;
  }

  #setOf(vote: Vote): VoteSet {
    const key = setKey(vote);
    const existing = this.#sets.get(key);
    if (existing !== undefined) return existing;
    const set = newVoteSet(vote, this.#verifier.cluster.n);
    this.#sets.set(key, set);
    return set;
  }

  #formCertificate(set: VoteSet, vote: Vote): void {
    const { certificate, bad } = form(this.#verifier, set, vote);
    for (const voter of bad) {
      this.#held[voter]!--;
      this.#fault(voter, 'bad_vote_signature');
    }
    if (certificate === null) return;
    this.#tellCertificate(certificate);
  }

  #tellCertificate(certificate: Certificate): void {
    if (certificate.kind === 'commit') {
      return this.#tell({ kind: 'commitCertified', certificate });
    }
    this.#tell({ kind: 'prepareCertified', certificate, lastVoted: [...this.#lastVoted] });
  }

  /** Looks for the two misdeeds that show only across sets: two first blocks, a hidden commit. */
  #checkAgainstHistory(vote: Vote): void {
    if (vote.kind === 'prepare') {
      this.#lastVoted[vote.voter] = Math.max(this.#lastVoted[vote.voter]!, vote.height);
      if (vote.first) this.#checkFirst(vote);
      return;
    }
    const held = this.#timeouts.of(vote.voter);
    if (held !== undefined && hidesCommit(vote, held.timeout)) {
      this.#accuse({ kind: 'hiddenCommit', vote, timeout: held.timeout });
    }
  }

  #checkFirst(vote: Vote): void {
    const earlier = this.#firsts[vote.voter];
    if (earlier?.term === vote.term && earlier.block !== vote.block) {
      return this.#accuse({ kind: 'doubleFirst', first: earlier, second: vote });
    }
    if (earlier === undefined || vote.term > earlier.term) this.#firsts[vote.voter] = vote;
  }

  #timeoutReceived(timeout: Timeout, highest: Certificate | null): void {
    if (timeout.epoch !== 0 || !this.#timeouts.keep({ timeout, highest })) return;
    for (const set of this.#sets.values()) {
      const vote = set.kind === 'commit' ? set.votes[timeout.voter] : undefined;
      if (vote !== undefined && hidesCommit(vote, timeout)) {
        this.#accuse({ kind: 'hiddenCommit', vote, timeout });
      }
    }
    this.#formTimeoutCertificate(timeout.term);
    this.#checkJoined();
  }

  #formTimeoutCertificate(term: number): void {
    if (term < this.#term) return;
    const { certificate, bad } = this.#timeouts.form(term);
    for (const voter of bad) this.#fault(voter, 'bad_timeout');
    if (certificate !== null) this.#tell({ kind: 'timeoutCertified', certificate });
  }

  #checkJoined(): void {
    if (this.#timeouts.areJoined(this.#term))
      this.#tell({ kind: 'timeoutsJoined', term: this.#term });
  }

  /** A certificate handed on by a peer (T3): every signature is checked, whatever its kind. */
  #certificateReceived(from: ValidatorIndex, certificate: Certificate): void {
    if (certificate.epoch !== 0 || certificate.height <= this.#finalHeight) return;
    const set = this.#sets.get(setKey(certificate));
    if (set?.certified === true) return;
    if (!isCertificateValid(this.#verifier, certificate)) {
      return this.#fault(from, 'bad_certificate');
    }
    if (set !== undefined) set.certified = true;
    this.#tellCertificate(certificate);
  }

  #timeoutCertificateReceived(from: ValidatorIndex, certificate: TimeoutCertificate): void {
    if (certificate.epoch !== 0 || certificate.term < this.#term) return;
    if (!isTimeoutCertificateValid(this.#verifier, certificate)) {
      return this.#fault(from, 'bad_timeout_certificate');
    }
    this.#tell({ kind: 'timeoutCertified', certificate });
  }

  #tellHandOver(handOver: HandOver): void {
    this.#tell({ kind: 'handOverSeen', handOver });
  }

  #termEntered(term: number): void {
    this.#term = term;
    this.#forget((set) => set.term < term - TERMS_BEHIND_MAX);
    this.#checkJoined();
  }

  #prune(finalHeight: number): void {
    if (finalHeight <= this.#finalHeight) return;
    this.#finalHeight = finalHeight;
    this.#forget((set) => set.height <= finalHeight);
  }

  #forget(isOld: (set: VoteSet) => boolean): void {
    for (const [key, set] of this.#sets) {
      if (!isOld(set)) continue;
      this.#sets.delete(key);
      set.votes.forEach((vote, voter) => {
        if (vote !== undefined) this.#held[voter]!--;
      });
    }
  }

  #accuse(item: Evidence): void {
    const accused = item.kind === 'hiddenCommit' ? item.vote.voter : item.first.voter;
    const key = keyOf(this.#verifier.cluster, accused);
    if (key === undefined || this.#evidence.has(evidenceKey(item))) return;
    if (this.#evidenceOf[accused]! >= EVIDENCE_PER_VALIDATOR_MAX) return;
    if (!isEvidenceValid(this.#verifier, item)) return this.#fault(accused, 'bad_vote_signature');
    if (accused === this.#self) {
      throw new InvariantViolation(
        'own_equivocation',
        `this node signed twice: ${evidenceKey(item)}`,
      );
    }
    this.#remember(item);
    const record = { accused: key, found: item.kind, evidence: item };
    this.#out.events.push({
      stream: VOTING_STREAM,
      seq: this.#streamEnd++,
      kind: 'evidenceFound',
      header: packStructure(evidenceRecord, record),
    });
    this.#fault(accused, item.kind);
  }

  #remember(item: Evidence): void {
    const accused = item.kind === 'hiddenCommit' ? item.vote.voter : item.first.voter;
    this.#evidence.add(evidenceKey(item));
    this.#evidenceOf[accused]!++;
  }

  /** A quorum's word needs no write of ours: consensus logs what it does about it (P1). */
  #tell(message: ConsensusMessage): void {
    this.#out.immediate.push({ kind: 'tell', to: 'consensus', message });
  }

  #fault(peer: ValidatorIndex, code: string): void {
    this.#out.effects.push({ kind: 'peerFault', peer, code, detail: '' });
  }
}
