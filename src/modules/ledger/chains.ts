/**
 * Several events in one command: each succeeds or fails alone, but those that are linked to the next
 * succeed or fail with it (TigerBeetle's execute_create).
 *
 * Q7. Nothing remains of a chain one of whose events fails, but that its ids which failed for what
 *     another time might have succeeded are used up; what comes after the chain does not see it.
 */
import { Type, type Static } from '@sinclair/typebox';
import type { ModuleRefusal } from '../../../protocols/transaction/module.ts';
import type { Books, Commands, Work } from './rows.ts';
import { strict } from './rows.ts';

/** A timer may be set for each, and a transaction sets no more (SCHEDULED_MAX). */
export const EVENTS_MAX = 64;
/** Each takes as long as a transaction that does it alone (I130). */
const EVENT_STEPS = 256;

export const Failures = Type.Object(
  {
    failures: Type.Array(
      Type.Object(
        { index: Type.Integer({ minimum: 0, maximum: EVENTS_MAX - 1 }), result: Type.String() },
        strict,
      ),
    ),
  },
  strict,
);
type Failure = Static<typeof Failures>['failures'][number];

/** What the events of a list are for. */
export interface Events<Event> {
  isLinked(event: Event): boolean;
  run(work: Work, event: Event): ModuleRefusal | undefined;
  /** Told of the failure of this very event, after what it did has been undone. */
  failed(tables: Books, event: Event, code: string): void;
}

const CHAIN_OPEN = 'linked_event_chain_open';
const CHAIN_FAILED = 'linked_event_failed';

/** The failures, in the order of the events. */
export function runEvents<Event>(
  context: Commands,
  events: readonly Event[],
  kind: Events<Event>,
): Static<typeof Failures> {
  context.meter.spend(events.length * EVENT_STEPS);
  const failures: Failure[] = [];
  for (let first = 0; first < events.length;) {
    let last = first;
    while (last < events.length - 1 && kind.isLinked(events[last]!)) last++;
    const isOpen = kind.isLinked(events[last]!);
    const chain = events.slice(first, last + 1);
    const results =
      chain.length === 1 && !isOpen
        ? runAlone(context, chain[0]!, kind)
        : runChain(context, chain, isOpen, kind);
    for (const [at, result] of results.entries()) failures.push({ index: first + at, result });
    first = last + 1;
  }
  return { failures };
}

const NONE: readonly string[] = [];

/** The code of each event of the chain; none where all is well. */
function runAlone<Event>(context: Commands, event: Event, kind: Events<Event>): readonly string[] {
  const refusal = kind.run(context, event);
  if (refusal === undefined) return NONE;
  kind.failed(context.tables, event, refusal.code);
  return [refusal.code];
}

/** `isOpen`: the last event is linked to one that is not there. */
function runChain<Event>(
  context: Commands,
  chain: readonly Event[],
  isOpen: boolean,
  kind: Events<Event>,
): readonly string[] {
  const work = new Undoable(context);
  const last = chain.length - 1;
  for (const [at, event] of chain.entries()) {
    const code = isOpen && at === last ? CHAIN_OPEN : kind.run(work, event)?.code;
    if (code === undefined) continue;
    work.undo();
    kind.failed(context.tables, event, code);
    const results = chain.map(() => CHAIN_FAILED);
    if (isOpen) results[last] = CHAIN_OPEN;
    results[at] = code;
    return results;
  }
  work.settle();
  return NONE;
}

interface Written {
  readonly table: { set(key: string, row: unknown): void; delete(key: string): void };
  readonly key: string;
  readonly row: unknown;
}

/** Work whose rows, timers and events can be taken back, until it is settled. */
class Undoable implements Work {
  readonly tables: Books;
  readonly sender: string;
  readonly time: number;
  readonly #context: Commands;
  readonly #written: Written[] = [];
  readonly #scheduled: string[] = [];
  /** For when it is settled. */
  readonly #later: (() => unknown)[] = [];

  constructor(context: Commands) {
    this.#context = context;
    this.sender = context.sender;
    this.time = context.time;
    const names = Object.keys(context.tables) as (keyof Books)[];
    this.tables = Object.fromEntries(
      names.map((name) => [name, this.#recording(context.tables[name])]),
    ) as unknown as Books;
  }

  readonly emit: Work['emit'] = (name, data) => {
    this.#later.push(() => this.#context.emit(name, data));
  };

  readonly schedule: Work['schedule'] = (at, timer, args) => {
    const id = this.#context.schedule(at, timer, args);
    this.#scheduled.push(id);
    return id;
  };

  readonly cancel: Work['cancel'] = (id) => {
    this.#later.push(() => this.#context.cancel(id));
    return true;
  };

  settle(): void {
    for (const run of this.#later) run();
  }

  undo(): void {
    for (const id of this.#scheduled) this.#context.cancel(id);
    for (const { table, key, row } of this.#written.toReversed()) {
      if (row === undefined) table.delete(key);
      else table.set(key, row);
    }
  }

  #recording(table: unknown): unknown {
    const under = table as Written['table'] & { get(key: string): unknown };
    return {
      get: (key: string) => under.get(key),
      set: (key: string, row: unknown) => {
        this.#written.push({ table: under, key, row: under.get(key) });
        under.set(key, row);
      },
    };
  }
}
