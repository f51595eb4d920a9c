/**
 * Runs the transactions of one submission, in order, each alone: it succeeds, or leaves nothing but a
 * receipt that says why not (I47). This is the hot path: one decode, one check, one run, no
 * allocation besides the arguments.
 *
 * I53. The outcome of a transaction depends on the block, the submission and the rows alone. What a
 *      module throws becomes `module_fault` with a fixed text, but for the failures that are alike
 *      on every node (module.ts).
 * I118. A command that another module calls is undone alone when it is refused or throws, and acts for
 *      the module that calls: nobody else's rights reach it.
 */
import type { Crypto } from '../crypto.ts';
import type { ConsensusLimits } from '../genesis.ts';
import { InvariantViolation } from '../machine.ts';
import type { Block, Digest, Millis, PublicKey } from '../types.ts';
import { CallsWriter, endOfNames, TimerNames } from './calls.ts';
import { ModuleContext, Scope, type Host } from './command-context.ts';
import { Allowance, BYTES_PER_TRANSACTION } from './meter.ts';
import {
  ModuleFailure,
  ModuleRefusal,
  OverBudget,
  refuse,
  type Command,
  type Module,
  type Outcome,
} from './module.ts';
import { OutcomeWriter } from './receipts.ts';
import type { State } from './state.ts';
import { readU32, type Submission } from './submission-reader.ts';
import { readText } from './text-reader.ts';
import { CannotSchedule, SCHEDULED_MAX, type Timer } from './timers.ts';
import { decodeValue } from './value-reader.ts';
import { assertValue, type Value } from './values.ts';

/** A command that a transaction can name, or why the one it names cannot run. */
type Resolved =
  | { readonly command: Command; readonly context: ModuleContext; readonly misfit: string }
  | { readonly command: null; readonly code: string; readonly message: string };

interface RunnableModule {
  readonly context: ModuleContext;
  readonly module: Module;
}

/** What became of the transactions: `calls` as in calls.ts, `encoded` as in receipts.ts. */
export interface Ran {
  readonly sender: string;
  readonly via: string;
  readonly calls: Uint8Array;
  readonly encoded: Uint8Array;
}

/** Modules that call one another. */
const CALL_DEPTH_MAX = 8;
/** What a call takes of the stack besides the modules' own frames, in the sandbox's units. */
const CALL_DEPTH = 8;
const FAULT = 'the module failed; nothing of the transaction remains';
const TOO_EXPENSIVE = 'the transaction takes more steps than one may; nothing of it remains';

export class Runner implements Host {
  readonly #state: State;
  readonly #scope: Scope;
  readonly #allowance: Allowance;
  readonly #modules = new Map<string, RunnableModule>();
  readonly #outcomes = new OutcomeWriter();
  readonly #calls = new CallsWriter();
  /** The last names resolved: mostly the next transaction has the same. */
  #names: Uint8Array = new Uint8Array(0);
  #resolved: Resolved = { command: null, code: 'unknown_module', message: '' };
  readonly #timerNames = new TimerNames();
  #depth = 0;
  /** What runs, and where its next transaction starts. */
  #submission: Submission | null = null;
  #at = 0;

  constructor(
    crypto: Crypto,
    state: State,
    validators: readonly PublicKey[],
    limits: ConsensusLimits,
  ) {
    this.#state = state;
    this.#allowance = new Allowance(limits);
    this.#scope = new Scope(crypto, validators, this.#allowance.meter);
  }

  /** From now on `module` runs under its name. */
  install(module: Module): void {
    const { name } = module;
    const context = new ModuleContext(name, this.#scope, this.#state.tablesOf(name), this);
    this.#modules.set(name, { context, module });
    this.#names = new Uint8Array(0);
  }

  startBlock(block: Block, digest: Digest): void {
    this.#scope.time = block.timestamp;
    this.#scope.height = block.height;
    this.#scope.blockDigest = digest;
    this.#state.timers.startBlock(block.height);
    this.#allowance.startBlock();
  }

  /** `advance` runs the transactions of the submission. */
  start(submission: Submission, id: Digest): void {
    const client = submission.kind === 'client';
    const sender = client ? `key:${submission.key}` : `principal:${submission.principal}`;
    this.#start(id, sender, client ? '' : submission.key);
    this.#submission = submission;
    this.#at = submission.callsStart;
    this.#scope.index = -1;
  }

  /** What became of them; null when the budget, about one a transaction, ended before they did. */
  advance(budget: { left: number }): Ran | null {
    const { bytes, txCount } = this.#submission!;
    let at = this.#at;
    let { left } = budget;
    while (++this.#scope.index < txCount) {
      if (left <= 0) {
        this.#scope.index--;
        this.#at = at;
        budget.left = left;
        return null;
      }
      const namesEnd = endOfNames(bytes, at);
      const argsStart = namesEnd + 4;
      const argsEnd = argsStart + readU32(bytes, namesEnd);
      this.#resolve(bytes, at, namesEnd);
      this.#calls.add(this.#names);
      left -= 1 + (argsEnd - argsStart) / BYTES_PER_TRANSACTION;
      left -= this.#runOne(bytes, at, argsStart, argsEnd);
      at = argsEnd;
    }
    budget.left = left;
    return this.#take();
  }

  /** The timers of a block run like the transactions of one submission, which is `id`. */
  startTimers(id: Digest): void {
    this.#start(id, '', '');
    this.#scope.index = -1;
  }

  /** Whether the timers of this block have left what one more may take. */
  get hasRoom(): boolean {
    return this.#allowance.hasRoom;
  }

  /** What it took, in plain transactions. */
  runTimer(timer: Timer): number {
    const cost = this.#runTimer(timer);
    this.#state.timers.ran(timer.module, cost);
    return cost;
  }

  #runTimer({ module, timer, args }: Timer): number {
    const found = this.#modules.get(module);
    this.#scope.index++;
    this.#scope.sender = `module:${module}`;
    this.#calls.add(this.#timerNames.of(module, timer));
    const command = found?.module.timers.get(timer);
    if (found === undefined || command === undefined) {
      this.#addFailure('unknown_timer', 'the module has no timer of that name any more');
      return 1;
    }
    const misfit = 'the arguments do not fit the timer any more';
    return 1 + this.#execute(command, found.context, args, 0, misfit);
  }

  takeTimers(): Ran {
    return { ...this.#take(), sender: '' };
  }

  #start(id: Digest, sender: string, via: string): void {
    this.#scope.submission = id;
    this.#scope.sender = sender;
    this.#scope.via = via;
    this.#outcomes.start();
    this.#calls.start();
    this.#allowance.startSubmission();
  }

  #take(): Ran {
    const { sender, via } = this.#scope;
    return { sender, via, calls: this.#calls.take(), encoded: this.#outcomes.take() };
  }

  /** What it took beyond a plain transaction, in those. */
  #runOne(bytes: Uint8Array, start: number, argsStart: number, argsEnd: number): number {
    const resolved = this.#resolved;
    if (resolved.command === null) {
      this.#addFailure(resolved.code, resolved.message);
      return 0;
    }
    const { command, context } = resolved;
    const args = decodeValue(bytes, argsStart, argsEnd);
    if (args === undefined) {
      this.#addFailure('malformed_args', 'the arguments are not a canonical value');
      return 0;
    }
    return this.#execute(command, context, args, argsEnd - start, resolved.misfit);
  }

  /** @param ownBytes of the transaction */
  #execute(
    command: Command,
    context: ModuleContext,
    args: Value,
    ownBytes: number,
    misfit: string,
  ): number {
    const scope = this.#scope;
    scope.draws = 0;
    scope.scheduled = 0;
    this.#allowance.startTransaction(ownBytes);
    try {
      if (this.#fits(command, args)) this.#settle(command.run(context, args));
      else this.#addFailure('invalid_args', misfit);
    } catch (error) {
      this.#threw(error);
    }
    return this.#allowance.endTransaction();
  }

  /** Throws OverBudget for what would take more than is left: to look costs, too, whatever is seen. */
  #fits(command: Command, args: Value): boolean {
    if (command.checkSteps !== undefined) this.#scope.meter.spend(command.checkSteps(args));
    return command.check(args);
  }

  #threw(error: unknown): void {
    if (error instanceof InvariantViolation) throw error;
    if (error instanceof OverBudget) return this.#fail('too_expensive', TOO_EXPENSIVE);
    if (error instanceof ModuleFailure) return this.#fail(error.code, error.message);
    return this.#fail('module_fault', FAULT);
  }

  #settle(outcome: Outcome): void {
    if (outcome instanceof ModuleRefusal) return this.#fail(outcome.code, outcome.message);
    const { events } = this.#scope;
    if (outcome === undefined && events.length === 0) this.#outcomes.plain();
    else {
      if (!this.#allowance.pays(this.#outcomes.ok(outcome, events))) {
        return this.#fail('too_expensive', TOO_EXPENSIVE);
      }
      this.#outcomes.add();
      if (events.length > 0) this.#scope.events = [];
    }
    this.#state.journal.commit();
  }

  #fail(code: string, message: string): void {
    this.#state.journal.rollback();
    if (this.#scope.events.length > 0) this.#scope.events = [];
    if (this.#allowance.pays(this.#outcomes.failed(code, message))) this.#outcomes.add();
    else this.#addFailure('too_expensive', TOO_EXPENSIVE);
  }

  /** In words of this software: no longer than what costs nothing. */
  #addFailure(code: string, message: string): void {
    this.#outcomes.failed(code, message);
    this.#outcomes.add();
  }

  // ------------------------------------------------------------------------ what contexts ask for

  schedule(module: string, at: Millis, timer: string, args: Value): string {
    const timers = this.#modules.get(module)!.module.timers;
    if (!timers.has(timer)) throw new CannotSchedule(`${module} has no timer ${timer}`);
    if (++this.#scope.scheduled > SCHEDULED_MAX) {
      throw new CannotSchedule(`a transaction sets at most ${SCHEDULED_MAX} timers`);
    }
    return this.#state.timers.set(at, { module, timer, args });
  }

  cancel(module: string, id: string): boolean {
    return this.#state.timers.cancel(module, id);
  }

  call(sender: string, module: string, command: string, args: Value): Outcome {
    const found = this.#modules.get(module);
    if (found === undefined) return refuse('unknown_module', 'no module of that name');
    const called = found.module.commands.get(command);
    if (called === undefined) return refuse('unknown_command', 'no command of that name');
    if (this.#depth >= CALL_DEPTH_MAX) {
      return refuse('calls_too_deep', `at most ${CALL_DEPTH_MAX} modules call one another`);
    }
    assertValue(args);
    if (!this.#fits(called, args)) {
      return refuse('invalid_args', `the arguments do not fit the schema of ${module}.${command}`);
    }
    return this.#callAs(sender, found.context, called, args);
  }

  #callAs(sender: string, context: ModuleContext, command: Command, args: Value): Outcome {
    const scope = this.#scope;
    const { sender: callersSender, via } = scope;
    const mark = this.#state.journal.mark();
    const events = scope.events.length;
    let done = false;
    const { depth } = scope.meter;
    scope.sender = sender;
    scope.via = '';
    scope.meter.depth += CALL_DEPTH;
    this.#depth++;
    try {
      const outcome = command.run(context, args);
      done = !(outcome instanceof ModuleRefusal);
      return outcome;
    } catch (error) {
      if (error instanceof InvariantViolation || error instanceof OverBudget) throw error;
      if (error instanceof ModuleFailure) return refuse(error.code, error.message);
      return refuse('module_fault', 'the module that was called failed');
    } finally {
      this.#depth--;
      scope.meter.depth = depth;
      scope.sender = callersSender;
      scope.via = via;
      if (!done) {
        this.#state.journal.rollback(mark);
        scope.events.length = events;
      }
    }
  }

  #resolve(bytes: Uint8Array, start: number, end: number): void {
    const names = this.#names;
    let same = names.length === end - start;
    for (let i = 0; same && i < names.length; i++) same = names[i] === bytes[start + i];
    if (same) return;
    this.#names = Uint8Array.prototype.slice.call(bytes, start, end);
    const moduleEnd = start + 1 + bytes[start]!;
    const module = readText(bytes, start + 1, moduleEnd);
    this.#resolved = this.#lookUp(module, readText(bytes, moduleEnd + 1, end));
  }

  #lookUp(moduleName: string | undefined, commandName: string | undefined): Resolved {
    const module = this.#modules.get(moduleName ?? '');
    if (module === undefined) {
      return { command: null, code: 'unknown_module', message: 'no module of that name' };
    }
    const command = module.module.commands.get(commandName ?? '');
    if (command === undefined) {
      return { command: null, code: 'unknown_command', message: 'no command of that name' };
    }
    const misfit = `the arguments do not fit the schema of ${moduleName}.${commandName}`;
    return { command, context: module.context, misfit };
  }
}
