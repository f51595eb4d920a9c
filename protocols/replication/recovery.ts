/**
 * What is read from the log before the first step, and what is made of it: the newest final block,
 * the height up to which all was stored, then for each lane its evidence, and the forks and batches
 * above that height's cut, without their payloads.
 */
import { CHAIN_STREAM, emptyCut, readChainEntry } from '../chain.ts';
import { InvariantViolation, type LogEvent, type RecoveryRead } from '../machine.ts';
import { readEvent } from '../stored.ts';
import { batchDigest, batchHeader } from '../structures.ts';
import type { Block, Tip } from '../types.ts';
import {
  equivocation,
  evidenceStream,
  forkStream,
  laneStream,
  SETTLED_STREAM,
  settledTo,
} from './events.ts';
import type { Lane, Stored } from './lane.ts';
import type { Setting } from './setting.ts';

export class Recovery {
  readonly #setting: Setting;
  readonly #lanes: readonly Lane[];
  readonly #stored: Stored[][];
  #reads = 0;
  #cut: readonly Tip[];
  /** The position at which each lane's fork stream is read from. */
  #forks: readonly number[];
  /** The newest final block in the log. */
  newest: Block | null = null;
  settled = 0;
  /** The next position of the stream that says how far all is stored. */
  settledPosition = 0;

  constructor(setting: Setting, lanes: readonly Lane[]) {
    this.#setting = setting;
    this.#lanes = lanes;
    this.#stored = lanes.map(() => []);
    this.#cut = emptyCut(setting.cluster.n);
    this.#forks = lanes.map(() => 0);
  }

  /** The cut of the height up to which all was stored. */
  get cut(): readonly Tip[] {
    return this.#cut;
  }

  next(): RecoveryRead | null {
    const step = this.#reads++;
    if (step === 0) return { stream: CHAIN_STREAM, from: 'last', bodies: false };
    if (step === 1) return { stream: SETTLED_STREAM, from: 'last', bodies: false };
    const lane = Math.floor((step - 2) / 3);
    if (lane >= this.#lanes.length) return null;
    const streams = [
      { stream: evidenceStream(lane), from: 0 },
      { stream: forkStream(lane), from: this.#forks[lane]! },
      { stream: laneStream(lane), from: Math.max(0, this.#cut[lane]!.seq) },
    ];
    return { ...streams[(step - 2) % 3]!, bodies: false };
  }

  read(event: LogEvent): void {
    if (event.stream === CHAIN_STREAM) this.newest = readChainEntry(event).block;
    else if (event.stream === SETTLED_STREAM) this.#readSettled(event);
    else this.#readLane(event);
  }

  finish(): void {
    this.#lanes.forEach((lane, at) => lane.restore(this.#cut[at]!, this.#stored[at]!));
    const own = this.#lanes[this.#setting.self]!;
    if (own.tip.seq === own.log.next - 1) return;
    throw new InvariantViolation(
      'own_lane_broken',
      `the log of our own lane does not link from seq ${own.tip.seq} to ${own.log.next - 1}; run \`althing log verify\``,
    );
  }

  #readSettled(event: LogEvent): void {
    const { height, cut, forks } = readEvent(settledTo, event);
    this.settled = height;
    this.#cut = cut;
    this.#forks = forks;
    this.#lanes.forEach(({ log }, lane) => log.recoverForks(forks[lane]!));
    this.settledPosition = event.seq + 1;
  }

  #readLane(event: LogEvent): void {
    const [stream, lane] = splitStream(event.stream);
    const { log } = this.#lanes[lane]!;
    if (stream === 'evidence') {
      return log.recoverEvidence(readEvent(equivocation, event).first.seq);
    }
    if (stream === 'lane') log.recoverLane(event.seq);
    else log.recoverForks(event.seq + 1);
    const header = readEvent(batchHeader, event);
    if (header.seq <= this.#cut[lane]!.seq) return;
    const { crypto, cluster } = this.#setting;
    const digest = batchDigest(crypto, cluster.id, header);
    const place = { stream: event.stream, position: event.seq };
    this.#stored[lane]!.push({ header, digest, payload: null, place, by: null });
  }
}

function splitStream(stream: string): [string, number] {
  const dash = stream.lastIndexOf('-');
  return [stream.slice(0, dash), Number(stream.slice(dash + 1))];
}
