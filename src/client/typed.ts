/**
 * The types of a module's commands and queries, from its declaration alone: nothing of the module's
 * code is needed where it is called.
 *
 *   import type { ledger } from 'althing/modules/ledger';
 *   const bank = client.module<typeof ledger>('ledger');
 *   await bank.send.transfer({ from: 'a', to: 'b', amount: 5 });
 *   await bank.ask.account({ account: 'a' });
 */
import type { Static, TSchema } from '@sinclair/typebox';
import type {
  CommandDefinition,
  DefinedModule,
  EventDefinition,
  QueryDefinition,
} from '../modules/define.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { ProvedEvent } from './lanes.ts';
import type { Answer, ReadOptions, Trust } from './reads.ts';
import type { SubscribeOptions, Subscription } from './subscription.ts';

type CommandsOf<M> = M extends DefinedModule<infer C, infer _Q, infer _E> ? C : never;
type QueriesOf<M> = M extends DefinedModule<infer _C, infer Q, infer _E> ? Q : never;
type EventsOf<M> = M extends DefinedModule<infer _C, infer _Q, infer E> ? E : never;

/** How one command is sent. */
export interface CallOptions {
  /** Whom its receipt is believed: see `Trust`. */
  readonly trust?: Trust | undefined;
  /** Ends the waiting, with OutcomeUnknown. A call with a signal of its own travels alone. */
  readonly signal?: AbortSignal | undefined;
}

/** A module with its code, whatever it declares. */
export type AnyModule = DefinedModule<unknown, unknown, unknown>;

/** What a command's schema takes; no argument at all where it may be empty. */
type Arguments<S extends TSchema> =
  Record<never, never> extends Static<S>
    ? [args?: Static<S>, options?: CallOptions]
    : [args: Static<S>, options?: CallOptions];

type Send<D> =
  D extends CommandDefinition<infer S, infer R>
    ? (...args: Arguments<S>) => Promise<Done<[R] extends [never] ? undefined : Static<R>>>
    : never;

type Ask<D> =
  D extends QueryDefinition<infer S, infer R>
    ? (args: Static<S>, options?: ReadOptions) => Promise<Answer<Static<R>>>
    : never;

/** A command that is final and succeeded. */
export interface Done<Result> {
  readonly result: Result;
  readonly receipt: Receipt;
}

/** Data of the event `N` of a module. */
export type EventData<M, N extends keyof EventsOf<M>> =
  EventsOf<M>[N] extends EventDefinition<infer S> ? Static<S> : never;

/** An event of a module, by its name. */
export type ModuleEvent<M> = {
  readonly [N in keyof EventsOf<M> & string]: Omit<ProvedEvent, 'name' | 'data'> & {
    readonly name: N;
    readonly data: EventData<M, N>;
  };
}[keyof EventsOf<M> & string];

/** Its events are proved: those that are a node's word do not have the types that the module declares. */
export type FollowOptions = Omit<SubscribeOptions, 'modules' | 'blocks' | 'transactions' | 'trust'>;

export interface Following<M> extends Subscription {
  [Symbol.asyncIterator](): AsyncIterator<ModuleEvent<M>>;
}

export interface ModuleClient<M> {
  /** Resolves when the command is final; throws TransactionFailed when its module refused it. */
  readonly send: { readonly [K in keyof CommandsOf<M>]: Send<CommandsOf<M>[K]> };
  readonly ask: { readonly [K in keyof QueriesOf<M>]: Ask<QueriesOf<M>[K]> };
  /** What happens in the module, proved: see Client.subscribe. */
  readonly subscribe: (options?: FollowOptions) => Following<M>;
}

/** An object whose members are made by name, when they are first asked for. */
export function byName<F extends (...args: never[]) => unknown>(make: (name: string) => F): object {
  return new Proxy(Object.create(null) as Record<string, F>, {
    get: (made, name) => {
      // A client is awaited by mistake easily: it is no promise.
      if (typeof name !== 'string' || name === 'then') return undefined;
      return (made[name] ??= make(name));
    },
  });
}

export type AnyArgs = Readonly<Record<string, Value | undefined>>;
