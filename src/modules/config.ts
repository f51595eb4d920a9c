/** A module's part of the genesis document, in the form of a schema. */
import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { argsOf } from './args.ts';
import type { Checker } from './define.ts';
import { Misfit } from './from-json.ts';

/** `json` as `schema` describes it; `{}` when it is undefined. Throws an Error that names the field at fault. */
export function configOf<S extends TSchema>(
  module: string,
  schema: S,
  json: unknown,
  checkerOf: (schema: TSchema) => Checker = (each) => TypeCompiler.Compile(each),
): Static<S> {
  const parsed = argsOf({ schema, type: checkerOf(schema) }, json ?? {}, false);
  if (!(parsed instanceof Misfit)) return parsed.args as Static<S>;
  throw new Error(`genesis: modules.${module} ${parsed.field}: ${parsed.message}`);
}
