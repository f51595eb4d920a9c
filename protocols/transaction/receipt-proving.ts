/**
 * Proofs of receipts, one after the other: the block's receipts are found in the log and hashed, a few at
 * a time; a block above the last checkpoint waits for the next one; then the chunks of the tree over all
 * blocks that are not in memory are read (height-tree.ts). What waits is bounded, and of blocks that
 * wait for a checkpoint only the steps are kept.
 */
import type { Crypto } from '../crypto.ts';
import type { LogEvent } from '../machine.ts';
import type { AnswerResult, Effect } from '../messages.ts';
import type { Proved } from '../proofs/request.ts';
import type { Digest, Executed } from '../types.ts';
import { BlockLeaves, type PlacedReceipts } from './block-leaves.ts';
import { CHUNKS_STREAM } from './chunk-log.ts';
import type { ChunkName, HeightTree } from './height-tree.ts';
import { ReceiptsCursor } from './receipt-log.ts';
import { Subtrees } from './subtrees.ts';

const WAITING_MAX = 1024;
/** Leaves hashed in one turn: about a millisecond. */
const LEAVES_PER_TURN = 1000;
/** Proofs begun, or put off, in one turn. */
const BEGUN_PER_TURN = 32;
const CHUNK_READ_BYTES = 64 * 1024;
/** Chunks from the log that are kept, of 64 KiB each. */
const CHUNKS_MAX = 16;
export const PROVE_TIMER = 'transaction/prove';

interface Asked {
  readonly request: number;
  readonly id: Digest;
}

/** The submission's way up to the root of its block is known. */
type Placed = Asked & PlacedReceipts;

/** What is being done. */
type Stage =
  | { readonly kind: 'finding'; readonly asked: Asked }
  | { readonly kind: 'hashing'; readonly asked: Asked; readonly leaves: BlockLeaves }
  | {
      readonly kind: 'reading';
      readonly placed: Placed;
      readonly executed: Executed;
      readonly chunks: Map<string, Subtrees>;
      readonly missing: ChunkName[];
    };

/** How it acts on the machine around it. */
export interface ProvingPort {
  readonly executed: Executed | null;
  answer(request: number, result: AnswerResult): void;
  ask(effect: Extract<Effect, { kind: 'findLog' | 'readLog' }>): void;
  /** Calls `goOn` in a later turn. */
  later(): void;
}

const nameOf = ({ level, index }: ChunkName): string => `${level}/${index}`;

export class ReceiptProving {
  readonly #crypto: Crypto;
  readonly #tree: HeightTree;
  #asked: Asked[] = [];
  /** Above the last checkpoint. */
  #early: Placed[] = [];
  #ready: Placed[] = [];
  #stage: Stage | null = null;
  /** The last block and the last chunks that were read: what is asked next is often of the same. */
  #block: BlockLeaves | null = null;
  readonly #chunks = new Map<string, Subtrees>();
  #begun = 0;
  /** Until the next turn. */
  #pauses = false;
  /** Names questions to the log: an answer to an earlier one is nobody's. */
  #tags = 0;

  constructor(crypto: Crypto, tree: HeightTree) {
    this.#crypto = crypto;
    this.#tree = tree;
  }

  /** False when too many wait already. */
  take(asked: Asked, port: ProvingPort): boolean {
    if (this.#asked.length + this.#early.length + this.#ready.length >= WAITING_MAX) return false;
    this.#asked.push(asked);
    this.#next(port);
    return true;
  }

  checkpointMade({ height }: Executed, port: ProvingPort): void {
    if (this.#early.length === 0) return;
    this.#ready.push(...this.#early.filter(({ receipts }) => receipts.height <= height));
    this.#early = this.#early.filter(({ receipts }) => receipts.height > height);
    this.#next(port);
  }

  /** @param event null when the log has none under the id */
  found(tag: string, event: LogEvent | null, port: ProvingPort): void {
    const stage = this.#stage;
    if (stage?.kind !== 'finding' || tag !== this.#tag()) return;
    const { asked } = stage;
    if (event === null) return this.#end(asked.request, NOT_LOGGED, port);
    this.#block = null;
    const leaves = new BlockLeaves(this.#crypto, new ReceiptsCursor(event));
    const next = { kind: 'hashing', asked, leaves } as const;
    this.#stage = next;
    this.#hashOn(next, port);
  }

  /** In a new turn, with the next leaves or the next proof. */
  goOn(port: ProvingPort): void {
    this.#pauses = false;
    const stage = this.#stage;
    if (stage?.kind === 'hashing') this.#hashOn(stage, port);
    else this.#next(port);
  }

  #hashOn({ asked, leaves }: Extract<Stage, { kind: 'hashing' }>, port: ProvingPort): void {
    if (!leaves.hash(LEAVES_PER_TURN)) return port.later();
    this.#block = leaves;
    const found = leaves.find(asked.id);
    if (found === null) return this.#end(asked.request, NOT_LOGGED, port);
    this.#placed({ ...asked, ...found }, port);
  }

  #placed(placed: Placed, port: ProvingPort): void {
    if (placed.receipts.height <= (port.executed?.height ?? 0)) return this.#gather(placed, port);
    this.#early.push(placed);
    this.#stage = null;
    this.#next(port);
  }

  read(tag: string, events: readonly LogEvent[], port: ProvingPort): void {
    const stage = this.#stage;
    if (stage?.kind !== 'reading' || tag !== this.#tag()) return;
    const body = events[0]?.body;
    if (body === undefined) return this.#end(stage.placed.request, NOT_LOGGED, port);
    const name = nameOf(stage.missing.shift()!);
    const chunk = Subtrees.of(this.#crypto, body);
    stage.chunks.set(name, chunk);
    this.#keep(name, chunk);
    this.#readOn(stage, port);
  }

  #next(port: ProvingPort): void {
    if (this.#stage !== null || this.#pauses) return;
    if (this.#ready.length + this.#asked.length === 0) return;
    if (++this.#begun % BEGUN_PER_TURN === 0) {
      this.#pauses = true;
      return port.later();
    }
    const placed = this.#ready.shift();
    if (placed !== undefined) return this.#gather(placed, port);
    const asked = this.#asked.shift();
    if (asked === undefined) return;
    const found = this.#block?.find(asked.id) ?? null;
    if (found !== null) return this.#placed({ ...asked, ...found }, port);
    this.#stage = { kind: 'finding', asked };
    this.#tags++;
    port.ask({ kind: 'findLog', tag: this.#tag(), key: asked.id });
  }

  /** Takes what is in memory now: it may be in the log only when the rest has been read. */
  #gather(placed: Placed, port: ProvingPort): void {
    const { executed } = port;
    if (executed === null) return this.#end(placed.request, NOT_LOGGED, port);
    const chunks = new Map<string, Subtrees>();
    const missing: ChunkName[] = [];
    for (const name of this.#tree.chunksFor(placed.receipts.height, executed.height)) {
      const chunk = this.#tree.chunk(name) ?? this.#chunks.get(nameOf(name));
      if (chunk === undefined) missing.push(name);
      else chunks.set(nameOf(name), chunk);
    }
    const stage = { kind: 'reading', placed, executed, chunks, missing } as const;
    this.#stage = stage;
    this.#readOn(stage, port);
  }

  #keep(name: string, chunk: Subtrees): void {
    this.#chunks.set(name, chunk);
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size > CHUNKS_MAX) this.#chunks.delete(oldest);
    }
  }

  #readOn(stage: Extract<Stage, { kind: 'reading' }>, port: ProvingPort): void {
    const [name] = stage.missing;
    if (name === undefined) return this.#answer(stage, port);
    const from = this.#tree.positionOf(name);
    this.#tags++;
    const range = { from, to: from + 1, bytesMax: CHUNK_READ_BYTES };
    port.ask({ kind: 'readLog', tag: this.#tag(), stream: CHUNKS_STREAM, ...range });
  }

  #answer({ placed, executed, chunks }: Extract<Stage, { kind: 'reading' }>, port: ProvingPort) {
    const { request, receipts, steps } = placed;
    const { id, height, index, txCount, encoded: outcomes } = receipts;
    const heightSteps = this.#tree.path(height, executed.height, (name) =>
      chunks.get(nameOf(name))!,
    );
    const shared = { id, height, index, txCount, outcomes, blockSteps: steps, heightSteps };
    const claims = [{ kind: 'receipts', ...shared } as const];
    const result = { ok: true, value: receipts } as const;
    this.#end(request, { ok: true, value: { executed, claims, result } satisfies Proved }, port);
  }

  #end(request: number, result: AnswerResult, port: ProvingPort): void {
    this.#stage = null;
    port.answer(request, result);
    this.#next(port);
  }

  #tag(): string {
    return `prove/${this.#tags}`;
  }
}

/** Receipts are written a little after they are given. */
const NOT_LOGGED: AnswerResult = {
  ok: false,
  code: 'not_logged',
  message: 'no such submission is in the log of this node yet',
};
