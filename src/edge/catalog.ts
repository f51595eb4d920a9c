/**
 * What the edges know of the modules: how JSON arguments become canonical ones by the schema of a
 * command or a query, and which of them there are.
 */
import type { Value } from '../../protocols/transaction/values.ts';
import type { Problem } from './problem.ts';

export interface Catalog {
  /** Arguments of a command; `at` is the path of the transaction within the request. */
  commandArgs(
    module: string,
    command: string,
    args: unknown,
    at: string,
  ): { readonly value: Value } | Problem;
  /** Names for people, by module. */
  readonly modules: Readonly<
    Record<string, { readonly commands: readonly string[]; readonly queries: readonly string[] }>
  >;
}
