/** What modules are written with: `import { defineModule, Type } from 'althing/module'`. */
export { Type, type Static, type TSchema } from '@sinclair/typebox';
export { refusalOf, refuse, ModuleRefusal } from '../protocols/transaction/module.ts';
export type { Page, Range, IndexRange } from '../protocols/transaction/module.ts';
export type { Value } from '../protocols/transaction/values.ts';
export { configOf } from './modules/config.ts';
export { defineModule, event, table } from './modules/define.ts';
export type {
  Context,
  DefinedModule,
  FillContext,
  QueryKit,
  ReadContext,
  ReadTablesOf,
  TablesOf,
  TimerDefinition,
} from './modules/define.ts';
export { Amount, AnyValue, Bytes } from './modules/schema.ts';
