/**
 * What a node must do in time, where the cluster as a whole would get along without it for a while:
 * joining the timeouts of n − q + 1 and moving to the term of a certificate (T2), giving up on a
 * prepared block that does not become final (T1), saying its votes again (T3), certifying what was
 * executed (B3) — and leaving a leader alone that does nothing wrong.
 */
import { isTimeoutCertificateValid, isTimeoutValid } from '../../../protocols/certificates.ts';
import type { ConsensusEvent } from '../../../protocols/consensus/events.ts';
import type { PeerMessage } from '../../../protocols/messages.ts';
import { joinOf } from '../../../protocols/quorum.ts';
import type { Vote } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';
import type { RecordChecker } from './record.ts';

const PROMPT_MS = 1_500;
/** Within this a node that learns of a connection has said again what it owes. */
const AGAIN_MS = 300;
/** A node that was stopped this short ago may still be. */
const PAUSE_MS_MAX = 1_000;
const PREPARED_MS_MORE = 600;
const CERTIFY_MS_MAX = 2_500;
/** Most messages that certifying a state takes one after the other. */
const CERTIFY_HOPS = 40;

export class PatienceChecker implements Observer {
  readonly #world: World;
  readonly #record: RecordChecker;
  readonly #report: Report;
  /** Per node and incarnation: the highest term that each validator is known to have abandoned. */
  readonly #left = new Map<SimNode, { incarnation: number; terms: Map<number, number> }>();
  readonly #votes = new Map<SimNode, Vote[]>();
  readonly #said = new Map<string, number>();
  #executedAtUs = Infinity;
  /** By then the heartbeat of a leader that began anew is missed. */
  #missedAtUs = 0;

  constructor(world: World, record: RecordChecker, report: Report) {
    this.#world = world;
    this.#record = record;
    this.#report = report;
  }

  heard(node: SimNode, from: number, message: PeerMessage): void {
    if (message.kind === 'timeoutCertificate') return this.#heardCertificate(node, message);
    if (message.kind !== 'timeout' || message.timeout.voter !== from) return;
    const { cluster, crypto } = this.#world;
    if (!isTimeoutValid({ cluster, crypto }, message.timeout)) return;
    const { term } = this.#record.recordOf(node);
    const terms = this.#termsLeft(node);
    terms.set(from, Math.max(terms.get(from) ?? -1, message.timeout.term));
    const left = [...terms.values()].filter((each) => each >= term).length;
    if (left < joinOf(cluster.n)) return;
    this.#unlessDisturbed(node, PROMPT_MS, () => {
      const now = this.#record.recordOf(node);
      if (now.term !== term || now.abandoned) return;
      this.#report('rule T2', `n${node.instance} stays in term ${term}, which ${left} others left`);
    });
  }

  #heardCertificate(
    node: SimNode,
    { certificate }: Extract<PeerMessage, { kind: 'timeoutCertificate' }>,
  ): void {
    const { cluster, crypto } = this.#world;
    if (certificate.term < this.#record.recordOf(node).term) return;
    if (!isTimeoutCertificateValid({ cluster, crypto }, certificate)) return;
    this.#unlessDisturbed(node, PROMPT_MS, () => {
      const { term } = this.#record.recordOf(node);
      if (term > certificate.term) return;
      this.#report(
        'rule T2',
        `n${node.instance} stays in term ${term}, knows that ${certificate.term} is over`,
      );
    });
  }

  happened(node: SimNode, event: ConsensusEvent): void {
    if (event.kind === 'prepareVoted' || event.kind === 'commitVoted') {
      const votes = this.#votes.get(node);
      if (votes === undefined) this.#votes.set(node, [event.vote]);
      else votes.push(event.vote);
    }
    if (event.kind === 'commitVoted') this.#awaitFinal(node, event.vote.term, event.vote.height);
    if (event.kind === 'termEntered' && event.term > 0 && this.#world.profile.calm) {
      this.#report(
        'stability',
        `n${node.instance} leaves term ${event.term - 1}, whose leader did no wrong`,
      );
    }
  }

  sent(node: SimNode, to: number | null, message: PeerMessage): void {
    const key = saidKey(node, message);
    if (key === null) return;
    const peers = to === null ? Array.from({ length: this.#world.cluster.n }, (_, v) => v) : [to];
    for (const peer of peers) this.#said.set(`${key}/${peer}`, this.#world.scheduler.now);
  }

  /** A peer is back: what it may have missed is said again, unless it is decided by then (T3). */
  connected(node: SimNode, peer: number): void {
    const { scheduler } = this.#world;
    const connectedAtUs = scheduler.now;
    const finalHeight = (): number => node.machines?.consensus.status().finalHeight ?? 0;
    const isSaid = (key: string): boolean =>
      (this.#said.get(`${key}/${peer}`) ?? -1) >= connectedAtUs;
    const open = (this.#votes.get(node) ?? []).filter(({ height }) => height > finalHeight());
    this.#unlessDisturbed(node, AGAIN_MS, () => {
      if (!isSaid(`${node.instance}/marks`)) {
        this.#report('rule T3', `n${node.instance} does not tell ${peer} its marks again`);
      }
      for (const vote of open) {
        if (vote.height <= finalHeight() || isSaid(voteKey(node, vote))) continue;
        this.#report(
          'rule T3',
          `n${node.instance} does not tell ${peer} its ${vote.kind} vote at ${vote.height} again`,
        );
      }
    });
  }

  /** A leader that began anew has let go of its term, which others learn when no heartbeat comes (P2, T1). */
  started(node: SimNode): void {
    if (node.incarnation === 1) return;
    const { scheduler, profile } = this.#world;
    this.#missedAtUs = scheduler.now + profile.heartbeatMs * 1000;
  }

  /** Looked at now and then: what all have executed is certified soon after (B3). */
  expectCertified(isExecuted: boolean, isCertified: boolean): void {
    const { scheduler, profile } = this.#world;
    if (!isExecuted || profile.byzantine.size > 0) return;
    this.#executedAtUs = Math.min(this.#executedAtUs, scheduler.now);
    const patience =
      CERTIFY_MS_MAX * 1000 + CERTIFY_HOPS * (profile.link.minUs + profile.link.jitterUs);
    const since = Math.max(this.#executedAtUs, this.#missedAtUs);
    if (isCertified || scheduler.now < since + patience) return;
    this.#report('rule B3', `nothing certifies what every node executed ${patience / 1000} ms ago`);
  }

  #termsLeft(node: SimNode): Map<number, number> {
    const known = this.#left.get(node);
    if (known?.incarnation === node.incarnation) return known.terms;
    const terms = new Map<number, number>();
    this.#left.set(node, { incarnation: node.incarnation, terms });
    return terms;
  }

  /** A block that this node knows as prepared becomes final, or the node leaves the term. */
  #awaitFinal(node: SimNode, term: number, height: number): void {
    const status = node.machines?.consensus.status();
    if (status === undefined || status.finalHeight >= height) return;
    const { finalHeight: before, timeoutMs } = status;
    const since = this.#world.scheduler.now;
    this.#unlessDisturbed(node, timeoutMs + PREPARED_MS_MORE, () => {
      const now = this.#record.recordOf(node);
      const later = node.machines?.consensus.status();
      if (later === undefined || later.finalHeight >= height) return;
      if (now.term !== term || now.abandoned) return;
      const isMoving = later.finalHeight > before || later.timeoutMs > timeoutMs;
      // Alone it keeps its patience (I105).
      const wasAlone = node.isAlone || node.aloneAtUs >= since;
      if (isMoving || wasAlone) return this.#awaitFinal(node, term, height);
      this.#report(
        'rule T1',
        `n${node.instance} waits in term ${term} for height ${height}, prepared and not final`,
      );
    });
  }

  #unlessDisturbed(node: SimNode, delayMs: number, task: () => void): void {
    const { incarnation, pauses } = node;
    if (this.#world.scheduler.now - node.pausedAtUs < PAUSE_MS_MAX * 1000) return;
    const slow = this.#world.profile.slow.includes(node.validator) ? 4 : 1;
    this.#world.scheduler.after(delayMs * 1000 * slow, () => {
      if (node.up && node.incarnation === incarnation && node.pauses === pauses) task();
    });
  }
}

const voteKey = (node: SimNode, { kind, term, height }: Vote): string =>
  `${node.instance}/${kind}/${term}/${height}`;

/** What is to be said again to a peer that comes back; null for anything else. */
function saidKey(node: SimNode, message: PeerMessage): string | null {
  if (message.kind === 'vote') return voteKey(node, message.vote);
  return message.kind === 'marks' ? `${node.instance}/marks` : null;
}
