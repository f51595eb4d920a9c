/** Chooses what carries HTTP: native uWebSockets.js where it loads, node:http elsewhere. */
import type { Binding } from './exchange.ts';
import { fallback } from './fallback.ts';
import { loadNative } from './native.ts';

export type BindingChoice = 'auto' | 'native' | 'fallback';

/** Throws when `native` is demanded and there is none for this Node. */
export function loadBinding(choice: BindingChoice = 'auto'): Binding {
  if (choice === 'fallback') return fallback;
  const native = loadNative();
  if (native !== null) return native;
  if (choice === 'auto') return fallback;
  throw new Error(
    `uWebSockets.js has no native binding for Node ${process.versions.node} on ` +
      `${process.platform}-${process.arch}: use Node 20 on a glibc system, or the fallback`,
  );
}
