/**
 * The transaction machine: takes submissions, has them ordered through the own lane, executes what
 * is final, and answers (rules E1–E4, D4, B2).
 *
 * Its state follows from the chain alone: after a restart it is given the blocks again that follow its
 * newest snapshot, and until it has reached where it was it takes nothing new.
 * Answers leave at once: the commit votes behind a receipt are durable where they were cast (P2).
 */
import { emptyCut } from '../chain.ts';
import type { Crypto, Signer } from '../crypto.ts';
import { programOf, type Cluster } from '../genesis.ts';
import {
  InvariantViolation,
  newOutput,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
  type SnapshotFound,
} from '../machine.ts';
import type { Effect, TransactionInput } from '../messages.ts';
import { NOTHING_EXECUTED, type TransactionStatus } from '../status.ts';
import type { Executed, Millis } from '../types.ts';
import type { BlockResult, Listener } from './execution.ts';
import { Executor } from './executor.ts';
import { ANSWER_TIMER, Answering } from './answering.ts';
import { Ingress, LOG_BUSY, refusedResult, type IngressMode } from './ingress.ts';
import { Lookups } from './lookups.ts';
import type { ModuleSet } from './module.ts';
import { tellEdge } from './edge-answers.ts';
import { PROVE_TIMER, Prover } from './prover.ts';
import { Queries } from './queries.ts';
import { ReceiptLog } from './receipt-log.ts';
import { Recovery } from './recovery.ts';
import type { SnapshotHead } from './snapshot.ts';
import { SNAPSHOT_TIMER, SNAPSHOT_WORK_MIN, Snapshotting } from './snapshotting.ts';

/** What one step executes before others get their turn: about 5 ms, in plain transactions. */
const STEP_BUDGET = 2000;
const EXECUTE_TIMER = 'transaction/execute';
/** The next batch for reads alone is due. */
const CONFIRM_TIMER = 'transaction/confirm';

export interface TransactionOptions {
  readonly cluster: Cluster;
  /** This node's index in the validator set. */
  readonly self: number;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly modules: ModuleSet;
  /** What is executed between two snapshots at least, in transactions (I140). */
  readonly snapshotWorkMin?: number;
}

type Queued = Extract<TransactionInput, { kind: 'execute' }>;

export class TransactionMachine implements Machine<TransactionInput, Effect, TransactionStatus> {
  readonly #options: TransactionOptions;
  /** Until the machine is ready for its first step. */
  #recovery: Recovery | null;
  #executor!: Executor;
  #ingress!: Ingress;
  #answering!: Answering;
  #prover!: Prover;
  #lookups!: Lookups;
  #log!: ReceiptLog;
  #snapshotting!: Snapshotting;
  /** What execution starts from; null for the genesis. */
  #snapshot: SnapshotHead | null = null;
  /** Final blocks that are not executed yet, the first of which may be begun. */
  #queue: Queued[] = [];
  /** Height of the newest block taken into the queue. */
  #queued = 0;
  #timerSet = false;
  #draining = false;
  /** The edge is to be told which modules are in force. */
  #programsChanged = true;

  constructor(options: TransactionOptions) {
    this.#options = options;
    this.#recovery = new Recovery(options.crypto, options.cluster);
  }

  nextRecovery(): RecoveryRead | null {
    const read = this.#recovery?.next() ?? null;
    if (read === null) this.#begin();
    return read;
  }

  recover(event: LogEvent): void {
    this.#recovering().read(event);
  }

  recoverSnapshot(found: SnapshotFound): void {
    this.#recovering().found(found);
  }

  #recovering(): Recovery {
    if (this.#recovery !== null) return this.#recovery;
    throw new InvariantViolation('recovery_over', 'what the log has came after the first step');
  }

  /** Once all is recovered. */
  #begin(): void {
    const recovery = this.#recovery;
    if (recovery === null) return;
    this.#recovery = null;
    const { cluster, crypto, signer, modules, snapshotWorkMin } = this.#options;
    const { snapshot, receipts, chunk } = recovery;
    this.#executor = new Executor(crypto, cluster, modules, this.#listener(), snapshot);
    this.#ingress = new Ingress(crypto, cluster, signer.publicKey, this.#executor);
    this.#lookups = new Lookups(this.#executor, this.#ingress);
    this.#log = new ReceiptLog(snapshot?.head.busyBlocks ?? 0);
    const queries = new Queries(this.#executor, () => this.#log.storedHeight);
    this.#prover = new Prover(crypto, this.#executor, queries);
    this.#answering = new Answering(this.#executor, queries, this.#prover);
    const workMin = snapshotWorkMin ?? SNAPSHOT_WORK_MIN;
    this.#snapshotting = new Snapshotting(this.#executor, snapshot?.head ?? null, workMin);
    if (receipts !== null) this.#log.recover(receipts);
    if (chunk !== null) this.#prover.recover(chunk);
    this.#queued = this.#executor.height;
    this.#snapshot = snapshot?.head ?? null;
    if (this.#snapshot !== null) this.#prover.resume(this.#snapshot.executed);
  }

  status(): TransactionStatus {
    // Whoever looks does not wait for the recovery.
    if (this.#recovery !== null) return NOTHING_EXECUTED;
    const { problem, keptHeight } = this.#snapshotting;
    return {
      executedHeight: this.#executor.height,
      executedTime: this.#executor.time,
      executedTransactions: this.#executor.transactions,
      waiting: this.#ingress.requests,
      waitingBytes: this.#ingress.bytes,
      missingPrograms: this.#executor.programs.missingAbove(this.#executor.height),
      snapshotHeight: keptHeight,
      ...(problem === null ? {} : { snapshotProblem: problem }),
      ...(this.#catchingUp ? { replayingTo: this.#log.storedHeight } : {}),
    };
  }

  step(input: TransactionInput, now: Millis): Output<Effect> {
    this.#begin();
    const out = newOutput<Effect>();
    this.#handle(input, now, out);
    this.#seal(now, out);
    this.#answer(out);
    this.#tellPrograms(out);
    return out;
  }

  #handle(input: TransactionInput, now: Millis, out: Output<Effect>): void {
    switch (input.kind) {
      case 'started':
        return this.#started(out);
      case 'submit':
        for (const request of input.submissions) this.#ingress.take(request, now, this.#mode);
        return;
      case 'execute':
        return this.#execute(input, now, out);
      case 'timer':
        return this.#timer(input.timer, now, out);
      case 'laneRoom':
        return this.#ingress.sealing.roomIs(input.bytes);
      case 'query':
        return this.#answering.query(input, now, out);
      case 'confirm':
        return this.#answering.confirm(input.request, this.#mode, out);
      case 'findSubmission':
        return this.#lookups.find(input.request, input.id, out);
      case 'logFound':
        this.#prover.logFound(input.tag, input.event, now, out);
        return this.#lookups.found(input.tag, input.event, out);
      case 'logRead':
        return this.#prover.logRead(input.tag, input.events, now, out);
      case 'prove':
        return this.#answering.prove(input, this.#mode, now, out);
      case 'snapshotKept':
        return this.#snapshotting.kept(input.error, now, out);
      case 'drain':
        this.#draining = true;
        return;
      default:
        // Nothing of what else every machine may be told concerns this one.
        return;
    }
  }

  /** Says from where on blocks are wanted, and what a snapshot has of the checkpoints. */
  #started(out: Output<Effect>): void {
    const { n } = this.#options.cluster;
    const { cut = emptyCut(n), executed } = this.#snapshot ?? {};
    tellReplication(out, { kind: 'executeFrom', height: this.#executor.height, cut });
    if (executed !== undefined) tellCheckpoint(out, executed);
  }

  #timer(timer: string, now: Millis, out: Output<Effect>): void {
    if (timer === EXECUTE_TIMER) {
      this.#timerSet = false;
      this.#advance(now, out);
    } else if (timer === ANSWER_TIMER) {
      this.#answering.goOn(now, out);
    } else if (timer === SNAPSHOT_TIMER) {
      this.#snapshotting.goOn(now, out);
    } else if (timer === PROVE_TIMER) {
      this.#prover.goOn(now, out);
    }
  }

  get #catchingUp(): boolean {
    return this.#executor.height < this.#log.storedHeight;
  }

  get #mode(): IngressMode {
    return { draining: this.#draining, catchingUp: this.#catchingUp };
  }

  // ------------------------------------------------------------------------------------- executing

  /** Blocks come in height order, each once: replication starts and ends with this machine. */
  #execute(final: Queued, now: Millis, out: Output<Effect>): void {
    const { height } = final.block;
    if (height !== this.#queued + 1) {
      throw new InvariantViolation('height_gap', `block ${height} came after ${this.#queued}`);
    }
    this.#queued = height;
    this.#queue.push(final);
    if (!this.#timerSet) this.#advance(now, out);
  }

  #advance(now: Millis, out: Output<Effect>): void {
    const budget = { left: STEP_BUDGET };
    const before = this.#executor.height;
    let done = 0;
    while (done < this.#queue.length && budget.left > 0) {
      const final = this.#queue[done]!;
      if (this.#executor.begun !== final.block.height) this.#executor.begin(final, budget);
      const result = this.#executor.advance(budget);
      if (result === null) break;
      budget.left--;
      done++;
      this.#blockDone(result, now, out);
      this.#answering.blockDone(final.sealed, now, out);
    }
    this.#queue = done === this.#queue.length ? [] : this.#queue.slice(done);
    const { height } = this.#executor;
    if (height > before) tellReplication(out, { kind: 'executedTo', height });
    if (this.#queue.length === 0) return;
    this.#timerSet = true;
    out.immediate.push({ kind: 'setTimer', timer: EXECUTE_TIMER, at: now });
  }

  #blockDone(result: BlockResult, now: Millis, out: Output<Effect>): void {
    const { block, digest, txCount, checkpoint } = result;
    const event = this.#log.record(result);
    if (event !== null) out.deferred.push(event);
    this.#prover.blockDone(checkpoint, now, out);
    this.#snapshotting.blockDone(result, this.#log.busyBlocks, now, out);
    if (checkpoint !== null) tellCheckpoint(out, checkpoint);
    this.#ingress.expire(block.timestamp);
    if (block.height <= this.#log.storedHeight) return;
    tellEdge(out, { kind: 'blockExecuted', block, digest, txCount });
  }

  #listener(): Listener {
    return {
      isChecked: (id, signature) => this.#ingress.isChecked(id, signature),
      executed: (receipts) => this.#ingress.executed(receipts),
      repeated: (id, place) => this.#ingress.repeated(id, place),
      refused: (id, code) => this.#ingress.refused(id, code),
      // Others may put a copy into their lanes before its time; in the own lane it stands once.
      tooFar: (id, lane) => {
        if (lane === this.#options.self) this.#ingress.refused(id, 'valid_until_too_far');
      },
      programsChanged: () => {
        this.#programsChanged = true;
      },
      batchDone: (lane, payload) => {
        if (lane === this.#options.self) this.#ingress.sealing.executed(payload);
      },
    };
  }

  // ------------------------------------------------------------------------------------- answering

  #seal(now: Millis, out: Output<Effect>): void {
    const { sealing } = this.#ingress;
    const { confirmations } = this.#answering;
    for (;;) {
      const batch = sealing.next(this.#draining);
      if (batch === null) break;
      confirmations.sealed(sealing.sealed);
      tellReplication(out, { kind: 'sealBatch', ...batch });
    }
    const at = confirmations.dueAt(now);
    if (at === null) return;
    if (at > now) return void out.immediate.push({ kind: 'setTimer', timer: CONFIRM_TIMER, at });
    const batch = sealing.barrier();
    if (batch === null) return;
    confirmations.barrier(sealing.sealed, now);
    tellReplication(out, { kind: 'sealBatch', ...batch });
  }

  #answer(out: Output<Effect>): void {
    const results = this.#ingress.takeResults();
    for (const lookup of this.#ingress.takeLookups()) {
      if (!this.#lookups.take(lookup, out)) results.push(refusedResult(lookup.request, LOG_BUSY));
    }
    if (results.length > 0) tellEdge(out, { kind: 'submitted', results });
  }

  #tellPrograms(out: Output<Effect>): void {
    if (!this.#programsChanged) return;
    this.#programsChanged = false;
    const programs = this.#executor.programs.inForce.map(programOf);
    tellEdge(out, { kind: 'programs', programs });
  }
}

function tellReplication(
  out: Output<Effect>,
  message: Extract<Effect, { kind: 'tell'; to: 'replication' }>['message'],
): void {
  out.immediate.push({ kind: 'tell', to: 'replication', message });
}

function tellCheckpoint(out: Output<Effect>, executed: Executed): void {
  const message = { kind: 'checkpointExecuted', executed } as const;
  out.immediate.push({ kind: 'tell', to: 'consensus', message });
  tellReplication(out, message);
}
