/**
 * Batches come in: this node's own, which it seals, and those of its peers, which it checks.
 *
 * I72. This node signs one header for each seq of its own lane, and never a second one: the seq and
 *      parent are those of its durable chain and of what this process sealed above it.
 * I73. A peer's batch is stored only with the lane owner's signature, the payload that its header
 *      names, and a held parent; what is checked is what is written.
 * I74. What is kept of a lane above its base is bounded: each branch by 2W payload bytes and
 *      BRANCH_BATCHES_MAX batches, the chain together with what waits ahead of it by the same, and
 *      forks fetched on one leader's word by about two such branches. Marks of f + 1 and
 *      certificates name only what an honest node keeps within the same bounds.
 *
 * That is always enough. An owner keeps to W and OWN_BATCHES_MAX beyond its newest final cut; and an
 * honest voter held the next block's cut within these bounds above a base that is not beyond the
 * last block's, so they hold between any two final blocks in a row (docs/proof.md).
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
import { branchBytesMax, type Setting } from './setting.ts';

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
    if (payload.length === 0) {
      throw new InvariantViolation('batch_empty', 'a batch without a payload was to be sealed');
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
    this.#store(lane, { header, digest: crypto.hash(bytes), payload }, null, out);
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
    if (lane.find({ seq: header.seq, digest })) return;
    const walks = this.#fetcher.walks(lane, digest);
    if (!walks && lane.ahead.has(header.seq, digest)) return;
    if (header.lane === this.#setting.self) {
      return fault(out.effects, from, 'batch_own_lane', `seq ${header.seq} is not what we sealed`);
    }
    // Not asked for, or no longer: an answer may come late, which is nobody's fault.
    if (from !== header.lane && !this.#fetcher.expects(lane, header.seq, digest)) return;
    if (!walks && !this.#fits(lane, header)) return this.#overflow(from, header, out.effects);
    if (!this.#genuine(from, header, bytes, payload, out.effects)) return;
    const batch = { header, digest, payload };
    if (walks) this.#fetcher.walked(lane, batch, now);
    else this.#place(lane, batch, out);
    this.drain(lane, out);
  }

  /** Stores all that waits and links by now: ahead of the chain's end, and in walks. */
  drain(lane: Lane, out: Output<Effect>): void {
    for (;;) {
      const next = lane.ahead.take(lane.tip.seq + 1);
      if (next === undefined) {
        const linked = this.#fetcher.takeLinked(lane);
        if (linked === null) break;
        this.#branch(lane, linked.batches, linked.by, out);
      } else if (lane.extends(next.header)) this.#store(lane, next, null, out);
    }
    // What is stored goes before what waits.
    if (lane.bytes + lane.ahead.bytes > branchBytesMax(this.#setting.cluster)) lane.ahead.clear();
  }

  #wellFormed(header: BatchHeader, payload: Uint8Array): boolean {
    const { batchBytesMax } = this.#setting.cluster.genesis.limits;
    return (
      header.epoch === 0 &&
      header.bytes > 0 &&
      header.bytes <= batchBytesMax &&
      header.bytes === payload.length
    );
  }

  #fits(lane: Lane, header: BatchHeader): boolean {
    const waiting = lane.extends(header) ? 0 : lane.ahead.bytes;
    const bytes = lane.bytes + waiting + header.bytes;
    return header.seq <= lane.reach && bytes <= branchBytesMax(this.#setting.cluster);
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
    if (lane.extends(header)) this.#store(lane, batch, null, out);
  }

  #branch(
    lane: Lane,
    batches: readonly Batch[],
    by: ValidatorIndex | null,
    out: Output<Effect>,
  ): void {
    for (const batch of batches) {
      const other = lane.at(batch.header.seq);
      if (other !== undefined) this.#equivocated(lane, other.header, batch.header, out);
      this.#store(lane, batch, by, out);
    }
    this.#board.forked(lane);
  }

  #equivocated(lane: Lane, first: BatchHeader, second: BatchHeader, out: Output<Effect>): void {
    const evidence = lane.log.evidence(first, second);
    if (evidence !== null) out.events.push(evidence);
    const detail = `two headers signed for seq ${first.seq}; evidence-${lane.index} keeps the proof`;
    fault(out.effects, lane.index, 'lane_equivocation', detail);
  }

  #store(lane: Lane, batch: Batch, by: ValidatorIndex | null, out: Output<Effect>): void {
    const { event, grew } = lane.store(batch, by);
    out.events.push(event);
    if (grew) this.#board.grew(lane);
  }
}
