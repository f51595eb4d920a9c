/** The node's metrics page: what the actors and links report, as Prometheus reads it. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { ThreadReport } from '../../actors/traffic.ts';
import type { Live } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';

const STATES = ['LEADER', 'FOLLOWER', 'CANDIDATE'] as const;

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #faults: Counter<'code'>;
  readonly #restarts: Counter;
  readonly #load: Record<'mailbox' | 'turns' | 'inputs' | 'appends' | 'events' | 'run', Gauge<'actor'>>;
  readonly #lag: Gauge<'thread'>;
  readonly #crossing: Gauge<'thread'>;

  constructor(nodeId: string, live: () => Live, links: ActorSystem['links']) {
    this.#registry.setDefaultLabels({ node_id: nodeId });
    collectDefaultMetrics({ register: this.#registry });
    this.#faults = new Counter({ ...this.#named('althing_peer_faults_total', 'Rules broken by peers, by what they did'), labelNames: ['code'] });
    this.#restarts = new Counter(this.#named('althing_actor_restarts_total', 'Times the actors started again from the log'));
    this.#load = {
      mailbox: this.#byActor('althing_actor_mailbox_length', 'Inputs that wait'),
      turns: this.#byActor('althing_actor_turns_total', 'Turns taken'),
      inputs: this.#byActor('althing_actor_inputs_total', 'Inputs stepped'),
      appends: this.#byActor('althing_actor_appends_total', 'Durable writes'),
      events: this.#byActor('althing_actor_events_total', 'Events written'),
      run: this.#byActor('althing_actor_run_seconds_total', 'Time spent in turns'),
    };
    this.#lag = new Gauge({ ...this.#named('althing_thread_event_loop_lag_seconds', 'How late a timer fired'), labelNames: ['thread'] });
    this.#crossing = new Gauge({ ...this.#named('althing_thread_crossing_seconds', 'Time of the last frame between two threads'), labelNames: ['thread'] });
    this.#ofConsensus(live);
    this.#ofTransactions(live);
    this.#ofLinks(links);
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name, help, registers: [this.#registry] };
  }

  #byActor(name: string, help: string): Gauge<'actor'> {
    return new Gauge({ ...this.#named(name, help), labelNames: ['actor'] });
  }

  #read(name: string, help: string, read: () => number): void {
    new Gauge({
      ...this.#named(name, help),
      collect() {
        this.set(read());
      },
    });
  }

  #ofConsensus(live: () => Live): void {
    const consensus = (): Live['actors']['consensus'] => live().actors.consensus;
    this.#read('althing_consensus_term', 'Term that this node is in', () => consensus().term);
    this.#read('althing_consensus_block_height', 'Height of the newest final block', () => consensus().finalHeight);
    this.#read('althing_consensus_certified_height', 'Executed height that the chain certifies', () => consensus().certifiedHeight);
    this.#read('althing_consensus_elections_total', 'Terms entered because a leader was abandoned', () => consensus().elections);
    this.#read('althing_consensus_timeout_seconds', 'Election timeout in force', () => consensus().timeoutMs / 1000);
    this.#read('althing_voting_evidence_total', 'Proven misdeeds of validators', () => live().actors.voting.evidence);
    this.#read('althing_peers_connected', 'Peers with an open control stream', () => live().peersConnected.length);
    const state = new Gauge({
      ...this.#named('althing_consensus_state', 'One for the state that the node is in'),
      labelNames: ['state'],
      collect() {
        for (const each of STATES) state.set({ state: each }, consensus().state === each ? 1 : 0);
      },
    });
  }

  #ofTransactions(live: () => Live): void {
    this.#read('althing_transaction_processed_total', 'Transactions executed since the start', () => live().actors.transaction.executedTransactions);
    this.#read('althing_transaction_executed_height', 'Height up to which blocks are executed', () => live().actors.transaction.executedHeight);
    this.#read('althing_transaction_waiting', 'Submissions taken and not answered', () => live().actors.transaction.waiting);
    this.#read('althing_replication_pending_bytes', 'Batches held in memory', () => live().actors.replication.pendingBytes);
    let before = { at: performance.now(), count: 0 };
    this.#read('althing_consensus_tps_current', 'Transactions per second since the last look', () => {
      const now = { at: performance.now(), count: live().actors.transaction.executedTransactions };
      const rate = (now.count - before.count) / Math.max(0.001, (now.at - before.at) / 1000);
      before = now;
      return Math.max(0, rate);
    });
  }

  #ofLinks(links: ActorSystem['links']): void {
    const gauge = (name: string, help: string, of: (link: ReturnType<ActorSystem['links']>[number]) => number): void => {
      const each = new Gauge({
        ...this.#named(name, help),
        labelNames: ['thread'],
        collect() {
          for (const link of links()) each.set({ thread: link.thread }, of(link));
        },
      });
    };
    gauge('althing_link_waiting', 'Items that wait for credit', ({ waiting }) => waiting);
    gauge('althing_link_outstanding', 'Items sent and not taken yet', ({ outstanding }) => outstanding);
    gauge('althing_link_resend_later_total', 'Items left to the protocol to say again', ({ resendLater }) => resendLater);
  }

  loadReported(report: Extract<ThreadReport, { kind: 'load' }>): void {
    for (const { actor, waiting, turns, inputs, appends, events, runMs } of report.actors) {
      this.#load.mailbox.set({ actor }, waiting);
      this.#load.turns.set({ actor }, turns);
      this.#load.inputs.set({ actor }, inputs);
      this.#load.appends.set({ actor }, appends);
      this.#load.events.set({ actor }, events);
      this.#load.run.set({ actor }, runMs / 1000);
    }
    this.#lag.set({ thread: report.thread }, report.lagMs / 1000);
    this.#crossing.set({ thread: report.thread }, report.crossingMs / 1000);
  }

  peerFault(code: string): void {
    this.#faults.inc({ code });
  }

  restarted(): void {
    this.#restarts.inc();
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }
}
