/**
 * Answers to peers that fetch batches (rules D4, C1): from memory where the payload is there, else
 * from the log.
 *
 * I68. A peer has at most one read of the log under way and one waiting request for each lane and
 *      kind; its answers stay within SERVED. A peer can slow down only itself.
 */
import type { LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import { Pace, type Rate } from '../pace.ts';
import { batchDigest, batchHeader } from '../structures.ts';
import type { Digest, Millis, ValidatorIndex } from '../types.ts';
import { BATCH_STORED, laneStream, readEvent } from './events.ts';
import { BATCHES_PER_FETCH } from './fetch.ts';
import type { Held, Lane, Place } from './lane.ts';
import type { Setting } from './setting.ts';

export const SERVE_TAG = 'serve';
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** 100 MB/s to one peer. */
const SERVED: Rate = { bytesPerMs: 100_000, burstBytes: 8 * ANSWER_BYTES_MAX };

/** `digest` is null when batches are asked for as they were stored first. */
interface Request {
  readonly lane: Lane;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly digest: Digest | null;
}

interface Client {
  readonly waiting: Map<string, Request>;
  reading: Request | null;
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
    const request = client?.reading;
    if (client === undefined || request === null || request === undefined) return;
    client.reading = null;
    for (const event of events) this.#sendStored(to, client, request, event, out);
    this.#next(to, client, now, out);
  }

  peerDown(peer: ValidatorIndex): void {
    this.#clients[peer]?.waiting.clear();
  }

  #request(to: ValidatorIndex, request: Request, now: Millis, out: Effect[]): void {
    const client = this.#clients[to];
    if (client === undefined) return;
    const kind = request.digest === null ? 'range' : 'single';
    client.waiting.set(`${request.lane.index}/${kind}`, request);
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
      room -= held.payload.length;
      this.#send(to, client, held.header, held.payload, out);
    }
    return true;
  }

  #read(to: ValidatorIndex, client: Client, request: Request, out: Effect[]): void {
    const { lane, fromSeq, toSeq, digest } = request;
    const fork = digest === null ? undefined : lane.log.fork(digest);
    const place: Place =
      fork === undefined
        ? { stream: laneStream(lane.index), position: fromSeq }
        : lane.log.forkPlace(fork);
    client.reading = request;
    out.push({
      kind: 'readLog',
      tag: `${SERVE_TAG}/${to}`,
      stream: place.stream,
      from: place.position,
      to: place.position + toSeq - fromSeq + 1,
      bytesMax: ANSWER_BYTES_MAX,
    });
  }

  #sendStored(
    to: ValidatorIndex,
    client: Client,
    request: Request,
    event: LogEvent,
    out: Effect[],
  ): void {
    if (event.kind !== BATCH_STORED || event.body === undefined) return;
    const header = readEvent(batchHeader, event);
    const { crypto, cluster } = this.#setting;
    const wanted = request.digest;
    if (wanted !== null && batchDigest(crypto, cluster.id, header) !== wanted) return;
    this.#send(to, client, header, event.body, out);
  }

  #send(
    to: ValidatorIndex,
    client: Client,
    header: Held['header'],
    body: Uint8Array,
    out: Effect[],
  ): void {
    client.pace.gave(body.length);
    out.push({ kind: 'send', to, message: { kind: 'batch', header }, body });
  }
}
