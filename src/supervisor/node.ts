/**
 * One node, put together: the log, the actors' threads, the peer network, the edges. This file
 * connects them and decides nothing; starting and stopping in order is all it does.
 */
import { availableParallelism } from 'node:os';
import { autoThreads } from '../../actors/placement.ts';
import { peerShare, type Item } from '../../actors/traffic.ts';
import type { ActorStatuses } from '../../protocols/status.ts';
import { blockDigest } from '../../protocols/structures.ts';
import { openCache, type Cache } from '../cache/cache.ts';
import type { NodeConfig } from '../config/load.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { Edge } from '../edge/edge.ts';
import type { EdgePort, Live, NodeInfo } from '../edge/port.ts';
import { prepareGrpc, type GrpcServer } from '../grpc/server.ts';
import { startHttp, type HttpServer } from '../http/server.ts';
import { isTransient } from '../log/connection.ts';
import type { NodeLog } from '../log/node-log.ts';
import type { Logger } from '../logger.ts';
import { availableModules } from '../modules/available.ts';
import { catalogOf } from '../modules/catalog.ts';
import { PeerFaults } from '../peers/faults.ts';
import { createPeerNetwork, type PeerNetwork } from '../peers/network.ts';
import { ReadModel } from '../read-model/read-model.ts';
import { Hub } from '../stream/hub.ts';
import { LogSource } from '../stream/log-source.ts';
import { actorLogs } from './actor-logs.ts';
import { ActorSystem } from './actor-system.ts';
import { BLOCK_READS } from './blocks.ts';
import { LogReads } from './log-reads.ts';
import { NodeMetrics } from './metrics.ts';
import { infoOf, type Ports } from './node-info.ts';
import { NOTHING_YET } from './nothing-yet.ts';
import { Notices } from './notices.ts';
import { PeerBridge } from './peer-bridge.ts';
import { QuorumSight } from './quorum-sight.ts';
import { Requests } from './requests.ts';
import { until } from './until.ts';

const STOP_BOUND_MS = 5_000;
const DRAIN_BOUND_MS = 5_000;
const ANSWER_BOUND_MS = 3_000;
const PROGRESS_MS = 2_000;
/** How long a start waits for a quorum of peers before the node says that it is ready without. */
const QUORUM_BOUND_MS = 3_000;

export interface NodeParts {
  readonly config: NodeConfig;
  readonly log: NodeLog;
  readonly logger: Logger;
  readonly onFatal: (exitCode: number, reason: string) => void;
}

export class Node {
  readonly #parts: NodeParts;
  /** All that this node can run, in whatever versions. */
  readonly #modules: ReturnType<typeof availableModules>;
  readonly #info: NodeInfo;
  readonly #system: ActorSystem;
  readonly #bridge: PeerBridge;
  readonly #requests: Requests;
  readonly #network: PeerNetwork;
  readonly #faults: PeerFaults;
  readonly #notices: Notices;
  readonly #quorum: QuorumSight;
  readonly #metrics: NodeMetrics;
  readonly #hub: Hub;
  readonly #cache: Cache;
  readonly #edge: Edge;
  #statuses = NOTHING_YET;
  readonly #executedHeight = (): number => this.#statuses.transaction.executedHeight;
  #draining = false;
  #running: (() => void) | null = null;
  #reads: LogReads | null = null;
  #http: HttpServer | null = null;
  #grpc: GrpcServer | null = null;
  readonly #readModel: ReadModel | null;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, log, logger } = parts;
    const { cluster, logLevel, keyPath, snapshotsFolder, moduleFiles } = config;
    const given = { cluster, logLevel, keyPath, snapshotsFolder, moduleFiles };
    this.#modules = availableModules(moduleFiles);
    const threads =
      config.threads === 'auto' ? autoThreads(availableParallelism()) : config.threads;
    this.#info = infoOf(config, threads, this.#modules);
    this.#system = new ActorSystem({
      threads,
      logger,
      peerShare: peerShare(config.cluster.n),
      input: {
        ...given,
        nodeId: config.id,
        self: config.index,
        timing: { electionTimeoutMs: config.electionTimeoutMs, heartbeatMs: config.heartbeatMs },
        logs: actorLogs(log),
      },
      onItem: (item) => this.#take(item),
      onRestart: () => this.#restarted(),
      onRunning: () => this.#nowRunning(),
      onRoom: () => this.#hasRoom(),
      onFatal: parts.onFatal,
    });
    this.#bridge = new PeerBridge(this.#system);
    this.#requests = new Requests(this.#system, (tookMs) => this.#metrics.finalised(tookMs));
    this.#network = this.#createNetwork();
    this.#bridge.attach(this.#network);
    this.#faults = new PeerFaults({
      logger,
      nameOf: (peer) => this.#info.validators[peer] ?? `validator ${peer}`,
      keepApart: (peer, ms) => this.#network.keepApart(peer, ms),
    });
    this.#notices = new Notices(logger, this.#info.validators);
    this.#quorum = new QuorumSight({
      info: this.#info,
      logger,
      connected: () => this.#network.connected(),
      consensus: () => this.#statuses.consensus,
    });
    const digestOf = blockDigest.bind(null, nodeCrypto, config.cluster.id);
    this.#hub = new Hub({
      source: new LogSource(() => this.#reads!.log, digestOf),
      logger,
      isTransient,
    });
    this.#cache = openCache(config, logger);
    this.#metrics = new NodeMetrics(
      config.id,
      () => this.#live(),
      () => this.#system.links(),
      () => this.#hub.figures(),
    );
    this.#edge = new Edge({
      port: this.#port(),
      cluster: config.cluster,
      catalog: catalogOf(this.#modules, config.cluster.genesis.programs),
      nodeKey: config.cluster.genesis.validators[config.index]!.publicKey,
      crypto: nodeCrypto,
      auth: { apiToken: config.apiToken },
    });
    this.#readModel = config.readModel ? this.#createReadModel() : null;
  }

  /**
   * Resolves when every port is bound and the node is ready: recovered, all that its log holds
   * executed again, and a quorum there or QUORUM_BOUND_MS over. It can start alone.
   */
  async start(): Promise<Ports> {
    const { config, log, logger } = this.#parts;
    this.#reads = new LogReads({
      log: await log.actorLog('edge', BLOCK_READS),
      cluster: config.cluster,
      cache: this.#cache,
      statuses: () => this.#statuses,
      ask: (wanted) => this.#requests.ask({ kind: 'prove', wanted }),
    });
    const running = new Promise<void>((resolve) => (this.#running = resolve));
    await this.#network.start();
    this.#system.start();
    this.#quorum.start();
    const { host, httpPort, grpcPort } = config;
    // While the actors recover, in threads of their own.
    const grpc = prepareGrpc({ edge: this.#edge, host, grpcPort, logger });
    await running;
    this.#readModel?.start();
    this.#http = await startHttp({ edge: this.#edge, host, httpPort, logger });
    this.#grpc = await grpc.listen();
    await this.#settled();
    return { http: this.#http.port, grpc: this.#grpc.port, peer: this.#network.port };
  }

  async #settled(): Promise<void> {
    const ownHeight = this.#statuses.consensus.finalHeight;
    const { quorum } = this.#parts.config.cluster;
    const deadline = performance.now() + QUORUM_BOUND_MS;
    const isExecuted = (): boolean => this.#executedHeight() >= ownHeight;
    const hasQuorum = (): boolean => this.#quorum.look();
    const progress = setInterval(() => {
      if (isExecuted()) return;
      this.#parts.logger.info(
        { executedHeight: this.#executedHeight(), ownHeight },
        'executing the blocks of the log again',
      );
    }, PROGRESS_MS);
    await until(() => isExecuted() && (hasQuorum() || performance.now() > deadline));
    clearInterval(progress);
    if (hasQuorum()) return;
    const reason =
      'ready without a quorum: nothing becomes final until more validators are reached';
    this.#parts.logger.warn({ connected: this.#network.connected().length, quorum }, reason);
  }

  /** Readiness off, leadership handed over, what is under way answered, everything written. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#grpc?.drain();
    this.#hub.close();
    this.#system.sendToAll({ kind: 'command', command: 'drain' });
    const deadline = performance.now() + DRAIN_BOUND_MS;
    await until(() => this.#isDrained() || performance.now() > deadline);
    // Where the quorum stops too, nothing more becomes final: their clients are told.
    this.#requests.giveUp();
    await Promise.all([this.#http?.close(ANSWER_BOUND_MS), this.#grpc?.close(ANSWER_BOUND_MS)]);
    this.#edge.close();
    const how = await this.#system.stop(STOP_BOUND_MS);
    if (how === 'cut') this.#parts.logger.warn({}, 'an actor did not end in time and was cut off');
    this.#quorum.stop();
    await this.#network.close();
    await this.#readModel?.close();
    await this.#reads?.log.close();
    this.#cache.close();
  }

  #isDrained(): boolean {
    if (!this.#system.isRunning) return true;
    return this.#statuses.consensus.drained && this.#requests.waiting === 0;
  }

  #createNetwork(): PeerNetwork {
    const { config, logger } = this.#parts;
    return createPeerNetwork({
      cluster: config.cluster,
      index: config.index,
      signerPemPath: config.keyPath,
      tlsCrt: config.certificatePath,
      caCrt: config.caPath,
      listen: { host: config.host, port: config.peerPort },
      addressOf: (peer) => config.peerAddresses[peer] ?? undefined,
      logger,
      onFrames: (from, frames, _message, peerClass) =>
        this.#bridge.received(from, frames, peerClass),
      onConnected: (peer) => this.#bridge.linked(peer, true),
      onDisconnected: (peer) => this.#bridge.linked(peer, false),
      onFault: (peer, detail) => this.#fault(peer, 'bad_frame', detail),
    });
  }

  #createReadModel(): ReadModel {
    const { log, logger } = this.#parts;
    const { url, clusterId, publicKey } = log.actorOptions('edge');
    return new ReadModel({
      task: { url, clusterId, publicKey, validators: this.#info.validators },
      logger,
      cache: this.#cache,
      load: () => this.#edge.tps(),
      executedHeight: this.#executedHeight,
    });
  }

  #port(): EdgePort {
    return {
      info: this.#info,
      streams: this.#hub,
      live: () => this.#live(),
      submit: (bytes, until) => this.#requests.submit(bytes, until),
      query: (read) => this.#requests.ask({ kind: 'query', ...read }),
      confirm: () => this.#requests.confirm(),
      prove: (wanted) => this.#reads!.proofs.prove(wanted),
      findSubmission: (id) =>
        this.#reads!.kept.receipts(id, () => this.#requests.ask({ kind: 'findSubmission', id })),
      block: (height) => this.#reads!.block(height),
      timeOf: (height) => this.#reads!.timeOf(height),
      evidence: (from, limit) => this.#reads!.evidence.page(from, limit),
      readModel: () => this.#readModel,
      metrics: () => this.#metrics.render(),
    };
  }

  #live(): Live {
    const writable = this.#parts.log.connected();
    return {
      actors: this.#statuses,
      peersConnected: this.#network.connected(),
      quorum: this.#quorum.state(),
      log: { writable, detail: writable ? 'connected' : 'the database does not answer' },
      cache: this.#cache.figures(),
      draining: this.#draining,
    };
  }

  /** From the actors. */
  #take(item: Item): void {
    switch (item.kind) {
      case 'peerOut':
        return this.#bridge.send(item);
      case 'fault':
        return this.#fault(item.peer, item.code, item.detail);
      case 'report':
        if (item.report.kind === 'status') this.#statusesReported(item.report.statuses);
        if (item.report.kind === 'load') this.#metrics.loadReported(item.report.load);
        return;
      case 'local':
        return this.#fromActor(item.message);
      default:
        return;
    }
  }

  #statusesReported(statuses: Partial<ActorStatuses>): void {
    this.#statuses = { ...this.#statuses, ...statuses };
    this.#notices.note(statuses);
  }

  #fromActor(message: Extract<Item, { kind: 'local' }>['message']): void {
    switch (message.kind) {
      case 'submitted':
      case 'answer':
        return this.#requests.answered(message);
      case 'programs':
        this.#edge.catalog = catalogOf(this.#modules, message.programs);
        return;
      case 'blockExecuted':
        this.#reads?.blocks.executed(message);
        this.#readModel?.executed(message.block.height);
        this.#hub.executed(message.block.height, message.txCount);
        return this.#requests.answered(message);
      default:
        this.#parts.logger.error(
          { kind: message.kind },
          'an actor sent the edge what is not for it',
        );
    }
  }

  #fault(peer: number, code: string, detail: string): void {
    this.#metrics.peerFault(code);
    this.#faults.note(peer, code, detail);
  }

  #hasRoom(): void {
    this.#bridge.resume();
    this.#requests.resume();
  }

  #restarted(): void {
    this.#metrics.restarted();
    this.#requests.giveUp();
  }

  #nowRunning(): void {
    this.#bridge.announceAll();
    this.#hasRoom();
    this.#running?.();
  }
}
