/** Effects that several parts ask for. */
import type { Effect } from '../messages.ts';
import type { ValidatorIndex } from '../types.ts';

export function fault(out: Effect[], peer: ValidatorIndex, code: string, detail: string): void {
  out.push({ kind: 'peerFault', peer, code, detail });
}
