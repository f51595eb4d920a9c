/**
 * Honest clients with keys: they hand submissions to any node, try others when no answer comes, and
 * hold the cluster to every answer that an honest node gave them (exactly once, never lost).
 */
import type { Signer } from '../../protocols/crypto.ts';
import type { EdgeMessage, SubmissionReceipts, SubmitResult } from '../../protocols/messages.ts';
import { Audit } from './audit.ts';
import type { SimNode } from './node.ts';
import { Questions } from './questions.ts';
import type { Random } from '../../bench/random.ts';
import { Readers } from './readers.ts';
import { Notebook } from './requests/notebook.ts';
import { isSettled, RETRYABLE, type Wish } from './submissions.ts';
import type { World } from './world.ts';
import { Workload } from './workload.ts';

const FIRST_PATIENCE_MS = 400;
const WAIT_MS = 20;
const APPROVED_US = 60_000;

export class Clients {
  readonly #world: World;
  readonly #random: Random;
  readonly #workload: Workload;
  readonly #requests = new Map<number, Wish>();
  readonly wishes: Wish[] = [];
  readonly #places = new Map<string, string>();
  readonly notebook = new Notebook();
  readonly #questions: Questions;
  readonly #readers: Readers;
  #audit: Audit | null = null;
  /** Sent again in the audit, and not answered yet. */
  readonly #again = new Set<number>();
  /** How often nodes had started when the audit began. */
  #starts = 0;
  #request = 0;
  #toCome = 0;
  readonly #counts = { submissions: 0, retries: 0, repeatedAnswers: 0, refusals: 0 };

  constructor(world: World, random: Random, signerOf: (name: string) => Signer) {
    this.#world = world;
    this.#random = random;
    this.#workload = new Workload(world, {
      random: random.fork(),
      signerOf,
      notebook: this.notebook,
    });
    const ask = (): number => ++this.#request;
    this.#questions = new Questions(world, random.fork(), ask);
    this.#readers = new Readers(world, random.fork(), this.#questions, ask);
  }

  get coverage(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#readers.coverage };
  }

  start(): void {
    const { clients, submissionsPerClient, faultsMs } = this.#world.profile;
    this.#questions.start();
    this.#approveUpgrade();
    for (let client = 0; client < clients; client++) {
      for (let k = 0; k < submissionsPerClient; k++) {
        this.#toCome++;
        const atMs = this.#random.float() * faultsMs;
        this.#world.scheduler.after(atMs * 1000, () => this.#begin(client));
      }
    }
    this.#readers.start();
  }

  /** Early, for it takes a while to come. */
  #approveUpgrade(): void {
    const { n, upgradeHeight } = this.#world.profile;
    for (let validator = 0; validator < n && upgradeHeight < Infinity; validator++) {
      const atUs = this.#random.int(APPROVED_US);
      this.#toCome++;
      this.#world.scheduler.after(atUs, () => {
        this.#toCome--;
        this.submit(this.#workload.approval(validator));
      });
    }
  }

  #begin(client: number): void {
    if (!this.#isWindowOpen()) {
      this.#world.scheduler.after(WAIT_MS * 1000, () => this.#begin(client));
      return;
    }
    this.#toCome--;
    const wishes = this.#workload.next(client);
    for (const wish of wishes) {
      wish.rivals = wishes.filter((other) => other !== wish);
      this.submit(wish);
    }
  }

  /** A client keeps `newest − oldest unanswered` below the window (E2). */
  #isWindowOpen(): boolean {
    return this.#world.profile.seqStep === 1 || this.wishes.every(isSettled);
  }

  /** Once all is well again, every honest node must bring a new submission through by itself. */
  probe(): void {
    for (const node of this.#world.honest) this.submit(this.#workload.probe(node.validator));
    this.#readers.probe();
  }

  submit(wish: Wish): void {
    wish.askedUs = this.#world.scheduler.now;
    this.wishes.push(wish);
    this.#counts.submissions++;
    this.#attempt(wish);
    // Some ask two nodes at once, as an impatient client does.
    if (wish.only === null && this.#random.chance(0.2)) this.#attempt(wish);
  }

  isDone(): boolean {
    return this.#toCome === 0 && this.wishes.every(isSettled) && this.#readers.isDone();
  }

  /** Height of the newest receipt that any client holds. */
  highestTold(): number {
    return this.wishes.reduce((most, { told }) => Math.max(most, told?.height ?? 0), 1);
  }

  missing(): string {
    const open = this.wishes.filter((wish) => !isSettled(wish));
    return `${open.length} of ${this.wishes.length} submissions unanswered (${open
      .slice(0, 4)
      .map(({ label }) => label)
      .join(', ')})`;
  }

  audit(): void {
    this.#audit = new Audit(this.#world, this.wishes, () => ++this.#request);
    this.#audit.start();
    this.#starts = this.#startsSoFar;
    this.#again.clear();
    this.#questions.forget();
    for (const node of this.#world.honest) {
      this.#questions.askAll(node);
      for (const wish of this.wishes)
        if (wish.signed && wish.told !== null) this.#sendAgain(wish, node);
    }
  }

  /** As a client that lost the answer, long after its window has moved on. */
  #sendAgain(wish: Wish, node: SimNode): void {
    const request = ++this.#request;
    this.#requests.set(request, wish);
    this.#again.add(request);
    const bytes = wish.bytesFor(node.validator);
    node.deliver('transaction', { kind: 'submit', submissions: [{ request, bytes }] });
  }

  get #startsSoFar(): number {
    return this.#world.honest.reduce((sum, { incarnation }) => sum + incarnation, 0);
  }

  /** Who lacks a module stops at its height, perhaps now: what it was asked is lost, and all are asked again. */
  isAudited(): boolean {
    const isNews = this.#startsSoFar !== this.#starts;
    if (isNews && this.#world.honest.every(({ up }) => up)) this.audit();
    const isAsked = (this.#audit?.isDone() ?? false) && this.#questions.isDone();
    return isAsked && this.#again.size === 0;
  }

  answered(node: SimNode, message: EdgeMessage): void {
    // Without proofs a client cannot hold a Byzantine node to its word: it asks another one.
    if (!this.#world.isHonest(node.validator)) return;
    if (message.kind === 'answer') {
      const isTaken = this.#readers.answered(message) || this.#questions.answered(message);
      if (!isTaken) this.#audit?.answered(node, message);
      return;
    }
    if (message.kind !== 'submitted') return;
    for (const result of message.results) {
      const wish = this.#requests.get(result.request);
      this.#again.delete(result.request);
      if (wish === undefined) this.#report('a node answers what nobody asked');
      else if (!result.ok) this.#refused(wish, result, node);
      else if (result.receipts !== null) this.#done(wish, result.receipts, node);
      else this.#report(`${wish.label} was only admitted, and asked for its execution`);
    }
  }

  #attempt(wish: Wish): void {
    if (isSettled(wish)) return;
    const { scheduler } = this.#world;
    const node = this.#random.pick(this.#nodesFor(wish));
    if (wish.attempts++ > 0) this.#counts.retries++;
    const request = ++this.#request;
    this.#requests.set(request, wish);
    scheduler.after(this.#random.between(50, 1_500), () => {
      if (!node.up) return;
      const bytes = wish.bytesFor(node.validator);
      node.deliver('transaction', { kind: 'submit', submissions: [{ request, bytes }] });
    });
    const patience = FIRST_PATIENCE_MS * Math.min(2 ** wish.attempts, 4);
    this.#retryAfter(wish, this.#random.between(patience / 2, patience));
  }

  /** Who has a node vouch for it trusts that node; whoever signs trusts none. */
  #nodesFor(wish: Wish): readonly SimNode[] {
    const { nodes, honest } = this.#world;
    if (wish.only !== null) return honest.filter((node) => node.validator === wish.only);
    return wish.signed ? nodes : honest;
  }

  #retryAfter(wish: Wish, delayMs: number): void {
    const turn = ++wish.turn;
    this.#world.scheduler.after(delayMs * 1000, () => {
      if (wish.turn === turn) this.#attempt(wish);
    });
  }

  #done(wish: Wish, receipts: SubmissionReceipts, node: SimNode): void {
    const told = wish.told;
    if (wish.refused !== null) {
      return this.#report(`${wish.label} was refused for good (${wish.refused}) and then executed`);
    }
    if (told !== null) {
      this.#counts.repeatedAnswers++;
      return this.expectSame(wish, told, receipts, node);
    }
    wish.told = receipts;
    wish.answeredUs = this.#world.scheduler.now;
    if (receipts.txCount !== wish.calls.length) {
      return this.#report(
        `${wish.label} has ${receipts.txCount} receipts for ${wish.calls.length} transactions`,
      );
    }
    this.notebook.learn(wish);
    this.#expectOwnPlace(wish, receipts);
    if (wish.signed && receipts.id !== wish.idFor(node.validator)) {
      this.#report(`${wish.label} got the receipt of another submission`);
    }
  }

  /** Every answer about one wish, from any node at any time, is the same (E2). */
  expectSame(wish: Wish, a: SubmissionReceipts, b: SubmissionReceipts, node: SimNode): void {
    const same =
      a.id === b.id && a.height === b.height && a.index === b.index && a.txCount === b.txCount;
    if (same && Buffer.compare(a.encoded, b.encoded) === 0) return;
    this.#report(
      `${wish.label} was final at ${a.height}/${a.index} (${a.id.slice(0, 8)}), n${node.instance} says ${b.height}/${b.index} (${b.id.slice(0, 8)})`,
    );
  }

  /** No two submissions share a place in the order. */
  #expectOwnPlace(wish: Wish, receipts: SubmissionReceipts): void {
    for (let i = 0; i < receipts.txCount; i++) {
      const place = `${receipts.height}/${receipts.index + i}`;
      const other = this.#places.get(place);
      if (other !== undefined) this.#report(`${wish.label} and ${other} are both at ${place}`);
      this.#places.set(place, wish.label);
    }
  }

  #refused(wish: Wish, result: Extract<SubmitResult, { ok: false }>, node: SimNode): void {
    this.#counts.refusals++;
    // A node also says so of a request that only waits there: until that is final, nothing is.
    const isOpen =
      result.code === 'idempotency_key_reused' && wish.rivals.some(({ told }) => !told);
    if (isOpen || RETRYABLE.has(result.code)) {
      if (!isSettled(wish)) this.#retryAfter(wish, Math.max(5, result.retryAfterMs ?? 50));
      return;
    }
    const expected =
      (wish.rival && (result.code === 'seq_reused' || result.code === 'idempotency_key_reused')) ||
      (wish.shortLived && result.code === 'expired');
    if (!expected) {
      return this.#report(
        `n${node.instance} refuses ${wish.label}: ${result.code} ${result.message}`,
      );
    }
    if (wish.told !== null && wish.signed) {
      this.#report(`${wish.label} was executed and then refused for good (${result.code})`);
    }
    if (wish.told === null) wish.refused = result.code;
  }

  #report(detail: string): void {
    this.#world.report('clients', detail);
  }
}
