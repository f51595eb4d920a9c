/**
 * Durable before sent (P1, P2): whatever an honest node says, its log already holds. Also what only
 * shows when it is said: one header per seq of its lane, one proposal per height, marks that stay.
 */
import { chainEntry, CHAIN_STREAM } from '../../../protocols/chain.ts';
import { consensusEvent, CONSENSUS_STREAM } from '../../../protocols/consensus/events.ts';
import type { LogEvent } from '../../../protocols/machine.ts';
import type { PeerMessage } from '../../../protocols/messages.ts';
import type { BatchHeader, Block, Digest, Marks, Tip, Vote } from '../../../protocols/types.ts';
import { unpackStructure } from '../../../protocols/wire.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { OrderChecker } from './order.ts';
import type { PatienceChecker } from './patience.ts';
import type { RecordChecker } from './record.ts';
import type { Registry } from './registry.ts';

interface Durable {
  readonly votes: Set<string>;
  readonly timeouts: Set<string>;
  readonly terms: Map<number, number>;
  readonly batches: Set<Digest>;
  /** Batches whose whole chain below is stored too. */
  readonly chains: Set<Digest>;
  readonly proposed: Map<string, Digest>;
  readonly headers: Map<number, Digest>;
  readonly marked: Map<string, Digest>;
}

const newDurable = (): Durable => ({
  votes: new Set(),
  timeouts: new Set(),
  terms: new Map(),
  batches: new Set(),
  chains: new Set(),
  proposed: new Map(),
  headers: new Map(),
  marked: new Map(),
});

const voteKey = (vote: Omit<Vote, 'signature'>): string =>
  `${vote.kind}/${vote.term}/${vote.height}/${vote.block}/${vote.first}`;

export interface DurabilityParts {
  readonly registry: Registry;
  readonly record: RecordChecker;
  readonly order: OrderChecker;
  readonly patience: PatienceChecker;
}

export class DurabilityChecker implements Observer {
  readonly #nodes = new Map<SimNode, Durable>();
  readonly #registry: Registry;
  readonly #record: RecordChecker;
  readonly #order: OrderChecker;
  readonly #patience: PatienceChecker;
  readonly #report: Report;

  constructor(parts: DurabilityParts, report: Report) {
    this.#registry = parts.registry;
    this.#record = parts.record;
    this.#order = parts.order;
    this.#patience = parts.patience;
    this.#report = report;
  }

  #of(node: SimNode): Durable {
    let durable = this.#nodes.get(node);
    if (durable === undefined) this.#nodes.set(node, (durable = newDurable()));
    return durable;
  }

  synced(node: SimNode, events: readonly LogEvent[]): void {
    for (const event of events) {
      if (event.kind === 'batchStored') this.#of(node).batches.add(this.#registry.batch(event).digest);
      else if (event.stream === CONSENSUS_STREAM) this.#consensusEvent(node, event);
      else if (event.stream === CHAIN_STREAM) this.#chainEvent(node, event);
    }
  }

  #consensusEvent(node: SimNode, event: LogEvent): void {
    const decoded = unpackStructure(consensusEvent, event.header);
    if (!decoded.ok) return this.#report('log', `n${node.instance} consensus/${event.seq}: ${decoded.error}`);
    const durable = this.#of(node);
    const { value } = decoded;
    if (value.kind === 'prepareVoted' || value.kind === 'commitVoted') durable.votes.add(voteKey(value.vote));
    if (value.kind === 'timeoutCast') durable.timeouts.add(timeoutKey(value.timeout));
    if (value.kind === 'termEntered') durable.terms.set(value.term, node.incarnation);
    this.#record.happened(node, value, (lane, tip) => this.#holds(node, lane, tip));
    this.#patience.happened(node, value);
  }

  #chainEvent(node: SimNode, event: LogEvent): void {
    const decoded = unpackStructure(chainEntry, event.header);
    if (!decoded.ok) return this.#report('log', `n${node.instance} chain/${event.seq}: ${decoded.error}`);
    const { block, certificate } = decoded.value;
    this.#order.chainStored(node, event, this.#registry.learn(block), certificate);
  }

  sent(node: SimNode, _to: number | null, message: PeerMessage): void {
    switch (message.kind) {
      case 'vote':
        return this.#vote(node, message.vote);
      case 'timeout':
        if (!this.#of(node).timeouts.has(timeoutKey(message.timeout))) {
          this.#early(node, `its timeout of term ${message.timeout.term}`);
        }
        return;
      case 'marks':
        return this.#marks(node, message.marks);
      case 'batch':
        if (message.header.lane === node.validator) this.#header(node, message.header);
        return;
      case 'proposal':
        return this.#proposal(node, message.block);
      default:
    }
  }

  #vote(node: SimNode, vote: Vote): void {
    if (vote.voter !== node.validator) {
      return this.#report('impersonation', `n${node.instance} sends a vote of validator ${vote.voter}`);
    }
    if (!this.#of(node).votes.has(voteKey(vote))) {
      this.#early(node, `its ${vote.kind} vote at height ${vote.height} of term ${vote.term}`);
    }
  }

  #proposal(node: SimNode, block: Block): void {
    const { n } = node.setup.cluster;
    if (block.term % n !== node.validator) return;
    const durable = this.#of(node);
    const key = `${block.term}/${block.height}`;
    const digest = this.#registry.digestOf(block);
    const earlier = durable.proposed.get(key);
    if (earlier === digest) return;
    durable.proposed.set(key, digest);
    if (earlier !== undefined) {
      this.#report('rule B3', `n${node.instance} proposes twice at height ${block.height} of term ${block.term}`);
    }
    const enteredIn = durable.terms.get(block.term);
    if (enteredIn === undefined) this.#early(node, `its proposal in term ${block.term}, which it has not entered`);
    else if (enteredIn !== node.incarnation) {
      this.#report('rule P2', `n${node.instance} proposes in term ${block.term}, entered before its restart`);
    }
  }

  #header(node: SimNode, header: BatchHeader): void {
    const digest = this.#registry.headerDigest(header);
    const durable = this.#of(node);
    const earlier = durable.headers.get(header.seq);
    if (earlier !== undefined && earlier !== digest) {
      this.#report('rule D1', `n${node.instance} signs two headers for seq ${header.seq} of its lane`);
    }
    durable.headers.set(header.seq, digest);
    if (!durable.batches.has(digest)) this.#early(node, `batch ${header.seq} of its lane`);
  }

  #marks(node: SimNode, marks: Marks): void {
    for (const [lane, tip] of marks.tips.entries()) {
      if (!this.#holds(node, lane, tip)) this.#early(node, `its mark for lane ${lane} up to ${tip.seq}`);
      this.#expectFirst(node, lane, tip);
    }
    const { executed } = marks;
    const known = this.#order.executed.get(executed.height);
    if (executed.height > 0 && known?.stateRoot !== executed.stateRoot) {
      this.#report('rule D2', `n${node.instance} reports a state at ${executed.height} that it has not reached`);
    }
  }

  /** The batch reported for a seq stays the one, unless a final cut took another (D3). */
  #expectFirst(node: SimNode, lane: number, tip: Tip): void {
    if (tip.seq < 0) return;
    const { marked } = this.#of(node);
    const key = `${lane}/${tip.seq}`;
    const earlier = marked.get(key);
    marked.set(key, tip.digest);
    if (earlier === undefined || earlier === tip.digest || this.#isFinalTip(lane, tip)) return;
    this.#report('rule D3', `n${node.instance} reports another batch ${tip.seq} of lane ${lane} than before`);
  }

  #isFinalTip(lane: number, tip: Tip): boolean {
    for (const digest of this.#order.final.values()) {
      const cut = this.#registry.blocks.get(digest)?.cut[lane];
      if (cut === undefined) continue;
      if (cut.seq >= tip.seq ? this.#registry.leadsTo(tip, cut) : this.#registry.leadsTo(cut, tip)) return true;
    }
    return false;
  }

  /** Whether the batch and all below it in its lane are in the node's log. */
  #holds(node: SimNode, _lane: number, tip: Tip): boolean {
    const { batches, chains } = this.#of(node);
    const path: Digest[] = [];
    for (let at = tip; at.seq >= 0 && !chains.has(at.digest); ) {
      const header = this.#registry.headers.get(at.digest);
      if (!batches.has(at.digest) || header === undefined || header.seq !== at.seq) return false;
      path.push(at.digest);
      at = { seq: at.seq - 1, digest: header.parentDigest };
    }
    for (const digest of path) chains.add(digest);
    return true;
  }

  #early(node: SimNode, what: string): void {
    this.#report('rule P1', `n${node.instance} sends ${what} before it is durable`);
  }
}

function timeoutKey(timeout: { readonly term: number; readonly highTerm: number; readonly highHeight: number; readonly highBlock: Digest }): string {
  return `${timeout.term}/${timeout.highTerm}/${timeout.highHeight}/${timeout.highBlock}`;
}
