/**
 * A module of the simulator's own, in two versions: timers that anybody sets and stops, counted
 * differently by each version, so that it shows which one ran, when, and how often.
 */
import type * as modules from '../../src/module.ts';
import type { DefinedModule } from '../../src/module.ts';

/** By version: what a timer adds to the count. */
export const RING_COUNTS: Readonly<Record<number, number>> = { 1: 1, 2: 100 };
const ROW = 'count';

/** @param toolkit of the engine that is to run it */
export function clockwork(toolkit: typeof modules, version: number): DefinedModule {
  const { defineModule, event, refuse, table, Type } = toolkit;
  const strict = { additionalProperties: false };
  const Name = Type.String({ minLength: 1, maxLength: 32 });
  const Named = Type.Object({ name: Name }, strict);
  const Version = Type.Object({ version: Type.Integer() }, strict);
  return defineModule({
    name: 'clockwork',
    version,
    description: 'Timers that ring.',
    tables: {
      set: table('By name: the timer.', Type.String()),
      count: table('One row: what the rings add up to.', Type.Integer()),
      waiting: table('One row: how many are set.', Type.Integer()),
    },
    events: { rang: event('A timer rang.', Named) },
    timers: ({ timer }) => ({
      ring: timer({ description: 'Rings.', args: Named }, ({ tables, emit }, { name }) => {
        tables.set.delete(name);
        tables.waiting.set(ROW, tables.waiting.get(ROW)! - 1);
        tables.count.set(ROW, (tables.count.get(ROW) ?? 0) + RING_COUNTS[version]!);
        emit('rang', { name });
      }),
    }),
    commands: ({ command }) => ({
      set: command(
        {
          description: 'Sets a timer.',
          args: Type.Object({ name: Name, at: Type.Integer() }, strict),
          result: Version,
        },
        ({ tables, schedule }, { name, at }) => {
          if (tables.set.get(name) !== undefined) return refuse('name_taken', 'it is set');
          tables.set.set(name, schedule(at, 'ring', { name }));
          tables.waiting.set(ROW, (tables.waiting.get(ROW) ?? 0) + 1);
          return { version };
        },
      ),
      stop: command(
        { description: 'Stops a timer.', args: Named, result: Version },
        ({ tables, cancel }, { name }) => {
          const id = tables.set.get(name);
          if (id === undefined || !cancel(id)) return refuse('nothing_set', 'it is not set');
          tables.set.delete(name);
          tables.waiting.set(ROW, tables.waiting.get(ROW)! - 1);
          return { version };
        },
      ),
    }),
    queries: ({ query }) => ({
      count: query(
        {
          description: 'What the rings add up to, and how many are set.',
          args: Type.Object({}, strict),
          result: Type.Object({ count: Type.Integer(), waiting: Type.Integer() }, strict),
        },
        ({ tables }) => ({
          count: tables.count.get(ROW) ?? 0,
          waiting: tables.waiting.get(ROW) ?? 0,
        }),
      ),
    }),
    migrations: { 2: () => undefined },
    refusals: { name_taken: 'There is such a timer.', nothing_set: 'There is no such timer.' },
  });
}
