/** Names of commands, as calls and as the bytes in which submissions hold them. */
import { utf8 } from '../../protocols/bytes.ts';
import type { Value } from '../../protocols/transaction/values.ts';

export const call = (command: string, args: Value) => ({ module: 'scratch', command, args });

export function named(module: string, command: string): Uint8Array {
  const parts = [module, command].map(utf8);
  return Uint8Array.from(parts.flatMap((part) => [part.length, ...part]));
}
