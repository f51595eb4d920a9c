/** The arguments that clients write, in the form in which they are executed. */
import type { TSchema } from '@sinclair/typebox';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Checker } from './define.ts';
import { fromJson, Misfit, misfitOf } from './from-json.ts';

/** The arguments of a command or query in canonical form, or what is wrong with them. */
export function argsOf(
  { schema, type }: { readonly schema: TSchema; readonly type: Checker },
  json: unknown,
  text: boolean,
): { readonly args: Value } | Misfit {
  const args = fromJson(schema, json, '', text);
  if (args instanceof Misfit) return args;
  if (type.Check(args)) return { args };
  return misfitOf(type, args);
}
