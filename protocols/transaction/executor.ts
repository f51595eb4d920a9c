/**
 * Executes final blocks: admits each submission or passes it over, runs it, remembers it, and adds
 * its receipts to the tree that checkpoints certify (rules E1–E4).
 *
 * I54. Blocks execute in height order, batches in the order they come in, submissions in payload order.
 * I55. A submission executes at most once, through whichever lanes and however often it comes, and
 *      only if its sender vouches for it: the client by its signature, the node by its signature or
 *      by that of the batch in its own lane.
 * I56. What a Byzantine lane owner put there (bad form, signature, cluster, or a `validUntil` beyond
 *      the bound) is passed over without a trace.
 * I102. However much ends at once, a block forgets a bounded part of it, and so does each submission in
 *      it: no less than a submission adds, so that what is overdue does not grow. Being late is
 *      harmless: what is remembered longer is executed no more, and what expired is refused by the
 *      block's time alone. How much is forgotten follows from the chain, as the whole state does.
 */
import { fromHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster, ConsensusLimits } from '../genesis.ts';
import { InvariantViolation } from '../machine.ts';
import type { SubmissionReceipts } from '../messages.ts';
import { ZERO_DIGEST, type Digest, type Executed, type Millis } from '../types.ts';
import type { BlockResult, FinalBlock, Listener } from './execution.ts';
import { HashInput } from './hash-input.ts';
import { HeightTree } from './height-tree.ts';
import { validityMsMax } from './idempotency.ts';
import { MerkleFrontier } from './merkle.ts';
import { fillingMeter } from './meter.ts';
import type { ModuleSet } from './module.ts';
import { PayloadCursor } from './payload.ts';
import type { View } from './queries.ts';
import { isRefusal } from './refusals.ts';
import { Programs } from './programs.ts';
import { Runner, type Ran } from './runner.ts';
import type { LoadedSnapshot } from './snapshot.ts';
import { State } from './state.ts';
import { submissionId } from './submission.ts';
import { SubmissionReader, type Submission } from './submission-reader.ts';
import { TIMERS_PER_BLOCK } from './timers.ts';

const TIMERS_TAG = 'althing/v1/timers';

/** What a signature check costs, in transactions. */
const CHECK_COST = 30;
/** What a submission costs besides its transactions. */
const SUBMISSION_COST = 3;
/** What forgetting may cost at the start of a block, and with each submission, in transactions (I102). */
const FORGET_COST_PER_BLOCK = 200;
const FORGET_COST_PER_SUBMISSION = 4;

interface Running {
  readonly final: FinalBlock;
  /** Those of this block so far; done when nothing is due any more, or enough. */
  readonly timers: { id: Digest; count: number; done: boolean };
  batch: number;
  cursor: PayloadCursor | null;
  /** Whose transactions run. */
  submission: { readonly of: Submission; readonly id: Digest; readonly idBytes: Uint8Array } | null;
  txCount: number;
  readonly receipts: SubmissionReceipts[];
}

export class Executor {
  readonly state: State;
  readonly programs: Programs;
  readonly reader: SubmissionReader;
  /** Over the receipts roots of all blocks. */
  readonly heights: HeightTree;
  /** Height and time of the last block executed entirely. */
  height: number;
  time: Millis;
  transactions: number;
  readonly #crypto: Crypto;
  readonly #cluster: Cluster;
  readonly #listener: Listener;
  readonly #runner: Runner;
  readonly #lanes: ReadonlyMap<string, number>;
  readonly #input = new HashInput();
  readonly #leaf = new Uint8Array(32);
  /** Over the receipts of the running block. */
  readonly #blockReceipts: MerkleFrontier;
  #running: Running | null = null;

  /** Starts from the genesis, or from a snapshot. Throws InvariantViolation `program_missing`. */
  constructor(
    crypto: Crypto,
    cluster: Cluster,
    modules: ModuleSet,
    listener: Listener,
    snapshot: LoadedSnapshot | null = null,
  ) {
    const { genesis } = cluster;
    this.#crypto = crypto;
    this.#cluster = cluster;
    this.#listener = listener;
    this.height = snapshot?.head.executed.height ?? 0;
    this.time = snapshot?.head.time ?? genesis.createdAtMs;
    this.transactions = snapshot?.head.transactions ?? 0;
    this.state = snapshot?.state ?? new State(crypto, genesis.limits);
    this.heights = snapshot?.heights ?? new HeightTree(crypto);
    this.programs = new Programs(genesis, modules, this.state, this.height);
    this.reader = new SubmissionReader(cluster.id, genesis.limits);
    const validators = genesis.validators.map(({ publicKey }) => publicKey);
    this.#runner = new Runner(crypto, this.state, validators, genesis.limits);
    this.#lanes = new Map(validators.map((publicKey, lane) => [publicKey, lane]));
    this.#blockReceipts = new MerkleFrontier(crypto);
    for (const module of this.programs.inForce) this.#runner.install(module);
    if (snapshot === null) this.#fillTables();
  }

  #fillTables(): void {
    const { limits, modules } = this.#cluster.genesis;
    for (const module of this.programs.inForce) {
      const tables = this.state.tablesOf(module.name);
      const context = { time: this.time, tables, meter: fillingMeter(limits) };
      module.genesis(context, modules[module.name]);
    }
    this.state.journal.commit();
    this.state.history.endBlock(this.time, 0);
    // Hashes the genesis rows now instead of within the first checkpoint.
    this.state.checkpoint();
  }

  get clusterId(): Digest {
    return this.#cluster.id;
  }

  get limits(): ConsensusLimits {
    return this.#cluster.genesis.limits;
  }

  /** The rows are those of a height, not of the middle of a block. */
  get isBetweenBlocks(): boolean {
    return this.#running === null;
  }

  /** The rows as they are now. */
  get view(): View {
    const { height, time, state } = this;
    return { height, time, tablesOf: (module) => state.tablesOf(module) };
  }

  /** Height up to which blocks were executed or begun. */
  get begun(): number {
    return this.#running?.final.block.height ?? this.height;
  }

  /** What `budget` is, says `advance`. */
  begin(final: FinalBlock, budget: { left: number }): void {
    const { block, digest } = final;
    if (this.#running !== null || block.height !== this.height + 1) {
      throw new InvariantViolation(
        'height_gap',
        `block ${block.height} cannot execute after ${this.height}`,
      );
    }
    const timers = { id: ZERO_DIGEST, count: 0, done: false };
    const at = { batch: 0, cursor: null, submission: null };
    this.#running = { final, timers, ...at, txCount: 0, receipts: [] };
    this.state.history.startBlock(block.height);
    const upgraded = this.programs.upgrade(block.height, block.timestamp);
    if (upgraded !== null) {
      this.#runner.install(upgraded);
      this.#listener.programsChanged();
    }
    this.#runner.startBlock(block, digest);
    budget.left -= this.state.expire(block.timestamp, FORGET_COST_PER_BLOCK);
  }

  /**
   * Executes on until the block is done, or until a transaction has used up `budget` (about one a
   * plain transaction); a negative budget may be left then. Null while the block is not done.
   */
  advance(budget: { left: number }): BlockResult | null {
    const running = this.#running;
    if (running === null) throw new InvariantViolation('no_block', 'nothing to execute');
    if (!this.#timersDone(running, budget)) return null;
    while (running.batch < running.final.batches.length) {
      const { lane, payload } = running.final.batches[running.batch]!;
      running.cursor ??= new PayloadCursor(payload);
      for (;;) {
        if (budget.left <= 0) return null;
        if (running.submission !== null) this.#execute(running, running.submission, budget);
        else if (running.cursor.next()) this.#submission(running, running.cursor, lane, budget);
        else break;
      }
      this.#listener.batchDone(lane, payload);
      running.cursor = null;
      running.batch++;
    }
    return this.#finish(running);
  }

  /** Runs what is due before all that was submitted (I117); false when the budget ended first. */
  #timersDone(running: Running, budget: { left: number }): boolean {
    const { timers, final } = running;
    while (!timers.done) {
      if (budget.left <= 0) return false;
      const hasRoom = timers.count === 0 || this.#runner.hasRoom;
      const isFull = timers.count >= TIMERS_PER_BLOCK || !hasRoom;
      const timer = isFull ? undefined : this.state.timers.next(final.block.timestamp);
      if (timer === undefined) {
        timers.done = true;
        if (timers.count > 0) this.#timersRan(running);
        break;
      }
      if (timers.count++ === 0) {
        timers.id = this.#timersId(final);
        this.#runner.startTimers(timers.id);
      }
      budget.left -= this.#runner.runTimer(timer);
    }
    return true;
  }

  /** The timers of a block have receipts as a submission of that many transactions has. */
  #timersId({ digest }: FinalBlock): Digest {
    return this.#crypto.hash(this.#input.start().text(TIMERS_TAG).hex(digest).done());
  }

  #timersRan(running: Running): void {
    const { id, count: txCount } = running.timers;
    const ran = this.#runner.takeTimers();
    this.#hashReceipts(fromHex(id), 0, txCount, ran.encoded);
    this.#record(running, { id, txCount, ...ran });
  }

  #submission(
    running: Running,
    cursor: PayloadCursor,
    lane: number,
    budget: { left: number },
  ): void {
    const { timestamp } = running.final.block;
    budget.left -= SUBMISSION_COST + this.state.expire(timestamp, FORGET_COST_PER_SUBMISSION);
    const submission = this.reader.parse(cursor.bytes, cursor.start, cursor.end);
    if (isRefusal(submission)) return;
    const id = submissionId(this.#crypto, submission.signed());
    const idBytes = fromHex(id);
    const standing = this.state.standing(submission, idBytes);
    if (standing.kind === 'executed') return this.#listener.repeated(id, standing.place);
    if (submission.validUntil < timestamp) return this.#listener.refused(id, 'expired');
    const { limits } = this.#cluster.genesis;
    if (submission.validUntil - timestamp > validityMsMax(submission, limits)) {
      return this.#listener.tooFar(id, lane);
    }
    if (!this.#isVouched(submission, id, lane, budget)) return;
    if (standing.kind === 'refused') {
      if (submission.kind === 'client') {
        this.state.windows.refused(submission.key, submission.validUntil);
      }
      return this.#listener.refused(id, standing.code);
    }
    this.#runner.start(submission, id);
    running.submission = { of: submission, id, idBytes };
    this.#execute(running, running.submission, budget);
  }

  #isVouched(submission: Submission, id: Digest, lane: number, budget: { left: number }): boolean {
    if (submission.kind === 'node') {
      const owner = this.#lanes.get(submission.key);
      if (owner === undefined || owner === lane) return owner === lane;
    }
    const signature = submission.signature();
    // In another's lane an unsigned submission is nobody's, also where it waits to be sealed.
    if (signature.length === 0) return false;
    if (this.#listener.isChecked(id, signature)) return true;
    budget.left -= CHECK_COST;
    return this.#crypto.verify(submission.key, submission.signed(), signature);
  }

  #execute(
    running: Running,
    { of: submission, id, idBytes }: NonNullable<Running['submission']>,
    budget: { left: number },
  ): void {
    const ran = this.#runner.advance(budget);
    if (ran === null) return;
    running.submission = null;
    const { height, timestamp } = running.final.block;
    const { txCount, seq, validUntil } = submission;
    const index = running.txCount;
    this.#hashReceipts(idBytes, index, txCount, ran.encoded);
    const place = { id, height, index, txCount };
    const execution = { ...place, seq, validUntil, idBytes, receiptsDigest: this.#leaf };
    if (submission.kind === 'client') this.state.windows.executed(submission.key, execution);
    else this.state.keys.executed(submission, execution, timestamp);
    this.#record(running, { id, txCount, ...ran });
  }

  /** The next leaf of the block's receipts. */
  #hashReceipts(id: Uint8Array, index: number, txCount: number, encoded: Uint8Array): void {
    const leaf = this.#input.start().byte(0).raw(id).u32(index).u32(txCount).raw(encoded);
    this.#crypto.treeHash(leaf.done(), this.#leaf, 0);
    this.#blockReceipts.append(this.#leaf, 0);
  }

  #record(running: Running, ran: { id: Digest; txCount: number } & Ran): void {
    const { height } = running.final.block;
    const receipts: SubmissionReceipts = { height, index: running.txCount, ...ran };
    running.txCount += ran.txCount;
    running.receipts.push(receipts);
    this.#listener.executed(receipts);
  }

  #finish(running: Running): BlockResult {
    const { block, digest } = running.final;
    const receiptsRoot = this.#blockReceipts.digest();
    this.#blockReceipts.clear();
    const leaf = this.#input.start().byte(0).u53(block.height).hex(receiptsRoot).done();
    this.#crypto.treeHash(leaf, this.#leaf, 0);
    this.heights.append(this.#leaf);
    this.height = block.height;
    this.time = block.timestamp;
    this.transactions += running.txCount;
    this.#running = null;
    const { checkpointInterval } = this.#cluster.genesis.limits;
    const newest = this.height - (this.height % checkpointInterval);
    this.state.history.endBlock(this.time, newest);
    const { txCount, receipts } = running;
    return { block, digest, txCount, receipts, receiptsRoot, checkpoint: this.#checkpoint() };
  }

  #checkpoint(): Executed | null {
    if (this.height % this.#cluster.genesis.limits.checkpointInterval !== 0) return null;
    return {
      height: this.height,
      stateRoot: this.state.checkpoint(),
      receiptsRoot: this.heights.digest(),
      pendingSet: ZERO_DIGEST,
    };
  }
}
