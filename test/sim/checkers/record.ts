/**
 * The safety record of each honest node, read from its own log in the order in which it became
 * durable, against a second reading of rules B4–B6, T1 and T2. It shares only the checks of signatures
 * and counts with the machines, and those as they are, not as a planted bug has them.
 */
import {
  backsClaim,
  compareRank,
  isHandOverValid,
  isTimeoutValid,
  NO_RANK,
  type Rank,
} from '../../../protocols/certificates.ts';
import type { ConsensusEvent } from '../../../protocols/consensus/events.ts';
import { joinOf } from '../../../protocols/quorum.ts';
import type { Certificate, Digest, HandOver, Tip } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Report } from '../observer.ts';
import type { World } from '../world.ts';
import { Legality } from './legality.ts';
import type { OrderChecker } from './order.ts';
import type { Registry } from './registry.ts';

/** Nobody loses patience with a leader sooner than this after entering its term. */
const PATIENCE_MS_MIN = 100;
const PAUSE_MS_MAX = 1_500;

interface Record {
  term: number;
  abandoned: boolean;
  enteredAtUs: number;
  enteredIn: number;
  prepared: Map<number, Digest>;
  first: Digest | null;
  committed: Map<string, Digest>;
  highest: Rank;
}

const newRecord = (): Record => ({
  term: -1,
  abandoned: false,
  enteredAtUs: 0,
  enteredIn: -1,
  prepared: new Map(),
  first: null,
  committed: new Map(),
  highest: NO_RANK,
});

export class RecordChecker {
  readonly #world: World;
  readonly #registry: Registry;
  readonly #order: OrderChecker;
  readonly #legality: Legality;
  readonly #report: Report;
  readonly #records = new Map<SimNode, Record>();
  readonly #abandoned = new Map<number, number>();
  readonly coverage = { terms: 0, timeouts: 0, firstVotes: 0 };

  constructor(world: World, registry: Registry, order: OrderChecker, report: Report) {
    this.#world = world;
    this.#registry = registry;
    this.#order = order;
    this.#legality = new Legality(world, registry, order);
    this.#report = report;
  }

  recordOf(node: SimNode): Record {
    let record = this.#records.get(node);
    if (record === undefined) this.#records.set(node, (record = newRecord()));
    return record;
  }

  /** The next event of the node's stream `consensus`; `holds` says what batches it has durably. */
  happened(node: SimNode, event: ConsensusEvent, holds: (lane: number, tip: Tip) => boolean): void {
    const record = this.recordOf(node);
    switch (event.kind) {
      case 'termEntered':
        return this.#entered(node, record, event);
      case 'prepareVoted':
        return this.#prepared(node, record, event, holds);
      case 'commitVoted':
        return this.#committed(node, record, event);
      case 'timeoutCast':
        return this.#timedOut(node, record, event);
    }
  }

  #entered(
    node: SimNode,
    record: Record,
    event: Extract<ConsensusEvent, { kind: 'termEntered' }>,
  ): void {
    if (event.term <= record.term)
      this.#fail('T2', node, `enters term ${event.term} after ${record.term}`);
    const { by } = event;
    if (by !== null) {
      if (by.term !== event.term - 1)
        this.#fail('T2', node, `enters term ${event.term} by ${by.term}`);
      if (!this.#legality.areTimeoutsValid(by))
        this.#fail('T2', node, `enters term ${event.term} on nothing`);
      this.#raise(record, by.highest);
    }
    this.coverage.terms = Math.max(this.coverage.terms, event.term);
    record.term = event.term;
    record.abandoned = false;
    record.enteredAtUs = this.#world.scheduler.now;
    record.enteredIn = node.incarnation;
    record.prepared = new Map();
    record.first = null;
  }

  #prepared(
    node: SimNode,
    record: Record,
    event: Extract<ConsensusEvent, { kind: 'prepareVoted' }>,
    holds: (lane: number, tip: Tip) => boolean,
  ): void {
    const { vote, block } = event;
    const digest = this.#registry.learn(block);
    const where = `height ${block.height} of term ${block.term}`;
    const isFirst = block.justify.kind !== 'certificate';
    if (vote.voter !== node.validator || vote.kind !== 'prepare')
      this.#fail('B4', node, 'not its vote');
    if (
      vote.block !== digest ||
      vote.height !== block.height ||
      vote.term !== block.term ||
      vote.first !== isFirst
    ) {
      this.#fail('B4', node, `its vote names another block than it stored, ${where}`);
    }
    if (block.term !== record.term)
      this.#fail('B4', node, `votes in term ${block.term}, is in ${record.term}`);
    if (record.abandoned) this.#fail('B4', node, `votes at ${where} after abandoning it`);
    if (record.prepared.has(block.height)) this.#fail('B4', node, `votes twice at ${where}`);
    if (isFirst) {
      this.coverage.firstVotes++;
      if (record.first !== null)
        this.#fail('B4', node, `votes for two first blocks in term ${block.term}`);
      record.first = digest;
    }
    record.prepared.set(block.height, digest);
    const complaint = this.#legality.complaintAbout(node, block);
    if (complaint !== null) this.#fail(complaint.rule, node, `votes at ${where} ${complaint.says}`);
    for (const [lane, tip] of block.cut.entries()) {
      if (!holds(lane, tip))
        this.#fail('B4', node, `votes at ${where} without lane ${lane} up to ${tip.seq}`);
    }
  }

  #committed(
    node: SimNode,
    record: Record,
    event: Extract<ConsensusEvent, { kind: 'commitVoted' }>,
  ): void {
    const { vote, certificate } = event;
    const where = `height ${vote.height} of term ${vote.term}`;
    const fits =
      vote.voter === node.validator &&
      vote.kind === 'commit' &&
      certificate.kind === 'prepare' &&
      certificate.block === vote.block &&
      certificate.term === vote.term &&
      certificate.height === vote.height &&
      this.#legality.isValid(certificate);
    if (!fits) this.#fail('P1', node, `commits at ${where} without the full certificate`);
    if (vote.term !== record.term)
      this.#fail('B6', node, `commits at ${where}, is in ${record.term}`);
    if (record.abandoned) this.#fail('B6', node, `commits at ${where} after abandoning the term`);
    const key = `${vote.term}/${vote.height}`;
    const earlier = record.committed.get(key);
    if (earlier !== undefined && earlier !== vote.block)
      this.#fail('B6', node, `commits twice at ${where}`);
    record.committed.set(key, vote.block);
    this.#raise(record, certificate);
    this.#order.commitVoted(node, vote);
  }

  #timedOut(
    node: SimNode,
    record: Record,
    event: Extract<ConsensusEvent, { kind: 'timeoutCast' }>,
  ): void {
    const { timeout, highest } = event;
    const claimed = { term: timeout.highTerm, height: timeout.highHeight };
    this.coverage.timeouts++;
    if (timeout.term !== record.term)
      this.#fail('T2', node, `times term ${timeout.term} out, is in ${record.term}`);
    if (record.abandoned) this.#fail('T2', node, `times term ${timeout.term} out twice`);
    if (timeout.voter !== node.validator || !isTimeoutValid(this.#legality.verifier, timeout)) {
      this.#fail('T2', node, 'its timeout is not signed by it');
    }
    if (!backsClaim(timeout, highest) || (highest !== null && !this.#legality.isValid(highest))) {
      this.#fail('T2', node, `its timeout of term ${timeout.term} claims what it does not prove`);
    }
    if (compareRank(claimed, record.highest) < 0) {
      this.#fail(
        'B5',
        node,
        `claims (${claimed.term}, ${claimed.height}) after (${record.highest.term}, ${record.highest.height})`,
      );
    }
    this.#cause(node, record, timeout.term, event.handOver);
    this.#raise(record, highest);
    record.abandoned = true;
    this.#abandoned.set(node.validator, timeout.term);
  }

  /** Patience ran out, enough others left, the leader left, or a leader came back from a crash. */
  #cause(node: SimNode, record: Record, term: number, handOver: HandOver | null): void {
    const { cluster, profile, scheduler } = this.#world;
    if (handOver !== null) {
      const isGenuine =
        handOver.term === term && isHandOverValid(this.#legality.verifier, handOver);
      if (!isGenuine) this.#fail('T4', node, `leaves term ${term} on a forged hand-over`);
      return;
    }
    if (term % cluster.n === node.validator) return;
    if (record.enteredIn !== node.incarnation || !this.#isPrompt(node)) return;
    if (scheduler.now - record.enteredAtUs >= PATIENCE_MS_MIN * 1000) return;
    let left = profile.byzantine.size;
    for (const abandoned of this.#abandoned.values()) if (abandoned >= term) left++;
    if (left < joinOf(cluster.n))
      this.#fail('T2', node, `leaves term ${term} with only ${left} others`);
  }

  /** Whether what this node's log says happened just now did happen just now. */
  #isPrompt(node: SimNode): boolean {
    const isAwake = this.#world.scheduler.now - node.pausedAtUs > PAUSE_MS_MAX * 1000;
    return isAwake && node.setup.speed.syncUs < PATIENCE_MS_MIN * 100;
  }

  #raise(record: Record, certificate: Certificate | null): void {
    if (certificate !== null && compareRank(certificate, record.highest) > 0) {
      record.highest = { term: certificate.term, height: certificate.height };
    }
  }

  #fail(rule: string, node: SimNode, detail: string): void {
    this.#report(`rule ${rule}`, `n${node.instance} ${detail}`);
  }
}
