/** The ledger outside as tests see it: started, killed, started again; and attesters between the two sides. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Client } from '../../src/client/client.ts';
import type { bridge } from '../../src/modules/bridge/bridge.ts';
import type { Books, Decision, Lock, Reservation } from './outside-ledger.ts';

const PROGRAM = fileURLToPath(new URL('./outside-ledger.js', import.meta.url));
export const asset = 'gold';

export class Outside {
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;
  #url = '';

  constructor(journal: string, attesters: readonly string[], required: number) {
    this.#args = [PROGRAM, journal, attesters.join(), String(required)];
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child = child;
    const port = await new Promise<string>((resolve) => child.stdout!.once('data', resolve));
    this.#url = `http://127.0.0.1:${String(port).trim()}/`;
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async books(): Promise<Books> {
    return (await (await fetch(this.#url)).json()) as Books;
  }

  lock = (entry: Lock): Promise<Books> => this.#post('lock', entry);
  reserve = (entry: Reservation): Promise<Books> => this.#post('reserve', entry);
  decide = (entry: Decision): Promise<Books> => this.#post('decide', entry);

  async #post(kind: string, entry: object): Promise<Books> {
    const body = JSON.stringify({ kind, entry });
    return (await (await fetch(this.#url, { method: 'POST', body })).json()) as Books;
  }
}

/** Errors of what was done before: an attester that begins again says everything again. */
const KNOWN = new Set(['already_attested', 'transfer_ended', 'too_late']);

/** Looks at both sides and says what it sees, all of it again each time. */
export class Attester {
  readonly client: Client;
  readonly outside: Outside;

  constructor(client: Client, outside: Outside) {
    this.client = client;
    this.outside = outside;
  }

  async tick(): Promise<void> {
    const { transfers } = (await this.#bridge.ask.transfers({})).result;
    for (const each of transfers) {
      const { transfer, direction, to, amount, deadline, status } = each;
      if (direction === 'in' || status !== 'open') continue;
      const reservation = { transfer, to, amount: Number(amount) };
      const { reservations } = await this.outside.reserve(reservation);
      if (reservations[transfer]?.amount !== reservation.amount) continue;
      const said = { transfer, asset, to, amount: reservation.amount, deadline };
      await ignoring(this.#bridge.send.attestOut(said));
    }
    for (const lock of Object.values((await this.outside.books()).locks)) {
      const { id: outsideId, to, amount, deadline } = lock;
      await ignoring(this.#bridge.send.attestIn({ outsideId, asset, to, amount, deadline }));
    }
    await this.report();
  }

  /** Tells the outside what is decided inside. */
  async report(): Promise<void> {
    const { transfers, time } = (await this.#bridge.ask.transfers({})).result;
    for (const { transfer, direction, status } of transfers) {
      if (direction === 'out' && status !== 'open') await this.#decide(transfer, status);
    }
    for (const { id, to, amount, deadline } of Object.values((await this.outside.books()).locks)) {
      const isReleased = transfers.some(
        (each) =>
          each.outsideId === id &&
          each.status === 'released' &&
          each.to === to &&
          each.amount === String(amount) &&
          each.deadline === deadline,
      );
      if (isReleased) await this.#decide(id, 'released');
      // What is not released by then never will be, whether anybody spoke of it or not.
      else if (time >= deadline) await this.#decide(id, 'refunded');
    }
  }

  #decide(about: string, status: Decision['status']): Promise<Books> {
    return this.outside.decide({ about, attester: this.client.sender, status });
  }

  get #bridge() {
    return this.client.module<typeof bridge>('bridge');
  }
}

async function ignoring(sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    if (!KNOWN.has((error as { code?: string }).code ?? '')) throw error;
  }
}
