/** A small module that can do everything a module may do, and some things it may not. */
import {
  refuse,
  type Command,
  type Module,
  type ModuleSet,
  type Query,
} from '../../protocols/transaction/module.ts';
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
];

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
  tables: ['rows'],
  commands: new Map(commands.map((command) => [command.name, command])),
  queries: new Map(queries.map((query) => [query.name, query])),
  genesis: ({ tables }, config) => {
    if (config !== undefined) tables['rows']!.set('genesis', config as Value);
  },
};

export const defaultModules: ModuleSet = [scratch];

export const put = (key: string, value: Value) =>
  ({ module: 'scratch', command: 'put', args: { key, value } }) as const;
