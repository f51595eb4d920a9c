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
import { CONTENT_AT, KEY_AT, NODE_RECORD, Page, type Execution, type Place } from './places.ts';
import type { StateTree } from './state-tree.ts';
import type { Submission } from './submission-reader.ts';
import { removeLeaf } from './windows.ts';

const PAGE_RECORDS = 16;
export const KEYS_TABLE = '$keys';

interface KeyPage {
  readonly minute: number;
  readonly number: number;
  readonly page: Page;
  /** The names under which the page's records are found. */
  readonly names: string[];
  leaf: number;
  changed: boolean;
  ended: boolean;
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
  readonly #records = new Map<string, KeyRecord>();
  /** The last page of each minute: it takes what comes next. */
  readonly #open = new Map<number, KeyPage>();
  readonly #expiry = new Expiry<KeyPage>();
  readonly #input = new HashInput();
  readonly #content = new Uint8Array(32);
  #changed: KeyPage[] = [];

  constructor(crypto: Crypto, limits: ConsensusLimits) {
    this.#crypto = crypto;
    this.#limits = limits;
  }

  get size(): number {
    return this.#records.size;
  }

  standing(submission: Submission): KeyStanding {
    const record = this.#records.get(keyName(submission));
    if (record === undefined) return NEW;
    this.#crypto.treeHash(submission.content(), this.#content, 0);
    const { page } = record.page;
    if (!page.sameAt(record.at, CONTENT_AT, this.#content)) return REUSED;
    return { kind: 'executed', place: page.place(record.at) };
  }

  /** @param time of the block that executed it */
  executed(submission: Submission, execution: Execution, time: Millis): void {
    const keptUntil = hasCallersKey(submission)
      ? time + this.#limits.validityMsMax
      : submission.validUntil;
    const keyPage = this.#openPage(minuteOf(keptUntil));
    const at = keyPage.page.count;
    const record = keyPage.page.insert(at, execution);
    const { principal, idempotencyKey } = submission;
    const key = this.#input.start().text(principal).raw(idempotencyKey).done();
    this.#crypto.treeHash(key, record, KEY_AT);
    this.#crypto.treeHash(submission.content(), record, CONTENT_AT);
    const name = keyName(submission);
    keyPage.names.push(name);
    this.#records.set(name, { page: keyPage, at });
    this.#change(keyPage);
  }

  /** Forgets what ended before the minute of `time`, page by page up to a cost of `max`; the cost. */
  expire(time: Millis, max: number): number {
    let cost = 0;
    while (cost < max) {
      const keyPage = this.#expiry.next(time);
      if (keyPage === undefined) break;
      cost += 2; // as a client with one page
      for (const name of keyPage.names) this.#records.delete(name);
      keyPage.ended = true;
      this.#change(keyPage);
      if (this.#open.get(keyPage.minute) === keyPage) this.#open.delete(keyPage.minute);
    }
    return cost;
  }

  /** Puts what changed since the last call into the tree. */
  flush(tree: StateTree): void {
    for (const keyPage of this.#changed) {
      keyPage.changed = false;
      if (keyPage.ended) {
        keyPage.leaf = removeLeaf(tree, keyPage.leaf);
        continue;
      }
      keyPage.leaf ||= tree.create(KEYS_TABLE, `${keyPage.minute}/${keyPage.number}`);
      tree.row().value(keyPage.page.bytes());
      tree.put(keyPage.leaf);
    }
    this.#changed = [];
  }

  #openPage(minute: number): KeyPage {
    const last = this.#open.get(minute);
    if (last !== undefined && last.page.count < PAGE_RECORDS) return last;
    const opened: KeyPage = {
      minute,
      number: last === undefined ? 0 : last.number + 1,
      page: new Page(NODE_RECORD),
      names: [],
      leaf: 0,
      changed: false,
      ended: false,
    };
    this.#open.set(minute, opened);
    this.#expiry.add(minute, opened);
    return opened;
  }

  #change(keyPage: KeyPage): void {
    if (keyPage.changed) return;
    keyPage.changed = true;
    this.#changed.push(keyPage);
  }
}

/** Unambiguous: the key's bytes become one character each, and the principal's length stands first. */
export function keyName(submission: Submission): string {
  const { principal, idempotencyKey } = submission;
  const key = String.fromCharCode.apply(null, idempotencyKey as unknown as number[]);
  return `${principal.length}:${principal}${key}`;
}
