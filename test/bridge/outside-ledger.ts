/**
 * The ledger on the other side, a process of its own: accounts, what they have locked for the other side,
 * and what is reserved for payments from there. It believes what enough attesters say was decided there,
 * and pays or gives back only then. Its journal is on disk before anything is answered, so that it may be
 * killed at any time. `node outside-ledger.js JOURNAL ATTESTERS REQUIRED`; prints its port.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';

export interface Lock {
  readonly id: string;
  readonly from: string;
  /** Account on the other side. */
  readonly to: string;
  readonly amount: number;
  /** In the other side's block time. */
  readonly deadline: number;
}

export interface Reservation {
  readonly transfer: string;
  readonly to: string;
  readonly amount: number;
}

export interface Decision {
  /** `<id>` of a lock, or of a transfer of the other side. */
  readonly about: string;
  readonly attester: string;
  readonly status: 'released' | 'refunded';
}

type Entry =
  | { readonly kind: 'lock'; readonly entry: Lock }
  | { readonly kind: 'reserve'; readonly entry: Reservation }
  | { readonly kind: 'decide'; readonly entry: Decision };

export interface Books {
  readonly balances: Record<string, number>;
  readonly locks: Record<string, Lock>;
  readonly reservations: Record<string, Reservation>;
  /** What was decided, by what it is about. */
  readonly decided: Record<string, Decision['status']>;
}

const [journal = '', names = '', required = ''] = process.argv.slice(2);
const attesters = new Set(names.split(','));
const books: Books = {
  balances: { vault: 1000, carol: 300 },
  locks: {},
  reservations: {},
  decided: {},
};
const said = new Map<string, Set<string>>();

/** False when it does not fit, or was made already. */
function apply({ kind, entry }: Entry): boolean {
  if (kind === 'lock') return lock(entry);
  return kind === 'reserve' ? reserve(entry) : decide(entry);
}

function pay(account: string, amount: number): void {
  books.balances[account] = (books.balances[account] ?? 0) + amount;
}

function lock(entry: Lock): boolean {
  if (books.locks[entry.id] !== undefined) return false;
  if ((books.balances[entry.from] ?? 0) < entry.amount) return false;
  pay(entry.from, -entry.amount);
  books.locks[entry.id] = entry;
  return true;
}

function reserve(entry: Reservation): boolean {
  if (books.reservations[entry.transfer] !== undefined) return false;
  if (books.balances['vault']! < entry.amount) return false;
  pay('vault', -entry.amount);
  books.reservations[entry.transfer] = entry;
  return true;
}

function decide({ about, attester, status }: Decision): boolean {
  const key = `${about} ${status}`;
  const voices = said.get(key) ?? new Set();
  if (!attesters.has(attester) || voices.has(attester)) return false;
  said.set(key, voices.add(attester));
  if (voices.size < Number(required) || books.decided[about] !== undefined) return true;
  books.decided[about] = status;
  const locked = books.locks[about];
  const reserved = books.reservations[about];
  if (locked !== undefined) pay(status === 'released' ? 'vault' : locked.from, locked.amount);
  if (reserved !== undefined) pay(status === 'released' ? reserved.to : 'vault', reserved.amount);
  return true;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

if (existsSync(journal)) {
  const lines = readFileSync(journal, 'utf8').split('\n').filter(Boolean);
  for (const line of lines) apply(JSON.parse(line) as Entry);
}

const server = createServer((request, response) => {
  void bodyOf(request).then((body) => {
    if (request.method === 'POST') {
      const entry = JSON.parse(body) as Entry;
      if (apply(entry)) appendFileSync(journal, `${JSON.stringify(entry)}\n`, { flush: true });
    }
    response.end(JSON.stringify(books));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`);
});
process.on('disconnect', () => process.exit(0));
