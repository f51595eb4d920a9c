/** Whether an honest node may have voted for a block: a second reading of rules B1, B2 and B4. */
import {
  isBlockSigned,
  isCertificateValid,
  isTimeoutCertificateValid,
  type Verifier,
} from '../../../protocols/certificates.ts';
import { emptyCut, EXECUTED_NOTHING } from '../../../protocols/chain.ts';
import type {
  Block,
  Certificate,
  Executed,
  TimeoutCertificate,
  Tip,
} from '../../../protocols/types.ts';
import type { SkewedClock } from '../clock.ts';
import type { SimNode } from '../node.ts';
import type { World } from '../world.ts';
import type { OrderChecker } from './order.ts';
import type { Registry } from './registry.ts';

/** A block's time is compared with a voter's clock when its vote is durable, so a little later. */
const CLOCK_SLACK_MS = 5_000;
/** Within this what was voted is durable. */
const CLOCK_SET_US = 2_000_000;

export interface Complaint {
  readonly rule: string;
  /** Completes "votes at height 3 of term 1 …". */
  readonly says: string;
}

type Before = Pick<Block, 'cut' | 'timestamp' | 'executed'>;

export class Legality {
  readonly verifier: Verifier & Pick<World, 'cluster'>;
  readonly #registry: Registry;
  readonly #order: OrderChecker;
  /** Certificates whose signatures were checked in this run. */
  readonly #checked = new Set<string>();

  constructor(world: World, registry: Registry, order: OrderChecker) {
    this.verifier = { cluster: world.cluster, crypto: world.crypto };
    this.#registry = registry;
    this.#order = order;
  }

  /** What is wrong with a vote for the block, or null. */
  complaintAbout(node: SimNode, block: Block): Complaint | null {
    const before = this.#before(block);
    if (before === null) return { rule: 'B4', says: 'on a parent that nobody voted for' };
    return (
      this.#place(block) ??
      this.#time(block, before, node.setup.clock) ??
      this.#cut(block, before) ??
      this.#executed(block.executed, before.executed)
    );
  }

  #before(block: Block): Before | null {
    const { cluster } = this.verifier;
    if (block.parent !== cluster.id) return this.#registry.blocks.get(block.parent) ?? null;
    const { createdAtMs } = cluster.genesis;
    return { cut: emptyCut(cluster.n), timestamp: createdAtMs, executed: EXECUTED_NOTHING };
  }

  /** Whether the block may stand where it stands (B1, B4). */
  #place(block: Block): Complaint | null {
    if (!isBlockSigned(this.verifier, block)) return { rule: 'B3', says: "for a stranger's block" };
    if (block.endsEpoch !== null) return { rule: 'V2', says: 'to end the epoch' };
    switch (block.justify.kind) {
      case 'epoch': {
        const root = this.verifier.cluster.id;
        const isOpening = block.term === 0 && block.height === 1 && block.parent === root;
        return isOpening ? null : { rule: 'B4', says: 'for a beginning that is none' };
      }
      case 'certificate':
        return this.#byCertificate(block, block.justify.certificate);
      case 'timeouts':
        return this.#byTimeouts(block, block.justify.certificate);
    }
  }

  #byCertificate(block: Block, certificate: Certificate): Complaint | null {
    const fits =
      certificate.kind === 'prepare' &&
      certificate.epoch === block.epoch &&
      certificate.term === block.term &&
      certificate.height === block.height - 1 &&
      certificate.block === block.parent &&
      this.isValid(certificate);
    return fits ? null : { rule: 'B4', says: 'on a parent not certified in the term' };
  }

  #byTimeouts(block: Block, certificate: TimeoutCertificate): Complaint | null {
    const { highest } = certificate;
    const fits =
      certificate.term === block.term - 1 &&
      block.parent === (highest?.block ?? this.verifier.cluster.id) &&
      block.height === (highest?.height ?? 0) + 1 &&
      this.areTimeoutsValid(certificate);
    return fits ? null : { rule: 'B4', says: 'for a first block off the highest certificate' };
  }

  #time({ timestamp }: Block, before: Before, clock: SkewedClock): Complaint | null {
    if (timestamp <= before.timestamp) {
      return { rule: 'B4', says: "for a time not after its parent's" };
    }
    // It voted by another clock than it has now.
    if (!clock.isSteadyFor(CLOCK_SET_US)) return null;
    const off = Math.abs(timestamp - clock.nowMs());
    const drift = this.verifier.cluster.genesis.limits.clockDriftMsMax + CLOCK_SLACK_MS;
    return off <= drift ? null : { rule: 'B4', says: `for a time ${off} ms off its clock` };
  }

  #cut({ cut }: Block, before: Before): Complaint | null {
    const isForward =
      cut.length === this.verifier.cluster.n &&
      cut.every((tip, lane) => this.#registry.leadsTo(before.cut[lane] as Tip, tip));
    return isForward ? null : { rule: 'B1', says: "for a cut that leaves a lane's chain" };
  }

  #executed(executed: Executed, before: Executed): Complaint | null {
    if (executed.height < before.height) return { rule: 'B2', says: 'for an older state' };
    const known =
      executed.height === 0 ? EXECUTED_NOTHING : this.#order.executed.get(executed.height);
    const isTrue =
      known !== undefined &&
      known.stateRoot === executed.stateRoot &&
      known.receiptsRoot === executed.receiptsRoot &&
      known.pendingSet === executed.pendingSet;
    return isTrue ? null : { rule: 'B2', says: 'for a state that no honest node reached' };
  }

  isValid(certificate: Certificate): boolean {
    const { kind, term, height, block, first, votes } = certificate;
    const key = `${kind}/${term}/${height}/${block}/${first}/${fingerprint(votes)}`;
    return this.#once(key, () => isCertificateValid(this.verifier, certificate));
  }

  areTimeoutsValid(certificate: TimeoutCertificate): boolean {
    const { term, timeouts, highest } = certificate;
    const above = `${highest?.term}/${highest?.height}/${highest?.block}`;
    const key = `timeouts/${term}/${fingerprint(timeouts)}/${above}`;
    return this.#once(key, () => isTimeoutCertificateValid(this.verifier, certificate));
  }

  /** Each certificate's signatures are checked until they turn out good, then not again. */
  #once(key: string, check: () => boolean): boolean {
    if (this.#checked.has(key)) return true;
    const isGood = check();
    if (isGood) this.#checked.add(key);
    return isGood;
  }
}

function fingerprint(
  items: readonly { readonly voter: number; readonly signature: Uint8Array }[],
): string {
  return items
    .map(({ voter, signature }) => `${voter}.${signature[0]}.${signature[9]}.${signature[23]}`)
    .join();
}
