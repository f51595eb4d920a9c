/**
 * Runs the transactions of one submission, in order, each alone: it succeeds, or leaves nothing but a
 * receipt that says why not (I47). This is the hot path: one decode, one check, one run, no
 * allocation besides the arguments.
 *
 * I53. The outcome of a transaction depends on the block, the submission and the rows alone. What a
 *      module throws becomes `module_fault` with a fixed text.
 */
import type { Crypto } from '../crypto.ts';
import { InvariantViolation } from '../machine.ts';
import type { Block, Digest } from '../types.ts';
import { ModuleContext, Scope } from './command-context.ts';
import { ModuleRefusal, type Command, type ModuleSet, type Outcome } from './module.ts';
import { OutcomeWriter } from './receipts.ts';
import type { State } from './state.ts';
import { readU32, type Submission } from './submission-reader.ts';
import { readText } from './text-reader.ts';
import { decodeValue } from './value-reader.ts';

/** A command that a transaction can name, or why the one it names cannot run. */
type Resolved =
  | { readonly command: Command; readonly context: ModuleContext; readonly misfit: string }
  | { readonly command: null; readonly code: string; readonly message: string };

interface RunnableModule {
  readonly context: ModuleContext;
  readonly commands: ReadonlyMap<string, Command>;
}

const FAULT = 'the module failed; nothing of the transaction remains';

export class Runner {
  readonly #state: State;
  readonly #scope: Scope;
  readonly #modules = new Map<string, RunnableModule>();
  readonly #outcomes = new OutcomeWriter();
  /** The last names resolved: mostly the next transaction has the same. */
  #names: Uint8Array = new Uint8Array(0);
  #resolved: Resolved = { command: null, code: 'unknown_module', message: '' };

  constructor(crypto: Crypto, state: State, modules: ModuleSet) {
    this.#state = state;
    this.#scope = new Scope(crypto);
    for (const module of modules) {
      const context = new ModuleContext(this.#scope, state.tablesOf(module.name));
      this.#modules.set(module.name, { context, commands: module.commands });
    }
  }

  startBlock(block: Block, digest: Digest): void {
    this.#scope.time = block.timestamp;
    this.#scope.height = block.height;
    this.#scope.blockDigest = digest;
  }

  /** Runs all transactions of the submission; their outcomes as in receipts.ts. */
  run(submission: Submission, id: Digest): Uint8Array {
    const scope = this.#scope;
    const { bytes, txCount } = submission;
    scope.submission = id;
    const client = submission.kind === 'client';
    scope.sender = client ? `key:${submission.key}` : `principal:${submission.principal}`;
    scope.via = client ? '' : submission.key;
    this.#outcomes.start();
    let at = submission.callsStart;
    for (let i = 0; i < txCount; i++) {
      const namesEnd = endOfNames(bytes, at);
      const argsStart = namesEnd + 4;
      const argsEnd = argsStart + readU32(bytes, namesEnd);
      scope.index = i;
      this.#resolve(bytes, at, namesEnd);
      this.#runOne(bytes, argsStart, argsEnd);
      at = argsEnd;
    }
    return this.#outcomes.take();
  }

  #runOne(bytes: Uint8Array, argsStart: number, argsEnd: number): void {
    const resolved = this.#resolved;
    if (resolved.command === null) return this.#outcomes.failed(resolved.code, resolved.message);
    const { command, context } = resolved;
    const args = decodeValue(bytes, argsStart, argsEnd);
    if (args === undefined) {
      return this.#outcomes.failed('malformed_args', 'the arguments are not a canonical value');
    }
    if (!command.check(args)) return this.#outcomes.failed('invalid_args', resolved.misfit);
    this.#scope.draws = 0;
    try {
      this.#settle(command.run(context, args));
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      this.#fail('module_fault', FAULT);
    }
  }

  #settle(outcome: Outcome): void {
    if (outcome instanceof ModuleRefusal) return this.#fail(outcome.code, outcome.message);
    const { events } = this.#scope;
    if (outcome === undefined && events.length === 0) this.#outcomes.plain();
    else {
      this.#outcomes.ok(outcome, events);
      if (events.length > 0) this.#scope.events = [];
    }
    this.#state.journal.commit();
  }

  #fail(code: string, message: string): void {
    this.#state.journal.rollback();
    if (this.#scope.events.length > 0) this.#scope.events = [];
    this.#outcomes.failed(code, message);
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
    const command = module.commands.get(commandName ?? '');
    if (command === undefined) {
      return { command: null, code: 'unknown_command', message: 'no command of that name' };
    }
    const misfit = `the arguments do not fit the schema of ${moduleName}.${commandName}`;
    return { command, context: module.context, misfit };
  }
}

function endOfNames(bytes: Uint8Array, at: number): number {
  const moduleEnd = at + 1 + bytes[at]!;
  return moduleEnd + 1 + bytes[moduleEnd]!;
}
