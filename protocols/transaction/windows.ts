/**
 * What the state remembers of each client key, so that a submission executes once, however often and
 * through whichever lanes it comes (rule E2).
 *
 * I42. While a client's seq is remembered, only the submission that executed under it is answered
 *      with its receipts; any other one under that seq is `seq_reused`.
 * I43. Refusals are monotone: a submission that was refused with `seq_reused` or `seq_too_old`, here or
 *      in the chain, is never executed later. A seq is forgotten only together with all below it
 *      (`floor`), and a client only when everything ever refused or executed for it has expired.
 * I44. What is remembered is bounded: 1024 seqs for each client, each until its `validUntil` and its
 *      turn to be forgotten (I102).
 *
 * Seqs are kept in pages of 16; a page is one leaf of the state tree, and so is each client's head
 * (highest seq, floor, keepUntil).
 */
import type { Millis, PublicKey } from '../types.ts';
import { Expiry, minuteOf } from './expiry.ts';
import { CLIENT_RECORD, Page, type Execution, type Place } from './places.ts';
import type { StateTree } from './state-tree.ts';

export const WINDOW = 1024;
const PAGE_SEQS = 16;
export const CLIENTS_TABLE = '$clients';
export const WINDOWS_TABLE = '$windows';

interface SeqPage {
  /** Seqs from `number · 16` on, ascending. */
  readonly number: number;
  readonly page: Page;
  leaf: number;
  changed: boolean;
}

interface Client {
  readonly key: PublicKey;
  /** Highest seq executed. */
  top: number;
  /** Seqs up to this one are not executed any more. */
  floor: number;
  /** Highest `validUntil` of what was executed or refused: forgotten when that has passed. */
  keepUntil: Millis;
  readonly pages: Map<number, SeqPage>;
  leaf: number;
  changed: boolean;
}

/** What the window says of a submission. `place` is where the same one was executed. */
export type Standing =
  | { readonly kind: 'new' }
  | { readonly kind: 'executed'; readonly place: Place }
  | { readonly kind: 'refused'; readonly code: 'seq_reused' | 'seq_too_old' };

export const NEW: Standing = { kind: 'new' };
const REUSED: Standing = { kind: 'refused', code: 'seq_reused' };
const TOO_OLD: Standing = { kind: 'refused', code: 'seq_too_old' };

export class ClientWindows {
  readonly #clients = new Map<PublicKey, Client>();
  readonly #expiry = new Expiry<Client>();
  #changedClients: Client[] = [];
  #changedPages: { readonly client: Client; readonly page: SeqPage }[] = [];

  get size(): number {
    return this.#clients.size;
  }

  standing(key: PublicKey, seq: number, id: Uint8Array): Standing {
    const client = this.#clients.get(key);
    if (client === undefined) return NEW;
    const seqPage = client.pages.get(pageOf(seq));
    const at = seqPage === undefined ? -1 : find(seqPage.page, seq);
    if (seqPage !== undefined && at >= 0) {
      const { page } = seqPage;
      return page.hasId(at, id) ? { kind: 'executed', place: page.place(at) } : REUSED;
    }
    return seq <= client.floor ? TOO_OLD : NEW;
  }

  /**
   * Whether a refusal given now stays true for ever without being put into the chain: the client is
   * remembered until nothing valid until `validUntil` can execute (I43).
   */
  isSettled(key: PublicKey, validUntil: Millis): boolean {
    const client = this.#clients.get(key);
    return client !== undefined && validUntil <= client.keepUntil;
  }

  /** A submission of this client was refused in the chain: remember the client long enough (I43). */
  refused(key: PublicKey, validUntil: Millis): void {
    const client = this.#clients.get(key);
    if (client !== undefined) this.#keep(client, validUntil);
  }

  executed(key: PublicKey, execution: Execution): void {
    const client = this.#clients.get(key) ?? this.#create(key);
    const seqPage = client.pages.get(pageOf(execution.seq)) ?? createPage(client, execution.seq);
    seqPage.page.insert(position(seqPage.page, execution.seq), execution);
    this.#changePage(client, seqPage);
    this.#keep(client, execution.validUntil);
    if (execution.seq > client.top) this.#advance(client, execution.seq);
    this.#change(client);
  }

  /** Forgets what ended before the minute of `time`, client by client up to a cost of `max`; the cost. */
  expire(time: Millis, max: number): number {
    const minute = minuteOf(time);
    let cost = 0;
    while (cost < max) {
      const client = this.#expiry.next(time);
      if (client === undefined) break;
      cost += 1 + client.pages.size;
      if (this.#clients.get(client.key) !== client) continue;
      for (const seqPage of client.pages.values()) this.#expirePage(client, seqPage, minute);
      if (minuteOf(client.keepUntil) < minute) this.#forget(client);
    }
    return cost;
  }

  /** Puts what changed since the last call into the tree. */
  flush(tree: StateTree): void {
    for (const { client, page } of this.#changedPages) {
      page.changed = false;
      if (page.page.count === 0) {
        page.leaf = removeLeaf(tree, page.leaf);
        client.pages.delete(page.number);
      } else {
        page.leaf ||= tree.create(WINDOWS_TABLE, `${client.key}/${page.number}`);
        tree.row().value(page.page.bytes());
        tree.put(page.leaf);
      }
    }
    for (const client of this.#changedClients) {
      client.changed = false;
      if (isBlank(client)) {
        client.leaf = removeLeaf(tree, client.leaf);
        this.#clients.delete(client.key);
      } else {
        client.leaf ||= tree.create(CLIENTS_TABLE, client.key);
        tree.row().value([client.top, client.floor, client.keepUntil]);
        tree.put(client.leaf);
      }
    }
    this.#changedPages = [];
    this.#changedClients = [];
  }

  #create(key: PublicKey): Client {
    const client: Client = {
      key,
      top: -1,
      floor: -1,
      keepUntil: 0,
      pages: new Map(),
      leaf: 0,
      changed: false,
    };
    this.#clients.set(key, client);
    return client;
  }

  #keep(client: Client, validUntil: Millis): void {
    this.#expiry.add(minuteOf(validUntil), client);
    if (validUntil <= client.keepUntil) return;
    client.keepUntil = validUntil;
    this.#change(client);
  }

  /** The window moves up: seqs below it are refused, and whole pages below it are dropped. */
  #advance(client: Client, top: number): void {
    const before = client.top;
    client.top = top;
    client.floor = Math.max(client.floor, top - WINDOW);
    if (pageOf(top) === pageOf(before)) return;
    // Only pages of the window as it was: dropped ones stay until `flush`, however many there are.
    const last = Math.min(pageOf(client.floor + 1) - 1, pageOf(before));
    for (let number = pageOf(Math.max(0, before - WINDOW)); number <= last; number++) {
      const seqPage = client.pages.get(number);
      if (seqPage === undefined) continue;
      seqPage.page.clear();
      this.#changePage(client, seqPage);
    }
  }

  #expirePage(client: Client, seqPage: SeqPage, minute: number): void {
    const { page } = seqPage;
    for (let at = page.count - 1; at >= 0; at--) {
      if (minuteOf(page.validUntil(at)) >= minute) continue;
      client.floor = Math.max(client.floor, page.seq(at));
      page.remove(at);
      this.#changePage(client, seqPage);
      this.#change(client);
    }
  }

  /** Back to how it began. It leaves the map with its leaf, in `flush`: the path may be needed again. */
  #forget(client: Client): void {
    client.top = -1;
    client.floor = -1;
    client.keepUntil = 0;
    this.#change(client);
  }

  #change(client: Client): void {
    if (client.changed) return;
    client.changed = true;
    this.#changedClients.push(client);
  }

  #changePage(client: Client, page: SeqPage): void {
    if (page.changed) return;
    page.changed = true;
    this.#changedPages.push({ client, page });
  }
}

function isBlank(client: Client): boolean {
  return client.top === -1;
}

export function removeLeaf(tree: StateTree, leaf: number): 0 {
  if (leaf !== 0) tree.remove(leaf);
  return 0;
}

function pageOf(seq: number): number {
  return Math.floor(seq / PAGE_SEQS);
}

function createPage(client: Client, seq: number): SeqPage {
  const number = pageOf(seq);
  const page = { number, page: new Page(CLIENT_RECORD), leaf: 0, changed: false };
  client.pages.set(number, page);
  return page;
}

/** Where `seq` stands, or is to stand, in the page. */
function position(page: Page, seq: number): number {
  let at = page.count;
  while (at > 0 && page.seq(at - 1) >= seq) at--;
  return at;
}

function find(page: Page, seq: number): number {
  const at = position(page, seq);
  return at < page.count && page.seq(at) === seq ? at : -1;
}
