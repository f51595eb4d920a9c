/**
 * Why a submission was not executed. The codes are part of the interface: edges map them to HTTP and
 * gRPC statuses, clients decide by them whether to try again.
 */

export type RefusalCode =
  /** Not the form of a submission (400). */
  | 'malformed'
  /** Beyond a limit of the genesis (413). */
  | 'too_large'
  /** For another cluster id (400). */
  | 'wrong_cluster'
  /** The signature is not valid for the key and the bytes (401). */
  | 'bad_signature'
  /** A node submission that names another node, or no validator (403). */
  | 'wrong_node'
  /** `validUntil` lies further ahead of block time than the genesis allows (400). */
  | 'valid_until_too_far'
  /** `validUntil` passed without its execution: it did not and will not happen (E2) (410). */
  | 'expired'
  /** Another submission stands under this client's seq (E2) (409). */
  | 'seq_reused'
  /** Below the client's window: it was not and will not be executed (E2) (409). */
  | 'seq_too_old'
  /** Another content stands under this idempotency key (E3) (422). */
  | 'idempotency_key_reused'
  /** A request with this idempotency key is under way here (409). */
  | 'in_progress'
  /** Executed here, and its receipts are not in the log yet (503). */
  | 'receipts_pending'
  /** The own lane holds all that it may hold unfinished (D4) (503). */
  | 'lane_full'
  /** Too much waits at this node (503). */
  | 'overloaded'
  /** The node executes its log again after a restart (503). */
  | 'catching_up'
  /** The node is about to stop (503). */
  | 'draining';

export interface Refusal {
  readonly refused: true;
  readonly code: RefusalCode;
  readonly message: string;
  /** When a retry makes sense; absent when it never does. */
  readonly retryAfterMs?: number;
}

export function refusal(code: RefusalCode, message: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined
    ? { refused: true, code, message }
    : { refused: true, code, message, retryAfterMs };
}

export function isRefusal(outcome: object): outcome is Refusal {
  return 'refused' in outcome;
}
