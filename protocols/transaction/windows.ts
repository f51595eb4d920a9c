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
import { isHex } from '../bytes.ts';
import { fromOrderedHex, orderedHex } from './key-order.ts';
import { LeafSet, type LeafItem } from './leaf-set.ts';
import { CLIENT_RECORD, Page, type Execution, type Place } from './places.ts';
import type { StateTree } from './state-tree.ts';
import type { Value } from './values.ts';

export const WINDOW = 1024;
const PAGE_SEQS = 16;
/** Characters of a client's key. */
const KEY_HEX = 64;
export const CLIENTS_TABLE = '$clients';
export const WINDOWS_TABLE = '$windows';

interface SeqPage extends LeafItem {
  readonly client: Client;
  /** Seqs from `number · 16` on, ascending. */
  readonly number: number;
  readonly page: Page;
  /** When the first of its seqs ends; Infinity for none. */
  endsAt: Millis;
}

interface Client extends LeafItem {
  readonly key: PublicKey;
  /** Highest seq executed. */
  top: number;
  /** Seqs up to this one are not executed any more. */
  floor: number;
  /** Highest `validUntil` of what was executed or refused: forgotten when that has passed. */
  keepUntil: Millis;
  /** The minute in which the first of all that ends; Infinity when nothing is remembered. */
  due: number;
  readonly pages: Map<number, SeqPage>;
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
  readonly #heads = new LeafSet<Client>(CLIENTS_TABLE, ({ key }) => key, headRow);
  readonly #pages = new LeafSet<SeqPage>(
    WINDOWS_TABLE,
    ({ client, number }) => `${client.key}/${number}`,
    ({ page }) => page.row(),
  );

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
    const number = pageOf(execution.seq);
    const seqPage = client.pages.get(number) ?? this.#createPage(client, number);
    this.#pages.change(seqPage);
    seqPage.page.insert(position(seqPage.page, execution.seq), execution);
    seqPage.endsAt = Math.min(seqPage.endsAt, execution.validUntil);
    this.#heads.change(client);
    this.#keep(client, execution.validUntil);
    const isDropped = execution.seq > client.top && this.#advance(client, execution.seq);
    if (isDropped || minuteOf(execution.validUntil) < client.due) this.#schedule(client);
  }

  /** Forgets what ended before the minute of `time`, client by client up to a cost of `max`; the cost. */
  expire(time: Millis, max: number): number {
    const minute = minuteOf(time);
    let cost = 0;
    while (cost < max) {
      const client = this.#expiry.next(time);
      if (client === undefined) break;
      cost += 1 + client.pages.size;
      for (const seqPage of client.pages.values()) this.#expirePage(client, seqPage, minute);
      if (minuteOf(client.keepUntil) < minute) this.#forget(client);
      this.#schedule(client);
    }
    return cost;
  }

  /** Puts what changed since the last call into the tree. */
  flush(tree: StateTree): void {
    this.#pages.flush(tree, ({ client, number }) => void client.pages.delete(number));
    this.#heads.flush(tree, ({ key }) => void this.#clients.delete(key));
  }

  /** What a snapshot is made of, and what makes it again by `load`: clients, then their pages. */
  get leafSets(): readonly [LeafSet<Client>, LeafSet<SeqPage>] {
    return [this.#heads, this.#pages];
  }

  /** A client of a snapshot. False when it cannot be one. */
  loadClient(key: string, row: Value): boolean {
    if (!isHex(key, 32) || !isHead(row)) return false;
    const client = this.#create(key as PublicKey);
    this.#heads.change(client);
    [client.top, client.floor, client.keepUntil] = row;
    return client.top >= 0;
  }

  /** A page of a client that is loaded. False when it cannot be one. */
  loadPage(key: string, row: Value): boolean {
    const client = this.#clients.get(key.slice(0, KEY_HEX) as PublicKey);
    const number = fromOrderedHex(key.slice(KEY_HEX + 1));
    const page = Page.of(CLIENT_RECORD, row);
    if (client === undefined || number === undefined || page === undefined) return false;
    const loaded = this.#createPage(client, number, page);
    this.#pages.change(loaded);
    for (let at = 0; at < page.count; at++) {
      loaded.endsAt = Math.min(loaded.endsAt, page.validUntil(at));
    }
    return loaded.key === key;
  }

  /** All clients and pages are loaded. */
  endLoading(): void {
    for (const client of this.#clients.values()) this.#schedule(client);
  }

  #create(key: PublicKey): Client {
    const client: Client = {
      key,
      top: -1,
      floor: -1,
      keepUntil: 0,
      due: Infinity,
      pages: new Map(),
      leaf: 0,
      changed: false,
    };
    this.#clients.set(key, client);
    this.#heads.add(client);
    return client;
  }

  #createPage(client: Client, number: number, page = new Page(CLIENT_RECORD)): SeqPage {
    const key = `${client.key}/${orderedHex(number)}`;
    const seqPage = { client, number, key, page, endsAt: Infinity, leaf: 0, changed: false };
    client.pages.set(number, seqPage);
    this.#pages.add(seqPage);
    return seqPage;
  }

  #keep(client: Client, validUntil: Millis): void {
    const { keepUntil } = client;
    if (validUntil <= keepUntil) return;
    this.#heads.change(client);
    client.keepUntil = validUntil;
    const minute = minuteOf(keepUntil);
    if (client.due === minute && minuteOf(validUntil) !== minute) this.#schedule(client);
  }

  /** Puts the client where the first of it ends now. */
  #schedule(client: Client): void {
    const due = dueOf(client);
    if (due === client.due) return;
    if (client.due !== Infinity) this.#expiry.remove(client.due, client);
    client.due = due;
    if (due !== Infinity) this.#expiry.add(due, client);
  }

  /**
   * The window moves up: seqs below it are refused, and whole pages below it are dropped. Whether there
   * were any.
   */
  #advance(client: Client, top: number): boolean {
    const before = client.top;
    client.top = top;
    client.floor = Math.max(client.floor, top - WINDOW);
    if (pageOf(top) === pageOf(before)) return false;
    let isDropped = false;
    // Only pages of the window as it was: dropped ones stay until `flush`, however many there are.
    const last = Math.min(pageOf(client.floor + 1) - 1, pageOf(before));
    for (let number = pageOf(Math.max(0, before - WINDOW)); number <= last; number++) {
      const seqPage = client.pages.get(number);
      if (seqPage === undefined) continue;
      this.#pages.change(seqPage);
      seqPage.page.clear();
      seqPage.endsAt = Infinity;
      isDropped = true;
    }
    return isDropped;
  }

  #expirePage(client: Client, seqPage: SeqPage, minute: number): void {
    const { page } = seqPage;
    if (minuteOf(seqPage.endsAt) >= minute) return;
    this.#pages.change(seqPage);
    this.#heads.change(client);
    seqPage.endsAt = Infinity;
    for (let at = page.count - 1; at >= 0; at--) {
      const validUntil = page.validUntil(at);
      if (minuteOf(validUntil) >= minute) {
        seqPage.endsAt = Math.min(seqPage.endsAt, validUntil);
        continue;
      }
      client.floor = Math.max(client.floor, page.seq(at));
      page.remove(at);
    }
  }

  /** Back to how it began. It leaves the map with its leaf, in `flush`: the path may be needed again. */
  #forget(client: Client): void {
    this.#heads.change(client);
    client.top = -1;
    client.floor = -1;
    client.keepUntil = 0;
  }
}

/** What the window has dropped lies below its pages: there may be more of that than of them. */
function dueOf({ top, keepUntil, pages }: Client): number {
  if (top === -1) return Infinity;
  let endsAt = keepUntil;
  for (let number = pageOf(Math.max(0, top - WINDOW)); number <= pageOf(top); number++) {
    endsAt = Math.min(endsAt, pages.get(number)?.endsAt ?? Infinity);
  }
  return minuteOf(endsAt);
}

function isHead(row: Value): row is [number, number, number] {
  return Array.isArray(row) && row.length === 3 && row.every(Number.isSafeInteger);
}

/** Nothing of one that is blank. */
function headRow({ top, floor, keepUntil }: Client): Value | undefined {
  return top === -1 ? undefined : [top, floor, keepUntil];
}

function pageOf(seq: number): number {
  return Math.floor(seq / PAGE_SEQS);
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
