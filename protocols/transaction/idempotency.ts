/**
 * What the state remembers of node submissions: one execution for each (principal, idempotency key),
 * at whatever nodes the caller retries (rule E3).
 *
 * I45. While a key is remembered, a submission with the same transactions is answered with the first
 *      one's receipts, and one with others is `idempotency_key_reused`.
 * I46. A caller's key is remembered for `validityMsMax` after its submission executed, and a submission
 *      under one is valid for half of that at most: whoever retries within the other half, with whatever
 *      `validUntil`, never has it executed twice. What is remembered ends after its minute, in its
 *      turn (I102).
 *
 * Records stand in pages of 16, in the order of their execution, one row of pages for each minute in
 * which they end: a page is a leaf of the state tree, and ends as a whole.
 */
import type { Crypto } from '../crypto.ts';
import type { Millis } from '../types.ts';
import type { ConsensusLimits } from '../genesis.ts';
import { Expiry, minuteOf } from './expiry.ts';
import { HashInput } from './hash-input.ts';
import { fromOrderedHex, orderedHex } from './key-order.ts';
import { LeafSet, type LeafItem } from './leaf-set.ts';
import { CONTENT_AT, KEY_AT, NODE_RECORD, Page, type Execution, type Place } from './places.ts';
import type { StateTree } from './state-tree.ts';
import type { Submission } from './submission-reader.ts';
import type { Value } from './values.ts';

const PAGE_RECORDS = 16;
export const KEYS_TABLE = '$keys';

interface KeyPage extends LeafItem {
  readonly minute: number;
  readonly number: number;
  readonly page: Page;
}

interface KeyRecord {
  readonly page: KeyPage;
  readonly at: number;
}

export type KeyStanding =
  | { readonly kind: 'new' }
  | { readonly kind: 'executed'; readonly place: Place }
  | { readonly kind: 'refused'; readonly code: 'idempotency_key_reused' };

const NEW: KeyStanding = { kind: 'new' };
const REUSED: KeyStanding = { kind: 'refused', code: 'idempotency_key_reused' };

/**
 * A key that begins so is a nonce: a node made it for a caller that gave no key. Nobody can retry under
 * it, so it is remembered only while its submission is valid.
 */
const NONCE_MARK = 0;

/** @param random 15 random bytes or more */
export function nonce(random: Uint8Array): Uint8Array {
  return Uint8Array.of(NONCE_MARK, ...random);
}

/** Whether this can be a caller's key, which is not empty. */
export function isCallersKey(key: Uint8Array): boolean {
  return key[0] !== NONCE_MARK;
}

/** How far ahead of block time the `validUntil` of a submission may lie, in milliseconds (E2, I46). */
export function validityMsMax(submission: Submission, limits: ConsensusLimits): number {
  return hasCallersKey(submission) ? Math.floor(limits.validityMsMax / 2) : limits.validityMsMax;
}

function hasCallersKey({ kind, idempotencyKey }: Submission): boolean {
  return kind === 'node' && isCallersKey(idempotencyKey);
}

export class IdempotencyKeys {
  readonly #crypto: Crypto;
  readonly #limits: ConsensusLimits;
  /** By the digest of principal and key. */
  readonly #records = new Map<string, KeyRecord>();
  /** The last page of each minute: it takes what comes next. */
  readonly #open = new Map<number, KeyPage>();
  readonly #expiry = new Expiry<KeyPage>();
  readonly #input = new HashInput();
  readonly #digest = new Uint8Array(32);
  readonly #pages = new LeafSet<KeyPage>(
    KEYS_TABLE,
    ({ minute, number }) => `${minute}/${number}`,
    ({ page }) => page.row(),
  );

  constructor(crypto: Crypto, limits: ConsensusLimits) {
    this.#crypto = crypto;
    this.#limits = limits;
  }

  get size(): number {
    return this.#records.size;
  }

  standing(submission: Submission): KeyStanding {
    this.#crypto.treeHash(this.#keyOf(submission), this.#digest, 0);
    const record = this.#records.get(latin1(this.#digest));
    if (record === undefined) return NEW;
    this.#crypto.treeHash(submission.content(), this.#digest, 0);
    const { page } = record.page;
    if (!page.sameAt(record.at, CONTENT_AT, this.#digest)) return REUSED;
    return { kind: 'executed', place: page.place(record.at) };
  }

  /** @param time of the block that executed it */
  executed(submission: Submission, execution: Execution, time: Millis): void {
    const keptUntil = hasCallersKey(submission)
      ? time + this.#limits.validityMsMax
      : submission.validUntil;
    const keyPage = this.#openPage(minuteOf(keptUntil));
    this.#pages.change(keyPage);
    const at = keyPage.page.count;
    const record = keyPage.page.insert(at, execution);
    this.#crypto.treeHash(this.#keyOf(submission), record, KEY_AT);
    this.#crypto.treeHash(submission.content(), record, CONTENT_AT);
    this.#records.set(nameAt(keyPage.page, at), { page: keyPage, at });
  }

  /** Forgets what ended before the minute of `time`, page by page up to a cost of `max`; the cost. */
  expire(time: Millis, max: number): number {
    let cost = 0;
    while (cost < max) {
      const keyPage = this.#expiry.next(time);
      if (keyPage === undefined) break;
      cost += 2; // as a client with one page
      const { page, minute } = keyPage;
      for (let at = 0; at < page.count; at++) this.#records.delete(nameAt(page, at));
      this.#expiry.remove(minute, keyPage);
      this.#pages.change(keyPage);
      page.clear();
      if (this.#open.get(minute) === keyPage) this.#open.delete(minute);
    }
    return cost;
  }

  /** Puts what changed since the last call into the tree. */
  flush(tree: StateTree): void {
    this.#pages.flush(tree, () => undefined);
  }

  /** What a snapshot is made of, and what makes it again by `load`. */
  get leafSet(): LeafSet<KeyPage> {
    return this.#pages;
  }

  /** A page of a snapshot; they come in the order of their keys. False when it cannot be one. */
  load(key: string, row: Value): boolean {
    const [minute, number, ...more] = key.split('/').map(fromOrderedHex);
    const page = Page.of(NODE_RECORD, row);
    if (minute === undefined || number === undefined || more.length > 0) return false;
    if (page === undefined) return false;
    const loaded = this.#create(minute, number, page);
    this.#pages.change(loaded);
    for (let at = 0; at < page.count; at++) {
      this.#records.set(nameAt(page, at), { page: loaded, at });
    }
    return true;
  }

  #keyOf({ principal, idempotencyKey }: Submission): Uint8Array {
    return this.#input.start().text(principal).raw(idempotencyKey).done();
  }

  #openPage(minute: number): KeyPage {
    const last = this.#open.get(minute);
    if (last !== undefined && last.page.count < PAGE_RECORDS) return last;
    return this.#create(minute, last === undefined ? 0 : last.number + 1, new Page(NODE_RECORD));
  }

  #create(minute: number, number: number, page: Page): KeyPage {
    const key = `${orderedHex(minute)}/${orderedHex(number)}`;
    const created: KeyPage = { minute, number, key, page, leaf: 0, changed: false };
    this.#pages.add(created);
    this.#open.set(minute, created);
    this.#expiry.add(minute, created);
    return created;
  }
}

/** Unambiguous: the key's bytes become one character each, and the principal's length stands first. */
export function keyName(submission: Submission): string {
  const { principal, idempotencyKey } = submission;
  return `${principal.length}:${principal}${latin1(idempotencyKey)}`;
}

/** The digest of principal and key, as one character a byte: a quarter of the memory of what they may be. */
function nameAt(page: Page, at: number): string {
  return latin1(page.fieldAt(at, KEY_AT));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
