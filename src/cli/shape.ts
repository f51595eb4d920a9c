/** Commands and queries of modules, as the command line knows them. */
import type { TSchema } from '@sinclair/typebox';
import type { Checker } from '../modules/define.ts';
import { UsageError } from './command.ts';

/** Of a module. */
export interface Member {
  readonly sort: 'command' | 'query';
  readonly module: string;
  readonly name: string;
}

/** What its arguments have to be. */
export interface Shape {
  /** `ledger transfer` */
  readonly name: string;
  readonly schema: TSchema;
  readonly type: Checker;
}

export function unknownMember({ sort, module, name }: Member, names: readonly string[]) {
  return new UsageError(`${module} has no ${sort} ${name}; it has ${names.join(', ')}`);
}
