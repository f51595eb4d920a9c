/** Entry of a worker thread: builds its actors' machines, opens their logs, and runs them. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { ActorThread, type CrossingPort } from '../../actors/actor-thread.ts';
import type { ActorSpec, AnyMachine } from '../../actors/actor.ts';
import { crossingPort } from '../../actors/crossing-port.ts';
import { packItems } from '../../actors/frame.ts';
import { ConsensusMachine } from '../../protocols/consensus/consensus.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { ActorName, ProtocolActor } from '../../protocols/messages.ts';
import { ReplicationMachine } from '../../protocols/replication/replication.ts';
import { TransactionMachine } from '../../protocols/transaction/transaction.ts';
import { VotingMachine } from '../../protocols/voting/voting.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { openActorLog, type ActorLog } from '../log/actor-log.ts';
import { createLogger, type Logger } from '../logger.ts';
import { availableModules } from '../modules/available.ts';
import type { OnFault } from '../modules/user/load.ts';
import { SnapshotFiles } from '../snapshots/snapshot-files.ts';
import type { WorkerInput } from './worker-data.ts';

/** So many of what users' modules throw are told in a second. */
const FAULTS_PER_SECOND = 10;

function faultLogger(logger: Logger): OnFault {
  let [second, told] = [0, 0];
  return (place, reason) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, told] = [now, 0];
    if (told++ < FAULTS_PER_SECOND) logger.warn({ place, reason }, 'a module failed');
  };
}

function machineOf(
  actor: ProtocolActor,
  input: WorkerInput,
  signer: Signer,
  logger: Logger,
): AnyMachine {
  const { cluster, self, timing } = input;
  const options = { cluster, self, crypto: nodeCrypto, signer };
  switch (actor) {
    case 'consensus':
      return new ConsensusMachine({ ...options, timing });
    case 'voting':
      return new VotingMachine(options);
    case 'replication':
      return new ReplicationMachine(options);
    case 'transaction':
      return new TransactionMachine({
        ...options,
        modules: availableModules(input.moduleFiles, faultLogger(logger)),
      });
  }
}

/** All at once: each takes some round trips to the database. */
async function openLogs(input: WorkerInput, logger: Logger): Promise<Map<ProtocolActor, ActorLog>> {
  const opened = input.actors.map(async (actor): Promise<[ProtocolActor, ActorLog]> => {
    const options = input.logs[actor];
    if (options === undefined) throw new Error(`no log was given to ${actor}`);
    return [actor, await openActorLog(options, logger)];
  });
  return new Map(await Promise.all(opened));
}

function portsOf(input: WorkerInput, parent: MessagePort): Map<ActorName, CrossingPort> {
  const ports = new Map<ActorName, CrossingPort>([['edge', crossingPort(parent)]]);
  for (const { actors, port } of input.ports) {
    const crossing = crossingPort(port);
    for (const actor of actors) ports.set(actor, crossing);
  }
  return ports;
}

async function run(input: WorkerInput, parent: MessagePort): Promise<void> {
  const ports = portsOf(input, parent);
  const logger = createLogger({ level: input.logLevel, nodeId: input.nodeId }).child({
    thread: input.thread,
  });
  const logs = await openLogs(input, logger);
  const signer = loadSigner(input.keyPath);
  const snapshots = new SnapshotFiles(input.snapshotsFolder);
  const actors = input.actors.map((name): ActorSpec => ({
    name,
    machine: machineOf(name, input, signer, logger),
    log: logs.get(name)!,
    snapshots,
  }));
  const close = async (): Promise<void> => {
    for (const log of logs.values()) await log.close();
    for (const { port } of input.ports) port.close();
    parent.close();
  };
  const onStopped = (): void => {
    close().catch((error: unknown) => fail(parent, input, error));
  };
  const thread = new ActorThread({ name: input.thread, actors, ports, onStopped });
  thread.begin();
}

/** What stops a thread before its actors run is told like an actor's failure. */
function fail(parent: MessagePort, input: WorkerInput, error: unknown): void {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'failed';
  const { message, stack = '' } = cause;
  const actor = input.actors[0]!;
  const report = { kind: 'failed', actor, code, message, stack } as const;
  const { frame, transfer } = packItems([{ kind: 'report', report }]);
  parent.postMessage(frame, transfer);
}

if (parentPort !== null) {
  const parent = parentPort;
  const input = workerData as WorkerInput;
  run(input, parent).catch((error: unknown) => fail(parent, input, error));
}
