/**
 * The safety record of each honest node, read from its own log in the order in which it became
 * durable, against a second reading of rules B4–B6, T1 and T2. It shares only the checks of signatures
 * and counts with the machines, and those as they are, not as a planted bug has them.
 */
import {
  backsClaim,
  compareRank,
  isBlockSigned,
  isCertificateValid,
  isHandOverValid,
  isTimeoutCertificateValid,
  isTimeoutValid,
  NO_RANK,
  type Rank,
  type Verifier,
} from '../../../protocols/certificates.ts';
import { emptyCut, EXECUTED_NOTHING } from '../../../protocols/chain.ts';
import type { ConsensusEvent } from '../../../protocols/consensus/events.ts';
import { joinOf } from '../../../protocols/quorum.ts';
import type { Block, Certificate, Digest, HandOver, TimeoutCertificate, Tip } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Report } from '../observer.ts';
import type { World } from '../world.ts';
import type { OrderChecker } from './order.ts';
import type { Registry } from './registry.ts';

/** A block's time is compared with a voter's clock when its vote is durable, so a little later. */
const CLOCK_SLACK_MS = 5_000;
/** Nobody loses patience with a leader sooner than this after entering its term. */
const PATIENCE_MS_MIN = 100;

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
  readonly #report: Report;
  readonly #records = new Map<SimNode, Record>();
  readonly #abandoned = new Map<number, number>();
  readonly #checked = new Set<string>();
  readonly coverage = { terms: 0, timeouts: 0, firstVotes: 0, higherFirsts: 0 };

  constructor(world: World, registry: Registry, order: OrderChecker, report: Report) {
    this.#world = world;
    this.#registry = registry;
    this.#order = order;
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

  #entered(node: SimNode, record: Record, event: Extract<ConsensusEvent, { kind: 'termEntered' }>): void {
    if (event.term <= record.term) this.#fail('T2', node, `enters term ${event.term} after ${record.term}`);
    const { by } = event;
    if (by !== null) {
      if (by.term !== event.term - 1) this.#fail('T2', node, `enters term ${event.term} by ${by.term}`);
      if (!this.#isTimeoutsValid(by)) this.#fail('T2', node, `enters term ${event.term} on nothing`);
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
    if (vote.voter !== node.validator || vote.kind !== 'prepare') this.#fail('B4', node, 'not its vote');
    if (vote.block !== digest || vote.height !== block.height || vote.term !== block.term || vote.first !== isFirst) {
      this.#fail('B4', node, `its vote names another block than it stored, ${where}`);
    }
    if (block.term !== record.term) this.#fail('B4', node, `votes in term ${block.term}, is in ${record.term}`);
    if (record.abandoned) this.#fail('B4', node, `votes at ${where} after abandoning it`);
    if (record.prepared.has(block.height)) this.#fail('B4', node, `votes twice at ${where}`);
    if (isFirst) {
      this.coverage.firstVotes++;
      if (record.first !== null) this.#fail('B4', node, `votes for two first blocks in term ${block.term}`);
      record.first = digest;
    }
    record.prepared.set(block.height, digest);
    this.#place(node, block, where);
    this.#content(node, block, where);
    for (const [lane, tip] of block.cut.entries()) {
      if (!holds(lane, tip)) this.#fail('B4', node, `votes at ${where} without lane ${lane} up to ${tip.seq}`);
    }
  }

  /** Whether the block may stand where it stands (B1, B4). */
  #place(node: SimNode, block: Block, where: string): void {
    const { justify } = block;
    const verifier = this.#verifier();
    if (!isBlockSigned(verifier, block)) this.#fail('B3', node, `votes for a stranger's block at ${where}`);
    if (justify.kind === 'epoch') {
      const isOpening = block.term === 0 && block.height === 1 && block.parent === this.#world.cluster.id;
      if (!isOpening) this.#fail('B4', node, `votes at ${where} for a beginning that is none`);
      return;
    }
    if (justify.kind === 'certificate') {
      const { certificate } = justify;
      const fits =
        certificate.kind === 'prepare' &&
        certificate.epoch === block.epoch &&
        certificate.term === block.term &&
        certificate.height === block.height - 1 &&
        certificate.block === block.parent &&
        this.#isValid(certificate);
      if (!fits) this.#fail('B4', node, `votes at ${where} on a parent not certified in the term`);
      return;
    }
    const { certificate } = justify;
    const { highest } = certificate;
    if (highest !== null) this.coverage.higherFirsts++;
    const parent = highest?.block ?? this.#world.cluster.id;
    const height = (highest?.height ?? 0) + 1;
    const fits =
      certificate.term === block.term - 1 &&
      block.parent === parent &&
      block.height === height &&
      this.#isTimeoutsValid(certificate);
    if (!fits) this.#fail('B4', node, `votes at ${where} for a first block off the highest certificate`);
  }

  /** Cut, time and executed state against the parent's (B1, B2, B4). */
  #content(node: SimNode, block: Block, where: string): void {
    const { cluster } = this.#world;
    const parent = this.#registry.blocks.get(block.parent);
    if (parent === undefined && block.parent !== cluster.id) {
      return this.#fail('B4', node, `votes at ${where} on a parent that nobody voted for`);
    }
    const before = parent ?? {
      cut: emptyCut(cluster.n),
      timestamp: cluster.genesis.createdAtMs,
      executed: EXECUTED_NOTHING,
      height: 0,
    };
    const isForward =
      block.cut.length === cluster.n &&
      block.cut.every((tip, lane) => this.#registry.leadsTo(before.cut[lane] as Tip, tip));
    if (!isForward) this.#fail('B1', node, `votes at ${where} for a cut that leaves a lane's chain`);
    const drift = cluster.genesis.limits.clockDriftMsMax + CLOCK_SLACK_MS;
    const off = Math.abs(block.timestamp - node.setup.clock.nowMs());
    if (block.timestamp <= before.timestamp) this.#fail('B4', node, `votes at ${where} for a time not after its parent's`);
    if (off > drift) this.#fail('B4', node, `votes at ${where} for a time ${off} ms off its clock`);
    if (block.endsEpoch !== null) this.#fail('V2', node, `votes at ${where} to end the epoch`);
    this.#executed(node, block, before.executed, where);
  }

  #executed(node: SimNode, block: Block, before: Block['executed'], where: string): void {
    const { executed } = block;
    if (executed.height < before.height) this.#fail('B2', node, `votes at ${where} for an older state`);
    const known = executed.height === 0 ? EXECUTED_NOTHING : this.#order.executed.get(executed.height);
    const isTrue =
      known !== undefined &&
      known.stateRoot === executed.stateRoot &&
      known.receiptsRoot === executed.receiptsRoot &&
      known.pendingSet === executed.pendingSet;
    if (!isTrue) this.#fail('B2', node, `votes at ${where} for a state that no honest node reached`);
  }

  #committed(node: SimNode, record: Record, event: Extract<ConsensusEvent, { kind: 'commitVoted' }>): void {
    const { vote, certificate } = event;
    const where = `height ${vote.height} of term ${vote.term}`;
    const fits =
      vote.voter === node.validator &&
      vote.kind === 'commit' &&
      certificate.kind === 'prepare' &&
      certificate.block === vote.block &&
      certificate.term === vote.term &&
      certificate.height === vote.height &&
      this.#isValid(certificate);
    if (!fits) this.#fail('P1', node, `commits at ${where} without the full certificate`);
    if (vote.term !== record.term) this.#fail('B6', node, `commits at ${where}, is in ${record.term}`);
    if (record.abandoned) this.#fail('B6', node, `commits at ${where} after abandoning the term`);
    const key = `${vote.term}/${vote.height}`;
    const earlier = record.committed.get(key);
    if (earlier !== undefined && earlier !== vote.block) this.#fail('B6', node, `commits twice at ${where}`);
    record.committed.set(key, vote.block);
    this.#raise(record, certificate);
    this.#order.commitVoted(node, vote);
  }

  #timedOut(node: SimNode, record: Record, event: Extract<ConsensusEvent, { kind: 'timeoutCast' }>): void {
    const { timeout, highest } = event;
    const claimed = { term: timeout.highTerm, height: timeout.highHeight };
    this.coverage.timeouts++;
    if (timeout.term !== record.term) this.#fail('T2', node, `times term ${timeout.term} out, is in ${record.term}`);
    if (record.abandoned) this.#fail('T2', node, `times term ${timeout.term} out twice`);
    if (timeout.voter !== node.validator || !isTimeoutValid(this.#verifier(), timeout)) {
      this.#fail('T2', node, 'its timeout is not signed by it');
    }
    if (!backsClaim(timeout, highest) || (highest !== null && !this.#isValid(highest))) {
      this.#fail('T2', node, `its timeout of term ${timeout.term} claims what it does not prove`);
    }
    if (compareRank(claimed, record.highest) < 0) {
      this.#fail('B5', node, `claims (${claimed.term}, ${claimed.height}) after (${record.highest.term}, ${record.highest.height})`);
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
      const isGenuine = handOver.term === term && isHandOverValid(this.#verifier(), handOver);
      if (!isGenuine) this.#fail('T4', node, `leaves term ${term} on a forged hand-over`);
      return;
    }
    if (term % cluster.n === node.validator) return;
    if (record.enteredIn !== node.incarnation) return;
    if (scheduler.now - record.enteredAtUs >= PATIENCE_MS_MIN * 1000) return;
    let left = profile.byzantine.size;
    for (const abandoned of this.#abandoned.values()) if (abandoned >= term) left++;
    if (left < joinOf(cluster.n)) this.#fail('T2', node, `leaves term ${term} with only ${left} others`);
  }

  #raise(record: Record, certificate: Certificate | null): void {
    if (certificate !== null && compareRank(certificate, record.highest) > 0) {
      record.highest = { term: certificate.term, height: certificate.height };
    }
  }

  #verifier(): Verifier {
    return { cluster: this.#world.cluster, crypto: this.#world.crypto };
  }

  /** Signatures of one certificate are checked once per run. */
  #isValid(certificate: Certificate): boolean {
    const voters = certificate.votes.map(({ voter, signature }) => `${voter}.${signature[0]}.${signature[9]}`);
    const key = `${certificate.kind}/${certificate.term}/${certificate.height}/${certificate.block}/${certificate.first}/${voters.join()}`;
    if (this.#checked.has(key)) return true;
    const isValid = isCertificateValid(this.#verifier(), certificate);
    if (isValid) this.#checked.add(key);
    return isValid;
  }

  #isTimeoutsValid(certificate: TimeoutCertificate): boolean {
    const voters = certificate.timeouts.map(({ voter, signature }) => `${voter}.${signature[0]}.${signature[9]}`);
    const { highest } = certificate;
    const key = `tc/${certificate.term}/${voters.join()}/${highest?.term}/${highest?.height}/${highest?.block}`;
    if (this.#checked.has(key)) return true;
    const isValid = isTimeoutCertificateValid(this.#verifier(), certificate);
    if (isValid) this.#checked.add(key);
    return isValid;
  }

  #fail(rule: string, node: SimNode, detail: string): void {
    this.#report(`rule ${rule}`, `n${node.instance} ${detail}`);
  }
}
