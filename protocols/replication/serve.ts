/**
 * Answers to peers that fetch batches (rules D4, C1): from memory where the payload is there, else
 * from the log.
 *
 * I68. A peer has at most one read of the log under way, and of each lane one range and SINGLES_MAX
 *      batches that wait to be read; its answers, and what is read for them, stay within SERVED. A peer
 *      can slow down only itself, and none of its searches in a lane puts off another (I66): an honest
 *      peer has two of them at a time.
 */
import type { LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import { Pace, type Rate } from '../pace.ts';
import { readEvent } from '../stored.ts';
import { batchDigest, batchHeader } from '../structures.ts';
import type { Digest, Millis, ValidatorIndex } from '../types.ts';
import { BATCH_STORED, laneStream } from './events.ts';
import { BATCHES_PER_FETCH } from './fetch.ts';
import type { Held, Lane } from './lane.ts';
import type { Setting } from './setting.ts';

export const SERVE_TAG = 'serve';
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Of one lane, asked for by digest. When there are more, the oldest is let go. */
const SINGLES_MAX = 8;
/** 100 MB/s to one peer. */
const SERVED: Rate = { bytesPerMs: 100_000, burstBytes: 8 * ANSWER_BYTES_MAX };
/** What a read of the log costs besides what it finds. */
const READ_BYTES = 4096;

/** `digest` is null when batches are asked for as they were stored first. */
interface Request {
  readonly lane: Lane;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly digest: Digest | null;
}

interface Client {
  readonly waiting: Map<string, Request>;
  /** What is being read, first from the lane stream, then by its key. */
  reading: { readonly request: Request; readonly byKey: boolean } | null;
  readonly pace: Pace;
}

export class Server {
  readonly #setting: Setting;
  readonly #clients: Client[];

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#clients = Array.from({ length: setting.cluster.n }, () => ({
      waiting: new Map(),
      reading: null,
      pace: new Pace(SERVED),
    }));
  }

  range(
    to: ValidatorIndex,
    lane: Lane,
    fromSeq: number,
    toSeq: number,
    now: Millis,
    out: Effect[],
  ): void {
    const last = Math.min(toSeq, fromSeq + BATCHES_PER_FETCH - 1, lane.log.next - 1);
    if (last < fromSeq) return;
    this.#request(to, { lane, fromSeq, toSeq: last, digest: null }, now, out);
  }

  single(
    to: ValidatorIndex,
    lane: Lane,
    seq: number,
    digest: Digest,
    now: Millis,
    out: Effect[],
  ): void {
    if (seq >= lane.log.next) return;
    this.#request(to, { lane, fromSeq: seq, toSeq: seq, digest }, now, out);
  }

  /** The log's answer for the request of this peer that is under way. */
  logRead(to: ValidatorIndex, events: readonly LogEvent[], now: Millis, out: Effect[]): void {
    const client = this.#clients[to];
    const reading = client?.reading ?? null;
    if (client === undefined || reading === null) return;
    client.reading = null;
    // A read costs the peer the same whether it finds what was asked for or not.
    const read = events.reduce((sum, { body }) => sum + (body?.length ?? 0), READ_BYTES);
    client.pace.gave(read);
    const { request, byKey } = reading;
    let isFound = false;
    for (const event of events) isFound = this.#sendStored(to, request, event, out) || isFound;
    // Not the version that was stored first: a fork, then.
    if (request.digest !== null && !isFound && !byKey) {
      client.reading = { request, byKey: true };
      out.push({ kind: 'findLog', tag: `${SERVE_TAG}/${to}`, key: request.digest });
    } else this.#next(to, client, now, out);
  }

  peerDown(peer: ValidatorIndex): void {
    this.#clients[peer]?.waiting.clear();
  }

  #request(to: ValidatorIndex, request: Request, now: Millis, out: Effect[]): void {
    const client = this.#clients[to];
    if (client === undefined) return;
    const { lane, digest } = request;
    client.waiting.set(`${lane.index}/${digest ?? 'range'}`, request);
    const singles = [...client.waiting].filter(
      ([, each]) => each.lane === lane && each.digest !== null,
    );
    if (singles.length > SINGLES_MAX) client.waiting.delete(singles[0]![0]);
    this.#next(to, client, now, out);
  }

  #next(to: ValidatorIndex, client: Client, now: Millis, out: Effect[]): void {
    for (const [key, request] of client.waiting) {
      if (client.reading !== null) return;
      client.waiting.delete(key);
      // Without credit the request is let go: the peer asks again, here or elsewhere.
      if (client.pace.mayGive(now) && !this.#fromMemory(to, client, request, out)) {
        this.#read(to, client, request, out);
      }
    }
  }

  #fromMemory(to: ValidatorIndex, client: Client, request: Request, out: Effect[]): boolean {
    const { lane, fromSeq, toSeq, digest } = request;
    const first = lane.at(fromSeq);
    if (first === undefined || first.payload === null) return false;
    if (digest !== null && first.digest !== digest) return false;
    let room = ANSWER_BYTES_MAX;
    for (let seq = fromSeq; seq <= toSeq && room > 0; seq++) {
      const held: Held | undefined = lane.at(seq);
      if (held === undefined || held.payload === null) break;
      const { header, payload } = held;
      room -= payload.length;
      client.pace.gave(payload.length);
      out.push({ kind: 'send', to, message: { kind: 'batch', header }, body: payload });
    }
    return true;
  }

  #read(to: ValidatorIndex, client: Client, request: Request, out: Effect[]): void {
    const { lane, fromSeq, toSeq } = request;
    client.reading = { request, byKey: false };
    out.push({
      kind: 'readLog',
      tag: `${SERVE_TAG}/${to}`,
      stream: laneStream(lane.index),
      from: fromSeq,
      to: toSeq + 1,
      bytesMax: ANSWER_BYTES_MAX,
    });
  }

  /** Whether the event is what the request asks for. */
  #sendStored(to: ValidatorIndex, request: Request, event: LogEvent, out: Effect[]): boolean {
    if (event.kind !== BATCH_STORED || event.body === undefined) return false;
    const header = readEvent(batchHeader, event);
    const { crypto, cluster } = this.#setting;
    const wanted = request.digest;
    if (wanted !== null && batchDigest(crypto, cluster.id, header) !== wanted) return false;
    out.push({ kind: 'send', to, message: { kind: 'batch', header }, body: event.body });
    return true;
  }
}
