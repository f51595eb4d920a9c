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
  isVoteValid,
  type Verifier,
} from '../certificates.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import {
  newOutput,
  unreachable,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
} from '../machine.ts';
import type { ConsensusMessage, Effect, PeerMessage, VotingInput } from '../messages.ts';
import type { VotingStatus } from '../status.ts';
import type { Certificate, Timeout, TimeoutCertificate, ValidatorIndex, Vote } from '../types.ts';
import { Accusations, VOTING_STREAM } from './accusations.ts';
import { Committed } from './committed.ts';
import { hidesCommit, type Evidence } from './evidence.ts';
import { Timeouts } from './timeouts.ts';
import { Turnout } from './turnout.ts';
import { count, form, newVoteSet, setKey, votesOf, type VoteSet } from './vote-sets.ts';

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
  /** Per validator: its first-block vote in this node's term. */
  readonly #firsts: (Vote | undefined)[];
  readonly #turnout: Turnout;
  readonly #committed = new Committed();
  readonly #timeouts: Timeouts;
  readonly #accusations: Accusations;
  #term = 0;
  #finalHeight = 0;
  #recovered = false;
  #out: Output<Effect> = newOutput();

  constructor(options: VotingOptions) {
    const { cluster, crypto, self } = options;
    this.#verifier = { cluster, crypto };
    this.#self = self;
    this.#held = Array.from({ length: cluster.n }, () => 0);
    this.#turnout = new Turnout(cluster.n);
    this.#firsts = Array.from<Vote | undefined>({ length: cluster.n });
    this.#timeouts = new Timeouts(this.#verifier);
    this.#accusations = new Accusations(this.#verifier, self);
  }

  nextRecovery(): RecoveryRead | null {
    if (this.#recovered) return null;
    this.#recovered = true;
    return { stream: VOTING_STREAM, from: 0, bodies: false };
  }

  recover(event: LogEvent): void {
    this.#accusations.recover(event);
  }

  status(): VotingStatus {
    return { voteSets: this.#sets.size, ...this.#accusations.status() };
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
      case 'snapshotKept':
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
        if (message.handOver !== null)
          this.#tell({ kind: 'handOverSeen', from, handOver: message.handOver });
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
    if (vote.height <= this.#finalHeight || !this.#isWithinWindow(vote)) return;
    const set = this.#setOf(vote);
    if (!this.#count(set, vote)) return;
    // This node made its own votes: there is nothing to check.
    if (vote.voter === this.#self) set.checked[this.#self] = true;
    if (set.certified === vote.block) return this.#lateVote(vote);
    this.#formCertificate(set, vote);
  }

  /** The votes of a checked certificate: what others heard from a validator counts here too (I84). */
  #certificateChecked(certificate: Certificate): void {
    if (certificate.height <= this.#finalHeight) return;
    for (const vote of votesOf(certificate)) {
      if (!this.#isWithinWindow(vote)) continue;
      const set = this.#setOf(vote);
      if (this.#count(set, vote)) set.checked[vote.voter] = true;
    }
    const set = this.#sets.get(setKey(certificate));
    if (set !== undefined) set.certified ??= certificate.block;
    this.#turnout.note(certificate);
  }

  /** Whether the vote is new; against an earlier one it is evidence, unless that one was forged. */
  #count(set: VoteSet, vote: Vote): boolean {
    const counted = count(set, vote);
    if (counted.kind === 'repeated') return false;
    if (counted.kind === 'conflict' && isVoteValid(this.#verifier, counted.earlier)) {
      this.#accuse({ kind: 'doubleVote', first: counted.earlier, second: vote });
      return false;
    }
    if (counted.kind === 'counted') this.#held[vote.voter]!++;
    else this.#fault(vote.voter, 'bad_vote_signature');
    set.votes[vote.voter] = vote;
    this.#checkAgainstHistory(vote);
    return true;
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
    this.#turnout.note(certificate);
    this.#tellCertificate(certificate);
  }

  #lateVote(vote: Vote): void {
    if (!this.#turnout.isMissed(vote)) return;
    if (isVoteValid(this.#verifier, vote)) this.#turnout.note({ ...vote, votes: [vote] });
    else this.#fault(vote.voter, 'bad_vote_signature');
  }

  #tellCertificate(certificate: Certificate): void {
    if (certificate.kind === 'commit') {
      const rival = this.#committed.note(certificate);
      if (rival !== null) this.#accusations.accuseBoth(rival, certificate, this.#out);
      return this.#tell({ kind: 'commitCertified', certificate });
    }
    this.#tell({ kind: 'prepareCertified', certificate, lastVoted: this.#turnout.heights() });
  }

  /** Looks for the two misdeeds that show only across sets: two first blocks, a hidden commit. */
  #checkAgainstHistory(vote: Vote): void {
    if (vote.kind === 'prepare') return this.#checkFirst(vote);
    const held = this.#timeouts.of(vote.voter);
    if (held !== undefined && hidesCommit(vote, held.timeout)) {
      this.#accuse({ kind: 'hiddenCommit', vote, timeout: held.timeout });
    }
  }

  #checkFirst(vote: Vote): void {
    if (!vote.first || vote.term !== this.#term) return;
    const earlier = this.#firsts[vote.voter];
    if (earlier?.block === vote.block) return;
    if (earlier === undefined || !isVoteValid(this.#verifier, earlier)) {
      this.#firsts[vote.voter] = vote;
    } else {
      this.#accuse({ kind: 'doubleFirst', first: earlier, second: vote });
    }
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
    if (certificate !== null) this.#tellTimeouts(certificate);
  }

  #checkJoined(): void {
    if (this.#timeouts.areJoined(this.#term))
      this.#tell({ kind: 'timeoutsJoined', term: this.#term });
  }

  /** A certificate handed on by a peer (T3): every signature is checked, whatever its kind. */
  #certificateReceived(from: ValidatorIndex, certificate: Certificate): void {
    if (certificate.epoch !== 0 || this.#isNothingNew(certificate)) return;
    if (!isCertificateValid(this.#verifier, certificate)) {
      return this.#fault(from, 'bad_certificate');
    }
    this.#certificateChecked(certificate);
    this.#tellCertificate(certificate);
  }

  /** A commit certificate for a final height may be one for another branch (I91). */
  #isNothingNew(certificate: Certificate): boolean {
    if (this.#sets.get(setKey(certificate))?.certified === certificate.block) return true;
    if (certificate.height > this.#finalHeight) return false;
    return (
      certificate.kind === 'prepare' || this.#committed.isSettled(certificate, this.#finalHeight)
    );
  }

  #timeoutCertificateReceived(from: ValidatorIndex, certificate: TimeoutCertificate): void {
    if (certificate.epoch !== 0 || certificate.term < this.#term) return;
    if (!isTimeoutCertificateValid(this.#verifier, certificate)) {
      return this.#fault(from, 'bad_timeout_certificate');
    }
    this.#tellTimeouts(certificate);
  }

  #tellTimeouts(certificate: TimeoutCertificate): void {
    if (certificate.highest !== null) this.#certificateChecked(certificate.highest);
    this.#tell({ kind: 'timeoutCertified', certificate });
  }

  #termEntered(term: number): void {
    this.#term = term;
    this.#firsts.fill(undefined);
    for (const set of this.#sets.values()) {
      if (set.kind !== 'prepare') continue;
      for (const vote of set.votes) if (vote !== undefined) this.#checkFirst(vote);
    }
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
    this.#accusations.accuse(item, this.#out);
  }

  /**
   * A quorum's word needs no write of ours: consensus logs what it does about it (P1). Evidence does:
   * what shows it may stop the node, which must not lose it by that.
   */
  #tell(message: ConsensusMessage): void {
    const { events, immediate, effects } = this.#out;
    (events.length > 0 ? effects : immediate).push({ kind: 'tell', to: 'consensus', message });
  }

  #fault(peer: ValidatorIndex, code: string): void {
    this.#out.effects.push({ kind: 'peerFault', peer, code, detail: '' });
  }
}
