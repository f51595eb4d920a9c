/**
 * The node's metrics page: what the actors and links report, as Prometheus reads it. Counters are
 * set from sums that the reporter keeps; they start again when the actors do, as counters may.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ActorLoad, ThreadLoad } from '../../actors/traffic.ts';
import type { StoreFigures } from '../cache/cache.ts';
import type { Live } from '../edge/port.ts';
import type { StreamFigures } from '../stream/hub.ts';
import type { ActorSystem } from './actor-system.ts';

const STATES = ['LEADER', 'FOLLOWER', 'CANDIDATE'] as const;
const FINALITY_BUCKETS_S = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
/** Over which the current rate is taken, at least. */
const RATE_MS_MIN = 1_000;

type LinkState = ReturnType<ActorSystem['links']>[number];
type Read<T> = (source: T) => number;

const ACTOR_GAUGES: Readonly<Record<string, readonly [string, Read<ActorLoad>]>> = {
  althing_actor_mailbox_length: ['Inputs that wait', ({ waiting }) => waiting],
};
const ACTOR_COUNTERS: Readonly<Record<string, readonly [string, Read<ActorLoad>]>> = {
  althing_actor_turns_total: ['Turns taken', ({ turns }) => turns],
  althing_actor_inputs_total: ['Inputs stepped', ({ inputs }) => inputs],
  althing_actor_appends_total: ['Durable writes', ({ appends }) => appends],
  althing_actor_events_total: ['Events written', ({ events }) => events],
  althing_actor_run_seconds_total: ['Time spent in turns', ({ runMs }) => runMs / 1000],
  althing_actor_wait_seconds_total: [
    'Time from the first input that waited to the turn that took it, over all turns',
    ({ waitMs }) => waitMs / 1000,
  ],
  althing_actor_append_seconds_total: [
    'Time from an append to its confirmation, over all appends',
    ({ appendMs }) => appendMs / 1000,
  ],
};
const THREAD_GAUGES: Readonly<Record<string, readonly [string, Read<ThreadLoad>]>> = {
  althing_thread_event_loop_lag_seconds: [
    'The longest that the event loop kept something waiting in the last second',
    ({ lagMs }) => lagMs / 1000,
  ],
  althing_thread_crossing_seconds: [
    'The longest way of a frame from another thread in the last second',
    ({ crossingMs }) => crossingMs / 1000,
  ],
  althing_thread_outside_held: [
    'One while the thread takes nothing from peers and clients, because a receiver is behind',
    ({ outsideHeld }) => (outsideHeld ? 1 : 0),
  ],
};
const LINK_GAUGES: Readonly<Record<string, readonly [string, Read<LinkState>]>> = {
  althing_link_waiting_length: ['Items that wait for credit', ({ waiting }) => waiting],
  althing_link_outstanding_length: ['Items sent and not taken', ({ outstanding }) => outstanding],
};
const LIVE_GAUGES: Readonly<Record<string, readonly [string, Read<Live>]>> = {
  althing_consensus_term: ['Term that this node is in', ({ actors }) => actors.consensus.term],
  althing_consensus_block_height: [
    'Height of the newest final block: the commit index',
    ({ actors }) => actors.consensus.finalHeight,
  ],
  althing_consensus_certified_height: [
    'Executed height that the chain certifies',
    ({ actors }) => actors.consensus.certifiedHeight,
  ],
  althing_consensus_timeout_seconds: [
    'Election timeout in force',
    ({ actors }) => actors.consensus.timeoutMs / 1000,
  ],
  althing_peers_connected: [
    'Peers with an open control stream',
    ({ peersConnected }) => peersConnected.length,
  ],
  althing_transaction_executed_height: [
    'Height up to which blocks are executed',
    ({ actors }) => actors.transaction.executedHeight,
  ],
  althing_transaction_snapshot_height: [
    'Height of the newest snapshot of the executed state that is kept; 0 for none',
    ({ actors }) => actors.transaction.snapshotHeight,
  ],
  althing_transaction_waiting_length: [
    'Submissions taken and not answered',
    ({ actors }) => actors.transaction.waiting,
  ],
  althing_replication_pending_bytes: [
    'Batches held in memory',
    ({ actors }) => actors.replication.pendingBytes,
  ],
};
const LIVE_COUNTERS: Readonly<Record<string, readonly [string, Read<Live>]>> = {
  althing_consensus_elections_total: [
    'Terms entered because a leader was abandoned',
    ({ actors }) => actors.consensus.elections,
  ],
  althing_voting_evidence_total: [
    'Evidence in the log against validators, of what they voted',
    ({ actors }) => actors.voting.evidence,
  ],
  althing_replication_evidence_total: [
    'Evidence in the log against validators, of what they put into their lanes',
    ({ actors }) => actors.replication.evidence,
  ],
  althing_transaction_processed_total: [
    'Transactions in the blocks executed here',
    ({ actors }) => actors.transaction.executedTransactions,
  ],
};

const STREAM_GAUGES: Readonly<Record<string, readonly [string, Read<StreamFigures>]>> = {
  althing_stream_subscribers: ['Open streams', ({ subscribers }) => subscribers],
  althing_stream_held_bytes: ['What streams share in memory', ({ heldBytes }) => heldBytes],
  althing_stream_lag_blocks: [
    'Executed blocks that the stream furthest behind has not been given',
    ({ lag }) => lag,
  ],
};
const STREAM_COUNTERS: Readonly<Record<string, readonly [string, Read<StreamFigures>]>> = {
  althing_stream_items_total: ['Items handed to streams', ({ items }) => items],
  althing_stream_closed_slow_total: [
    'Streams closed because their client took nothing for too long',
    ({ closedSlow }) => closedSlow,
  ],
  althing_stream_pages_total: ['Reads of the log for streams', ({ pagesRead }) => pagesRead],
};

const CACHE_GAUGES: Readonly<Record<string, readonly [string, Read<StoreFigures>]>> = {
  althing_cache_up: ['One while the store is used', ({ isUp }) => (isUp ? 1 : 0)],
};
const CACHE_COUNTERS: Readonly<Record<string, readonly [string, Read<StoreFigures>]>> = {
  althing_cache_hits_total: ['Answers from the store', ({ hits }) => hits],
  althing_cache_misses_total: ['Answers that the store does not have', ({ misses }) => misses],
  althing_cache_errors_total: [
    'Questions that the store did not answer in time, or not with what was kept',
    ({ errors }) => errors,
  ],
};

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #live: () => Live;
  readonly #links: ActorSystem['links'];
  readonly #loads = new Map<string, ThreadLoad>();
  readonly #faults: Counter<'code'>;
  readonly #restarts: Counter;
  readonly #finality: Histogram;
  #rate = { at: performance.now(), count: 0, perSecond: 0 };

  constructor(
    nodeId: string,
    live: () => Live,
    links: ActorSystem['links'],
    streams: () => StreamFigures,
  ) {
    this.#live = live;
    this.#links = links;
    this.#registry.setDefaultLabels({ node_id: nodeId });
    collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    this.#faults = new Counter({
      name: 'althing_peer_faults_total',
      help: 'Rules broken by peers, by what they did',
      labelNames: ['code'],
      registers,
    });
    this.#restarts = new Counter({
      name: 'althing_actor_restarts_total',
      help: 'Times the actors started again from the log',
      registers,
    });
    this.#finality = new Histogram({
      name: 'althing_transaction_finality_seconds',
      help: 'From taking a submission to its receipts, for those that became final',
      buckets: FINALITY_BUCKETS_S,
      registers,
    });
    this.#fromReports();
    this.#fromLive();
    const figures = (): (readonly [string, StreamFigures])[] => [['', streams()]];
    this.#gauges(null, STREAM_GAUGES, figures);
    this.#counters(null, STREAM_COUNTERS, figures);
  }

  #fromReports(): void {
    const actors = (): (readonly [string, ActorLoad])[] =>
      [...this.#loads.values()].flatMap((load) =>
        load.actors.map((each) => [each.actor, each] as const),
      );
    const links = (): (readonly [string, LinkState])[] =>
      this.#links().map((link) => [link.thread, link] as const);
    this.#gauges('actor', ACTOR_GAUGES, actors);
    this.#counters('actor', ACTOR_COUNTERS, actors);
    this.#gauges('thread', THREAD_GAUGES, () => [...this.#loads]);
    this.#gauges('thread', LINK_GAUGES, links);
    this.#counters(
      'direction',
      {
        althing_link_resend_later_total: [
          'Items left to the protocol to say again, because a receiver was too far behind',
          (count: number) => count,
        ],
      },
      () => [
        ['in', sum(this.#links().map(({ resendLater }) => resendLater))],
        ['out', sum([...this.#loads.values()].map(({ resendLater }) => resendLater))],
      ],
    );
  }

  #fromLive(): void {
    const live = (): (readonly [string, Live])[] => [['', this.#live()]];
    const stores = () => this.#live().cache.map((each) => [each.store, each] as const);
    this.#gauges('store', CACHE_GAUGES, stores);
    this.#counters('store', CACHE_COUNTERS, stores);
    this.#gauges(null, LIVE_GAUGES, live);
    this.#counters(null, LIVE_COUNTERS, live);
    this.#gauges(
      null,
      { althing_consensus_tps_current: ['Transactions executed per second', () => this.#tps()] },
      live,
    );
    this.#gauges(
      'state',
      { althing_consensus_state: ['One for the state that the node is in', (is: number) => is] },
      () => STATES.map((each) => [each, this.#live().actors.consensus.state === each ? 1 : 0]),
    );
  }

  /** @param sources pairs of a label's value and what the figures are read from */
  #gauges<T>(
    label: string | null,
    metrics: Readonly<Record<string, readonly [string, Read<T>]>>,
    sources: () => readonly (readonly [string, T])[],
  ): void {
    for (const [name, [help, read]] of Object.entries(metrics)) {
      const gauge: Gauge = new Gauge({
        ...this.#named(name, help, label),
        collect: () => {
          for (const [value, source] of sources()) gauge.set(labelled(label, value), read(source));
        },
      });
    }
  }

  #counters<T>(
    label: string | null,
    metrics: Readonly<Record<string, readonly [string, Read<T>]>>,
    sources: () => readonly (readonly [string, T])[],
  ): void {
    for (const [name, [help, read]] of Object.entries(metrics)) {
      const counter: Counter = new Counter({
        ...this.#named(name, help, label),
        collect: () => {
          counter.reset();
          for (const [value, source] of sources()) {
            counter.inc(labelled(label, value), read(source));
          }
        },
      });
    }
  }

  #named(name: string, help: string, label: string | null) {
    return { name, help, labelNames: label === null ? [] : [label], registers: [this.#registry] };
  }

  /** Over the last second at least, whoever asks how often. */
  #tps(): number {
    const at = performance.now();
    const count = this.#live().actors.transaction.executedTransactions;
    const elapsedMs = at - this.#rate.at;
    if (elapsedMs >= RATE_MS_MIN) {
      const perSecond = Math.max(0, ((count - this.#rate.count) * 1000) / elapsedMs);
      this.#rate = { at, count, perSecond };
    }
    return this.#rate.perSecond;
  }

  loadReported(load: ThreadLoad): void {
    this.#loads.set(load.thread, load);
  }

  /** @param tookMs from taking a submission to its answer */
  finalised(tookMs: number): void {
    this.#finality.observe(tookMs / 1000);
  }

  peerFault(code: string): void {
    this.#faults.inc({ code });
  }

  restarted(): void {
    this.#restarts.inc();
    this.#loads.clear();
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }
}

function labelled(label: string | null, value: string): Record<string, string> {
  return label === null ? {} : { [label]: value };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
