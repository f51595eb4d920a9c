/**
 * In dev mode a node signs for whoever reaches it, which is this machine alone: it listens on loopback.
 * But a browser here runs pages from elsewhere, and one whose name is made to resolve to 127.0.0.1
 * (DNS rebinding) reaches it, too. The name in `Host` or `:authority` gives it away.
 */
import { Problem } from './problem.ts';

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?$/i;

/** Null for a name of this machine, with any port. */
export function hostProblem(host: string | undefined): Problem | null {
  if (host !== undefined && LOOPBACK.test(host)) return null;
  const detail =
    'in dev mode this node answers to localhost and loopback addresses only: ' +
    'call it by one of them, or run it without --dev';
  return new Problem(421, 'foreign_host', detail, { field: 'Host' });
}
