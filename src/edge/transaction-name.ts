/** How clients name what they submitted: `<submission>` for all of it, `<submission>-<i>` for one. */
import { isHex } from '../../protocols/bytes.ts';
import { parseTransactionId } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { malformed, type Problem } from './problem.ts';

export interface TransactionName {
  readonly submission: Digest;
  /** Null for the whole submission. */
  readonly index: number | null;
}

export function readTransactionName(text: string): TransactionName | Problem {
  if (isHex(text, 32)) return { submission: text as Digest, index: null };
  return (
    parseTransactionId(text) ??
    malformed('expected 64 lower-case hex characters, and -<index> for one transaction', 'id')
  );
}
