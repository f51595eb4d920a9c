/** A small module that can do everything a module may do, and some things it may not. */
import {
  ModuleRefusal,
  refuse,
  type Command,
  type Module,
  type ModuleSet,
  type Query,
} from '../../protocols/transaction/module.ts';
import { TEXT_MAX } from '../../protocols/transaction/table-index.ts';
import type { Value } from '../../protocols/transaction/values.ts';

export type TestModules = ModuleSet;

interface Put {
  readonly key: string;
  readonly value: Value;
}

const isPut = (args: Value): boolean =>
  args !== null && typeof args === 'object' && 'key' in args && 'value' in args;

const commands: readonly Command[] = [
  {
    name: 'put',
    check: isPut,
    run({ tables }, args) {
      const { key, value } = args as unknown as Put;
      tables['rows']!.set(key, value);
      return undefined;
    },
  },
  {
    name: 'remove',
    check: (args) => typeof args === 'string',
    run({ tables }, args) {
      tables['rows']!.delete(args as string);
      return undefined;
    },
  },
  {
    name: 'putThenRefuse',
    check: isPut,
    run(context, args) {
      const { key, value } = args as unknown as Put;
      context.tables['rows']!.set(key, value);
      context.emit('written', value);
      return refuse('changed_my_mind', 'nothing of this stays');
    },
  },
  {
    name: 'putThenThrow',
    check: isPut,
    run({ tables }, args) {
      const { key, value } = args as unknown as Put;
      tables['rows']!.set(key, value);
      tables['rows']!.delete(key);
      throw new Error(`at ${new Error('x').stack} on ${key}`);
    },
  },
  {
    name: 'putFraction',
    check: () => true,
    run({ tables }) {
      tables['rows']!.set('before', 1);
      tables['rows']!.set('fraction', 0.5);
      return undefined;
    },
  },
  {
    name: 'answerFraction',
    check: () => true,
    run({ tables }) {
      tables['rows']!.set('before', 1);
      return [0.5];
    },
  },
  {
    name: 'look',
    check: () => true,
    run(context) {
      const { time, height, sender, via } = context;
      context.emit('looked', { first: context.random(), second: context.random() });
      return { time, height, sender, via };
    },
  },
  {
    name: 'hash',
    check: () => true,
    run: ({ hash, validators }, args) => ({ hash: hash(args), validators }),
  },
];

/** Sets a timer, has another module's command run, and says what came of it. */
const modulesCommands: readonly Command[] = [
  {
    name: 'later',
    check: () => true,
    run(context, args) {
      const { at, timer, data } = args as unknown as { at: number; timer: string; data: Value };
      return context.schedule(at, timer, data);
    },
  },
  {
    name: 'cancel',
    check: (args) => typeof args === 'string',
    run: (context, args) => context.cancel(args as string),
  },
  {
    name: 'laterThenRefuse',
    check: () => true,
    run(context, args) {
      context.schedule(args as number, 'tick', 'never');
      return refuse('changed_my_mind', 'no timer was set');
    },
  },
  {
    name: 'callAll',
    check: Array.isArray,
    run(context, args) {
      const calls = args as unknown as readonly (readonly [string, string, Value, string?])[];
      return calls.map(([module, command, given, as]) => {
        const outcome = context.call(module, command, given, as);
        return outcome instanceof ModuleRefusal ? outcome.code : (outcome ?? null);
      });
    },
  },
];

const timers: readonly Command[] = [
  {
    name: 'tick',
    check: () => true,
    run(context, args) {
      const { height, time, sender } = context;
      context.tables['rows']!.set(`tick/${JSON.stringify(args)}`, { height, time, sender });
      context.emit('ticked', args);
      return undefined;
    },
  },
  {
    name: 'fail',
    check: () => true,
    run(context) {
      context.tables['rows']!.set('tick/fail', 1);
      throw new Error('it fails');
    },
  },
];

/** Of no text that is longer than an index takes. */
const textOf = (row: Value): string | null =>
  typeof row === 'string' && row.length <= TEXT_MAX ? row : null;

const queries: readonly Query[] = [
  {
    name: 'get',
    check: (args) => typeof args === 'string',
    run: ({ tables }, args) =>
      tables['rows']!.get(args as string) ?? refuse('row_not_found', 'no such row'),
  },
  {
    name: 'fail',
    check: () => true,
    run() {
      throw new Error('secret');
    },
  },
];

export const scratch: Module = {
  name: 'scratch',
  version: 1,
  digest: '',
  tables: [{ name: 'rows', indexes: new Map([['byText', textOf]]) }],
  commands: new Map([...commands, ...modulesCommands].map((command) => [command.name, command])),
  timers: new Map(timers.map((timer) => [timer.name, timer])),
  queries: new Map(queries.map((query) => [query.name, query])),
  migrate: () => undefined,
  genesis: ({ tables }, config) => {
    if (config !== undefined) tables['rows']!.set('genesis', config as Value);
  },
};

/** Another module with the same commands and timers: for those that call one another. */
export const second: Module = { ...scratch, name: 'second', genesis: () => undefined };

export const defaultModules: ModuleSet = [scratch, second];

export const put = (key: string, value: Value) =>
  ({ module: 'scratch', command: 'put', args: { key, value } }) as const;
