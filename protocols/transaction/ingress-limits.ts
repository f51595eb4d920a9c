/** What one node holds of submissions that are not executed yet. Beyond it clients are told to wait. */
import type { ConsensusLimits } from '../genesis.ts';

/** Requests that wait for their submission's execution, and requests that wait for the log. */
export const WAITING_REQUESTS_MAX = 65_536;
/** Requests that may wait for one submission. */
export const REQUESTS_PER_SUBMISSION_MAX = 64;
/** Own batches on their way below which the next one is sealed at once, however small. */
export const SMALL_BATCHES_MAX = 2;
/** The newest receipts, kept in memory for those who retry soon; older ones are in the log. */
export const RECENT_RECEIPTS_MAX = 8_192;
export const RECENT_RECEIPTS_BYTES_MAX = 16 * 1024 * 1024;

export const RETRY_FULL_MS = 100;
export const RETRY_OVERLOADED_MS = 200;
export const RETRY_PROGRESS_MS = 100;
export const RETRY_CATCHING_UP_MS = 500;
export const RETRY_DRAINING_MS = 1000;

/** Bytes that may wait for room in the own lane. */
export function pendingBytesMax(limits: ConsensusLimits): number {
  return Math.max(4 * limits.batchBytesMax, limits.submissionBytesMax);
}
