/**
 * The transaction machine: takes submissions, has them ordered through the own lane, executes what
 * is final, and answers (rules E1–E4, D4, B2).
 *
 * Its state follows from the chain alone, so it keeps no snapshot of its own: after a restart it is
 * given every block again from height 1, and until it has reached where it was it takes nothing new.
 * Answers leave at once: the commit votes behind a receipt are durable where they were cast (P2).
 */
import type { Crypto, Signer } from '../crypto.ts';
import { programOf, type Cluster } from '../genesis.ts';
import {
  InvariantViolation,
  newOutput,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
} from '../machine.ts';
import type { AnswerResult, Effect, TransactionInput } from '../messages.ts';
import type { TransactionStatus } from '../status.ts';
import type { Millis } from '../types.ts';
import { Confirmations } from './confirmations.ts';
import type { BlockResult, Listener } from './execution.ts';
import { Executor } from './executor.ts';
import { DRAINING, Ingress, LOG_BUSY, refusedResult } from './ingress.ts';
import { Lookups } from './lookups.ts';
import type { ModuleSet } from './module.ts';
import { CHUNKS_STREAM } from './chunk-log.ts';
import { BUSY, CATCHING_UP, tellAnswer, tellEdge } from './edge-answers.ts';
import { PROVE_TIMER, Prover } from './prover.ts';
import { Queries, type AskedQuery } from './queries.ts';
import { ReceiptLog, RECEIPTS_STREAM } from './receipt-log.ts';

/** What one step executes before others get their turn: about 5 ms, in plain transactions. */
const STEP_BUDGET = 2000;
const EXECUTE_TIMER = 'transaction/execute';
/** Between two steps that answer queries everybody else has a turn. */
const ANSWER_TIMER = 'transaction/answer';
/** The next batch for reads alone is due. */
const CONFIRM_TIMER = 'transaction/confirm';

export interface TransactionOptions {
  readonly cluster: Cluster;
  /** This node's index in the validator set. */
  readonly self: number;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly modules: ModuleSet;
}

type Queued = Extract<TransactionInput, { kind: 'execute' }>;
type AskedProof = Extract<TransactionInput, { kind: 'prove' }>;

const DRAINS: AnswerResult = { ok: false, code: DRAINING.code, message: DRAINING.message };
const CONFIRMED: AnswerResult = { ok: true, value: null };

export class TransactionMachine implements Machine<TransactionInput, Effect, TransactionStatus> {
  readonly #self: number;
  readonly #executor: Executor;
  readonly #ingress: Ingress;
  readonly #queries: Queries;
  readonly #confirmations = new Confirmations();
  readonly #prover: Prover;
  /** Final blocks that are not executed yet, the first of which may be begun. */
  #queue: Queued[] = [];
  /** Height of the newest block taken into the queue. */
  #queued = 0;
  #timerSet = false;
  /** Queries were answered, and no turn has passed since. */
  #answersPause = false;
  #draining = false;
  #recoveries = [RECEIPTS_STREAM, CHUNKS_STREAM];
  /** The edge is to be told which modules are in force. */
  #programsChanged = true;
  readonly #log = new ReceiptLog();
  readonly #lookups: Lookups;

  constructor({ cluster, self, crypto, signer, modules }: TransactionOptions) {
    this.#self = self;
    this.#executor = new Executor(crypto, cluster, modules, this.#listener());
    this.#ingress = new Ingress(crypto, cluster, signer.publicKey, this.#executor);
    this.#lookups = new Lookups(this.#executor, this.#ingress);
    this.#queries = new Queries(this.#executor, () => this.#log.storedHeight);
    this.#prover = new Prover(crypto, this.#executor, this.#queries);
  }

  nextRecovery(): RecoveryRead | null {
    const stream = this.#recoveries.shift();
    return stream === undefined ? null : { stream, from: 'last', bodies: false };
  }

  recover(event: LogEvent): void {
    if (event.stream === RECEIPTS_STREAM) this.#log.recover(event);
    else this.#prover.recover(event);
  }

  status(): TransactionStatus {
    const status = {
      executedHeight: this.#executor.height,
      executedTransactions: this.#executor.transactions,
      waiting: this.#ingress.requests,
      waitingBytes: this.#ingress.bytes,
      missingPrograms: this.#executor.programs.missingAbove(this.#executor.height),
    };
    return this.#catchingUp ? { ...status, replayingTo: this.#log.storedHeight } : status;
  }

  step(input: TransactionInput, now: Millis): Output<Effect> {
    const out = newOutput<Effect>();
    this.#handle(input, now, out);
    this.#seal(now, out);
    this.#answer(out);
    this.#tellPrograms(out);
    return out;
  }

  #handle(input: TransactionInput, now: Millis, out: Output<Effect>): void {
    switch (input.kind) {
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
        return this.#query(input, now, out);
      case 'confirm':
        return this.#confirm(input.request, out);
      case 'findSubmission':
        return this.#lookups.find(input.request, input.id, out);
      case 'logFound':
        this.#prover.logFound(input.tag, input.event, now, out);
        return this.#lookups.found(input.tag, input.event, out);
      case 'logRead':
        return this.#prover.logRead(input.tag, input.events, now, out);
      case 'prove':
        return this.#prove(input, now, out);
      case 'drain':
        this.#draining = true;
        return;
      default:
        // Nothing of what else every machine may be told concerns this one.
        return;
    }
  }

  #timer(timer: string, now: Millis, out: Output<Effect>): void {
    if (timer === EXECUTE_TIMER) {
      this.#timerSet = false;
      this.#advance(now, out);
    } else if (timer === ANSWER_TIMER) {
      this.#answersPause = false;
      this.#answerQueries(now, out);
    } else if (timer === PROVE_TIMER) {
      this.#prover.goOn(now, out);
    }
  }

  get #catchingUp(): boolean {
    return this.#executor.height < this.#log.storedHeight;
  }

  get #mode(): { draining: boolean; catchingUp: boolean } {
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
      this.#confirmed(final.sealed, out);
      this.#answerQueries(now, out);
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
    if (checkpoint !== null) {
      const message = { kind: 'checkpointExecuted', executed: checkpoint } as const;
      out.immediate.push({ kind: 'tell', to: 'consensus', message });
      tellReplication(out, message);
    }
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
        if (lane === this.#self) this.#ingress.refused(id, 'valid_until_too_far');
      },
      programsChanged: () => {
        this.#programsChanged = true;
      },
      batchDone: (lane, payload) => {
        if (lane === this.#self) this.#ingress.sealing.executed(payload);
      },
    };
  }

  // ------------------------------------------------------------------------------------- answering

  #seal(now: Millis, out: Output<Effect>): void {
    const { sealing } = this.#ingress;
    for (;;) {
      const batch = sealing.next(this.#draining);
      if (batch === null) break;
      this.#confirmations.sealed(sealing.sealed);
      tellReplication(out, { kind: 'sealBatch', ...batch });
    }
    const at = this.#confirmations.dueAt(now);
    if (at === null) return;
    if (at > now) return void out.immediate.push({ kind: 'setTimer', timer: CONFIRM_TIMER, at });
    const batch = sealing.barrier();
    if (batch === null) return;
    this.#confirmations.barrier(sealing.sealed, now);
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

  #query(asked: AskedQuery, now: Millis, out: Output<Effect>): void {
    if (this.#queries.take(asked)) return this.#answerQueries(now, out);
    tellAnswer(out, asked.request, this.#executor.height, BUSY);
  }

  /** Those that come in the middle of a block are answered at its end (I99). */
  #answerQueries(now: Millis, out: Output<Effect>): void {
    if ((this.#queries.waiting === 0 && !this.#prover.isDue) || this.#answersPause) return;
    if (!this.#executor.isBetweenBlocks) return;
    this.#queries.answer((request, height, result) => tellAnswer(out, request, height, result));
    this.#prover.answer(out);
    this.#answersPause = true;
    out.immediate.push({ kind: 'setTimer', timer: ANSWER_TIMER, at: now });
  }

  #confirm(request: number, out: Output<Effect>): void {
    const { height } = this.#executor;
    if (this.#draining) return tellAnswer(out, request, height, DRAINS);
    if (this.#catchingUp) return tellAnswer(out, request, height, CATCHING_UP);
    if (!this.#confirmations.take(request)) tellAnswer(out, request, height, BUSY);
  }

  #confirmed(sealed: number, out: Output<Effect>): void {
    const { height } = this.#executor;
    for (const request of this.#confirmations.executed(sealed)) {
      tellAnswer(out, request, height, CONFIRMED);
    }
  }

  #prove(asked: AskedProof, now: Millis, out: Output<Effect>): void {
    if (this.#catchingUp) {
      return tellAnswer(out, asked.request, this.#executor.height, CATCHING_UP);
    }
    this.#prover.take(asked, now, out);
    this.#answerQueries(now, out);
  }
}

function tellReplication(
  out: Output<Effect>,
  message: Extract<Effect, { kind: 'tell'; to: 'replication' }>['message'],
): void {
  out.immediate.push({ kind: 'tell', to: 'replication', message });
}
