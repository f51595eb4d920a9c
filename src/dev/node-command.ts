/** How one node of the plan is started: in development mode, on the shared PostgreSQL server. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeCommand } from './node-process.ts';
import { HOST, type ClusterPlan, type NodePlan } from './plan.ts';

/** dist/node.js; this file runs from dist/src/dev/. */
const PROGRAM = fileURLToPath(new URL('../../node.js', import.meta.url));

export function nodeCommand(plan: ClusterPlan, node: NodePlan): NodeCommand {
  const readyFile = join(node.dir, 'ready.json');
  const peers = plan.nodes.map(({ id, peerPort }) => `${id}=${HOST}:${peerPort}`).join(',');
  const flags = {
    id: node.id,
    data: plan.dataDir,
    host: HOST,
    http: node.httpPort,
    grpc: node.grpcPort,
    peer: node.peerPort,
    peers,
    'postgres-port': plan.postgresPort,
    'ready-file': readyFile,
  };
  const words = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return {
    id: node.id,
    args: ['--enable-source-maps', PROGRAM, '--dev', ...words],
    logFile: join(node.dir, 'node.log'),
    readyFile,
  };
}
