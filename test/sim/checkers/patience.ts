/**
 * What a node must do in time, where the cluster as a whole would get along without it for a while:
 * joining the timeouts of n − q + 1 (T2), giving up on a prepared block that does not become final
 * (T1), certifying what was executed (B3), and leaving a leader alone that does nothing wrong.
 */
import { isTimeoutValid } from '../../../protocols/certificates.ts';
import type { ConsensusEvent } from '../../../protocols/consensus/events.ts';
import type { PeerMessage } from '../../../protocols/messages.ts';
import { joinOf } from '../../../protocols/quorum.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';
import type { RecordChecker } from './record.ts';

const JOIN_MS_MAX = 1_500;
const PREPARED_MS_MORE = 1_500;
const CERTIFY_MS_MAX = 2_500;
/** Most messages that certifying a state takes one after the other. */
const CERTIFY_HOPS = 40;

export class PatienceChecker implements Observer {
  readonly #world: World;
  readonly #record: RecordChecker;
  readonly #report: Report;
  /** Per node and incarnation: the highest term that each validator is known to have abandoned. */
  readonly #left = new Map<SimNode, { incarnation: number; terms: Map<number, number> }>();
  #executedAtUs = Infinity;

  constructor(world: World, record: RecordChecker, report: Report) {
    this.#world = world;
    this.#record = record;
    this.#report = report;
  }

  heard(node: SimNode, from: number, message: PeerMessage): void {
    if (message.kind !== 'timeout' || message.timeout.voter !== from) return;
    const { cluster, crypto } = this.#world;
    if (!isTimeoutValid({ cluster, crypto }, message.timeout)) return;
    const { term } = this.#record.recordOf(node);
    const terms = this.#termsLeft(node);
    terms.set(from, Math.max(terms.get(from) ?? -1, message.timeout.term));
    const left = [...terms.values()].filter((each) => each >= term).length;
    if (left < joinOf(cluster.n)) return;
    this.#unlessDisturbed(node, JOIN_MS_MAX, () => {
      const now = this.#record.recordOf(node);
      if (now.term !== term || now.abandoned) return;
      this.#report('rule T2', `n${node.instance} stays in term ${term}, which ${left} others left`);
    });
  }

  happened(node: SimNode, event: ConsensusEvent): void {
    if (event.kind === 'commitVoted') this.#awaitFinal(node, event.vote.term, event.vote.height);
    if (event.kind === 'termEntered' && event.term > 0 && this.#world.profile.calm) {
      this.#report('stability', `n${node.instance} leaves term ${event.term - 1}, whose leader did no wrong`);
    }
  }

  /** Looked at now and then: what all have executed is certified soon after (B3). */
  expectCertified(isExecuted: boolean, isCertified: boolean): void {
    const { scheduler, profile } = this.#world;
    if (!isExecuted || profile.byzantine.size > 0) return;
    this.#executedAtUs = Math.min(this.#executedAtUs, scheduler.now);
    const patience = CERTIFY_MS_MAX * 1000 + CERTIFY_HOPS * (profile.link.minUs + profile.link.jitterUs);
    if (isCertified || scheduler.now < this.#executedAtUs + patience) return;
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
    const before = status.finalHeight;
    this.#unlessDisturbed(node, 2 * status.timeoutMs + PREPARED_MS_MORE, () => {
      const now = this.#record.recordOf(node);
      const finalHeight = node.machines?.consensus.status().finalHeight ?? height;
      if (finalHeight >= height || now.term !== term || now.abandoned) return;
      if (finalHeight > before) return this.#awaitFinal(node, term, height);
      this.#report('rule T1', `n${node.instance} waits in term ${term} for height ${height}, prepared and not final`);
    });
  }

  #unlessDisturbed(node: SimNode, delayMs: number, task: () => void): void {
    const { incarnation, pauses } = node;
    const slow = this.#world.profile.slow.includes(node.validator) ? 4 : 1;
    this.#world.scheduler.after(delayMs * 1000 * slow, () => {
      if (node.up && node.incarnation === incarnation && node.pauses === pauses) task();
    });
  }
}
