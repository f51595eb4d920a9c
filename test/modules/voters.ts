/** Voters of the tests of voting, and what is short to say about rounds. */
import type { Signer } from '../../protocols/crypto.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { testSigner } from '../transaction/crypto.ts';
import type { TimedWorld } from './timed-world.ts';

export const signers: readonly Signer[] = [1, 2, 3, 4, 5].map(testSigner);
export const [a, b, c, d, stranger] = signers as [Signer, Signer, Signer, Signer, Signer];
export const name = ({ publicKey }: Signer): string => `key:${publicKey}`;
export const voters = [a, b, c, d].map((signer) => ({ voter: name(signer) }));

export const call = (command: string, args: Value): Call => ({ module: 'voting', command, args });
export const open = (round: string, more: Record<string, Value> = { voters, required: 3 }): Call =>
  call('open', { round, ...more });
export const cast = (round: string, choice: string, digest?: string): Call =>
  call('cast', { round, choice, ...(digest === undefined ? {} : { digest }) });

export interface View {
  readonly status: string;
  readonly approvals: number;
  readonly rejections: number;
  readonly digest: string;
  readonly committee: string;
  readonly sender: string;
  readonly deadline: number;
  readonly release: unknown;
}
export const view = (w: TimedWorld, round: string): View =>
  w.ask('voting', 'round', { round }) as View;
