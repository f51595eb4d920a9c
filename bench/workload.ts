/**
 * The measured work: transfers of 128 bytes between accounts of the sender, by clients with keys of
 * their own, encoded and signed before any clock starts.
 */
import { randomBytes } from 'node:crypto';
import type { Signer } from '../protocols/crypto.ts';
import { encodeSubmission, signSubmission, type Call } from '../protocols/transaction/submission.ts';
import type { Digest } from '../protocols/types.ts';
import { generateKey } from '../src/crypto/keys.ts';
import { signerFromPem } from '../src/crypto/signer.ts';

/** Bytes of one transfer in a submission: what the throughput figures are about. */
export const TRANSFER_BYTES = 128;
const VALID_MS = 60 * 60 * 1000;
const OPENING_BALANCE = 1_000_000_000;

export interface Client {
  readonly signer: Signer;
  readonly accounts: readonly string[];
  nextSeq: number;
}

export interface Workload {
  readonly clusterId: Digest;
  readonly clients: readonly Client[];
}

/** A run's accounts have names of their own, so that one cluster can be measured many times. */
export function newWorkload(clusterId: Digest, clients: number, accounts: number): Workload {
  const run = randomBytes(4).toString('hex');
  const each = Math.ceil(accounts / clients);
  return {
    clusterId,
    clients: Array.from({ length: clients }, (_, client) => ({
      signer: signerFromPem(generateKey().pem),
      accounts: Array.from({ length: each }, (__, at) => accountName(run, client * each + at)),
      nextSeq: 0,
    })),
  };
}

function accountName(run: string, index: number): string {
  return `bench-${run}-${String(index).padStart(6, '0')}`;
}

function sign(workload: Workload, client: Client, transactions: readonly Call[]): Uint8Array {
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

/** `count` signed submissions of `perSubmission` transfers each, clients in turn. */
export function transfers(workload: Workload, count: number, perSubmission: number): Uint8Array[] {
  const memo = memoOf(workload);
  return Array.from({ length: count }, (_, at) => {
    const client = workload.clients[at % workload.clients.length]!;
    const calls = Array.from({ length: perSubmission }, (__, index) =>
      transfer(client, at * perSubmission + index, memo),
    );
    return sign(workload, client, calls);
  });
}

function transfer({ accounts }: Client, index: number, memo: string): Call {
  const from = (index * 7919) % accounts.length;
  const to = (from + 1 + ((index * 104_729) % (accounts.length - 1))) % accounts.length;
  const args = { from: accounts[from]!, to: accounts[to]!, amount: 1 + (index % 100), memo };
  return { module: 'ledger', command: 'transfer', args };
}

/** The memo that fills a transfer up to TRANSFER_BYTES. */
function memoOf(workload: Workload): string {
  const [client] = workload.clients;
  if (client === undefined) throw new Error('a workload needs at least one client');
  const bytesWith = (count: number): number =>
    encodeSubmission({
      kind: 'client',
      clusterId: workload.clusterId,
      key: client.signer.publicKey,
      seq: 0,
      validUntil: 0,
      transactions: Array.from({ length: count }, () => transfer(client, 0, '')),
    }).length;
  const bare = bytesWith(2) - bytesWith(1);
  if (bare > TRANSFER_BYTES) throw new Error(`a transfer without memo takes ${bare} bytes already`);
  return 'x'.repeat(TRANSFER_BYTES - bare);
}
