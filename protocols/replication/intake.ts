/**
 * Batches come in: this node's own, which it seals, and those of its peers, which it checks.
 *
 * I72. This node signs one header for each seq of its own lane, and never a second one: the seq and
 *      parent are those of its durable chain and of what this process sealed above it.
 * I73. A peer's batch is stored only with the lane owner's signature, the payload that its header
 *      names, and a held parent; what is checked is what is written.
 * I74. What a lane holds in memory is bounded by twice W, except for batches that the next
 *      final block needs.
 */
import type { Output } from '../machine.ts';
import { InvariantViolation } from '../machine.ts';
import type { Effect } from '../messages.ts';
import { batchBytes } from '../structures.ts';
import type { BatchHeader, Millis, ValidatorIndex } from '../types.ts';
import type { Board } from './board.ts';
import { fault } from './effects.ts';
import type { Fetcher } from './fetch.ts';
import type { FinalQueue } from './final-queue.ts';
import type { Batch, Lane } from './lane.ts';
import { REPLICA_BATCHES_MAX, replicaBytesMax, type Setting } from './setting.ts';

export class Intake {
  readonly #setting: Setting;
  readonly #lanes: readonly Lane[];
  readonly #board: Board;
  readonly #fetcher: Fetcher;
  readonly #final: FinalQueue;

  constructor(
    setting: Setting,
    parts: { lanes: readonly Lane[]; board: Board; fetcher: Fetcher; final: FinalQueue },
  ) {
    this.#setting = setting;
    this.#lanes = parts.lanes;
    this.#board = parts.board;
    this.#fetcher = parts.fetcher;
    this.#final = parts.final;
  }

  /** Seals the next batch of the own lane and, once it is durable, streams it to all (P1). */
  seal(payload: Uint8Array, txCount: number, out: Output<Effect>): void {
    if (payload.length === 0 || txCount < 1) {
      throw new InvariantViolation('batch_empty', 'a batch without transactions was to be sealed');
    }
    const { cluster, self, crypto, signer } = this.#setting;
    const lane = this.#lanes[self]!;
    const content = {
      epoch: 0,
      lane: self,
      seq: lane.tip.seq + 1,
      parentDigest: lane.tip.digest,
      payloadDigest: crypto.hash(payload),
      txCount,
      bytes: payload.length,
    };
    const bytes = batchBytes(cluster.id, content);
    const header: BatchHeader = { ...content, signature: signer.sign(bytes) };
    this.#store(lane, { header, digest: crypto.hash(bytes), payload }, out);
    out.effects.push({ kind: 'broadcast', message: { kind: 'batch', header }, body: payload });
  }

  receive(
    from: ValidatorIndex,
    header: BatchHeader,
    payload: Uint8Array | undefined,
    now: Millis,
    out: Output<Effect>,
  ): void {
    const lane = this.#lanes[header.lane];
    if (lane === undefined || payload === undefined || !this.#wellFormed(header, payload)) {
      return fault(out.effects, from, 'batch_malformed', `lane ${header.lane} seq ${header.seq}`);
    }
    if (header.seq <= lane.base.seq) return;
    const bytes = batchBytes(this.#setting.cluster.id, header);
    const digest = this.#setting.crypto.hash(bytes);
    const walks = this.#fetcher.walks(lane, digest);
    if (lane.find({ seq: header.seq, digest })) return;
    if (!walks && lane.ahead.has(header.seq, digest)) return;
    if (header.lane === this.#setting.self) {
      return fault(out.effects, from, 'batch_own_lane', `seq ${header.seq} is not what we sealed`);
    }
    // Not asked for, or no longer: an answer may come late, which is nobody's fault.
    if (from !== header.lane && !this.#fetcher.expects(lane, header.seq, digest)) return;
    if (!walks && !this.#fits(lane, header)) return this.#overflow(from, header, out.effects);
    if (!this.#genuine(from, header, bytes, payload, out.effects)) return;
    const batch = { header, digest, payload };
    if (walks) this.#branch(lane, batch, now, out);
    else this.#place(lane, batch, out);
  }

  /** Stores what waited ahead of the chain's end, as far as it links. */
  drain(lane: Lane, out: Output<Effect>): void {
    for (;;) {
      const next = lane.ahead.take(lane.tip.seq + 1);
      if (next === undefined) return;
      if (lane.extends(next.header)) this.#store(lane, next, out);
    }
  }

  #wellFormed(header: BatchHeader, payload: Uint8Array): boolean {
    const { batchBytesMax } = this.#setting.cluster.genesis.limits;
    return (
      header.epoch === 0 &&
      header.txCount > 0 &&
      header.bytes > 0 &&
      header.bytes <= batchBytesMax &&
      header.bytes === payload.length
    );
  }

  #fits(lane: Lane, header: BatchHeader): boolean {
    const bytes = lane.bytes + lane.ahead.bytes + header.bytes;
    const count = lane.count + lane.ahead.count;
    if (bytes <= replicaBytesMax(this.#setting.cluster) && count < REPLICA_BATCHES_MAX) return true;
    return header.seq <= (this.#final.missing(lane)?.seq ?? -1);
  }

  /** D4. A node that lags behind in finality sees too much of an honest owner's lane. */
  #overflow(from: ValidatorIndex, header: BatchHeader, out: Effect[]): void {
    if (from !== header.lane || this.#final.settled < this.#final.height) return;
    fault(out, from, 'lane_overflow', `seq ${header.seq} is beyond the window of bytes not final`);
  }

  #genuine(
    from: ValidatorIndex,
    header: BatchHeader,
    bytes: Uint8Array,
    payload: Uint8Array,
    out: Effect[],
  ): boolean {
    const { cluster, crypto } = this.#setting;
    const owner = cluster.genesis.validators[header.lane]!.publicKey;
    const place = `lane ${header.lane} seq ${header.seq}`;
    if (!crypto.verify(owner, bytes, header.signature)) {
      fault(out, from, 'batch_signature', `${place}: not signed by the lane's owner`);
      return false;
    }
    if (crypto.hash(payload) === header.payloadDigest) return true;
    fault(out, from, 'batch_payload', `${place}: the payload is not the one signed`);
    return false;
  }

  #place(lane: Lane, batch: Batch, out: Output<Effect>): void {
    const { header } = batch;
    const other = lane.at(header.seq) ?? lane.ahead.get(header.seq);
    if (other !== undefined) return this.#equivocated(lane, other.header, header, out);
    if (header.seq > lane.tip.seq + 1) return lane.ahead.add(batch);
    // What continues another branch than ours is stored only when a cut or f + 1 marks name it (D3).
    if (!lane.extends(header)) return;
    this.#store(lane, batch, out);
    this.drain(lane, out);
  }

  #branch(lane: Lane, batch: Batch, now: Millis, out: Output<Effect>): void {
    for (const each of this.#fetcher.walked(lane, batch, now)) {
      const other = lane.at(each.header.seq);
      if (other !== undefined) this.#equivocated(lane, other.header, each.header, out);
      this.#store(lane, each, out);
    }
    this.drain(lane, out);
  }

  #equivocated(lane: Lane, first: BatchHeader, second: BatchHeader, out: Output<Effect>): void {
    const evidence = lane.log.evidence(first, second);
    if (evidence !== null) out.events.push(evidence);
    const detail = `two headers signed for seq ${first.seq}; fork-${lane.index} keeps the proof`;
    fault(out.effects, lane.index, 'lane_equivocation', detail);
  }

  #store(lane: Lane, batch: Batch, out: Output<Effect>): void {
    const { event, grew } = lane.store(batch);
    out.events.push(event);
    if (grew) this.#board.grew(lane, this.#setting.self);
  }
}
