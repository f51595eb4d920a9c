/**
 * The measured work: transfers of 128 bytes between accounts of the sender, by clients with keys of
 * their own, encoded and signed before any clock starts.
 */
import { randomBytes } from 'node:crypto';
import type { Signer } from '../protocols/crypto.ts';
import {
  encodeSubmission,
  signSubmission,
  type Call,
} from '../protocols/transaction/submission.ts';
import type { Digest } from '../protocols/types.ts';
import { generateKey } from '../src/crypto/keys.ts';
import { signerFromPem } from '../src/crypto/signer.ts';
import { idOf, mixedCalls } from './mixed.ts';

/** Bytes of one transfer in a submission: what the throughput figures are about. */
export const TRANSFER_BYTES = 128;
export const OPENING_BALANCE = 1_000_000_000;
const VALID_MS = 60 * 60 * 1000;

/** All that a workload follows from: plain data, so that another thread can sign for the same clients. */
export interface WorkloadSeed {
  readonly clusterId: Digest;
  /** Part of every account's name, so that one cluster can be measured many times. */
  readonly run: string;
  /** Private keys of the clients, as PEM. */
  readonly keys: readonly string[];
  readonly accountsPerClient: number;
}

export interface Client {
  readonly signer: Signer;
  readonly accounts: readonly string[];
  nextSeq: number;
}

export interface Workload {
  readonly clusterId: Digest;
  /** As in its seed. */
  readonly run: string;
  readonly clients: readonly Client[];
  /** Fills a transfer up to TRANSFER_BYTES. */
  readonly memo: string;
}

export interface Transfer {
  /** Kept under it. */
  readonly id?: string;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

export function newSeed(clusterId: Digest, clients: number, accounts: number): WorkloadSeed {
  return {
    clusterId,
    run: randomBytes(4).toString('hex'),
    keys: Array.from({ length: clients }, () => generateKey().pem),
    accountsPerClient: Math.max(2, Math.ceil(accounts / clients)),
  };
}

/**
 * Sequence numbers start at the clock in microseconds: whoever signs later for the same clients, in
 * whatever thread, uses higher ones.
 */
export function workloadOf({ clusterId, run, keys, accountsPerClient }: WorkloadSeed): Workload {
  const clients = keys.map((pem, client): Client => ({
    signer: signerFromPem(pem),
    accounts: Array.from({ length: accountsPerClient }, (_, at) =>
      accountName(run, client * accountsPerClient + at),
    ),
    nextSeq: Date.now() * 1000,
  }));
  return { clusterId, run, clients, memo: memoFor(clusterId, clients[0]) };
}

function accountName(run: string, index: number): string {
  return `bench-${run}-${String(index).padStart(6, '0')}`;
}

export function sign(
  workload: Workload,
  client: Client,
  transactions: readonly Call[],
): Uint8Array {
  const content = {
    kind: 'client' as const,
    clusterId: workload.clusterId,
    key: client.signer.publicKey,
    seq: client.nextSeq++,
    validUntil: Date.now() + VALID_MS,
    transactions,
  };
  return signSubmission(content, client.signer);
}

/** Opens every account; signed by its owner. */
export function openings(workload: Workload, perSubmission: number): Uint8Array[] {
  return workload.clients.flatMap((client) => {
    const calls = client.accounts.map((account) => ({
      module: 'ledger',
      command: 'open',
      args: { account },
    }));
    return chunks(calls, perSubmission).map((part) => sign(workload, client, part));
  });
}

/** Gives every account its opening balance; signed by an issuer of the genesis document. */
export function fundings(workload: Workload, issuer: Signer, perSubmission: number): Uint8Array[] {
  const bank: Client = { signer: issuer, accounts: [], nextSeq: Date.now() * 1000 };
  const calls = workload.clients.flatMap(({ accounts }) =>
    accounts.map((account) => ({
      module: 'ledger',
      command: 'issue',
      args: { account, amount: OPENING_BALANCE },
    })),
  );
  return chunks(calls, perSubmission).map((part) => sign(workload, bank, part));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += size) out.push(items.slice(at, at + size));
  return out;
}

export const MIXES = ['plain', 'kept', 'mixed'] as const;
/**
 * Plain transfers, of which there are only receipts; plain transfers with an id each, which the ledger
 * keeps as rows; or what mixed.ts says.
 */
export type Mix = (typeof MIXES)[number];

interface Wanted {
  readonly first: number;
  readonly count: number;
  readonly perSubmission: number;
  readonly mix?: Mix;
}

/**
 * Signed submissions number `first` to `first + count − 1`, of `perSubmission` transfers each,
 * clients in turn.
 */
export function transfers(
  workload: Workload,
  { first, count, perSubmission, mix = 'plain' }: Wanted,
): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => {
    const client = workload.clients[(first + at) % workload.clients.length]!;
    return sign(workload, client, CALLS[mix](workload, first + at, perSubmission));
  });
}

function plainCalls(workload: Workload, at: number, perSubmission: number): Call[] {
  return transfersOf(workload, at, perSubmission).map((transfer) =>
    callOf(transfer, workload.memo),
  );
}

function keptCalls(workload: Workload, at: number, perSubmission: number): Call[] {
  const { run, memo } = workload;
  return transfersOf(workload, at, perSubmission).map((transfer, slot) =>
    callOf({ ...transfer, id: idOf(run, at * perSubmission + slot) }, memo),
  );
}

/** The calls of submission number `at`. */
const CALLS: Record<Mix, (workload: Workload, at: number, perSubmission: number) => Call[]> = {
  plain: plainCalls,
  kept: keptCalls,
  mixed: mixedCalls,
};

/** What submission number `at` transfers. */
export function transfersOf({ clients }: Workload, at: number, perSubmission: number): Transfer[] {
  const client = clients[at % clients.length]!;
  return Array.from({ length: perSubmission }, (_, index) =>
    transferOf(client, at * perSubmission + index),
  );
}

export function transferOf({ accounts }: Client, index: number): Transfer {
  const from = (index * 7919) % accounts.length;
  const to = (from + 1 + ((index * 104_729) % (accounts.length - 1))) % accounts.length;
  return { from: accounts[from]!, to: accounts[to]!, amount: 1 + (index % 100) };
}

function callOf(transfer: Transfer, memo: string): Call {
  return { module: 'ledger', command: 'transfer', args: { ...transfer, memo } };
}

/** Long enough that its length is written like that of the memo itself. */
const SAMPLE_MEMO = 'x'.repeat(32);

function memoFor(clusterId: Digest, client: Client | undefined): string {
  if (client === undefined) throw new Error('a workload needs at least one client');
  const bytesWith = (count: number): number =>
    encodeSubmission({
      kind: 'client',
      clusterId,
      key: client.signer.publicKey,
      seq: 0,
      validUntil: 0,
      transactions: Array.from({ length: count }, () => callOf(transferOf(client, 0), SAMPLE_MEMO)),
    }).length;
  const missing = TRANSFER_BYTES - (bytesWith(2) - bytesWith(1));
  if (missing < 0) throw new Error(`a transfer takes ${TRANSFER_BYTES - missing} bytes already`);
  return SAMPLE_MEMO + 'x'.repeat(missing);
}
