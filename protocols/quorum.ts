/**
 * Quorum arithmetic (rule M1).
 *
 * I1. Any two quorums of one set share at least f + 1 validators, so at least one honest one.
 * I2. A quorum can be formed by the honest validators alone: q ≤ n − f.
 */

/** The most Byzantine validators that a set of `n` tolerates. */
export function faultyMax(n: number): number {
  return Math.floor((n - 1) / 3);
}

/** Votes that make a certificate: ceil((n + f + 1) / 2). */
export function quorumOf(n: number): number {
  return Math.ceil((n + faultyMax(n) + 1) / 2);
}

/** Timeouts that make a validator join (rule T2): too many for a quorum to form without it. */
export function joinOf(n: number): number {
  return n - quorumOf(n) + 1;
}
