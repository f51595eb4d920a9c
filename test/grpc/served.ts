/** A gRPC edge over the test node in a process of its own, for what may end a process. */
import { startGrpc } from '../../src/grpc/server.ts';
import { silent, testEdge } from '../http/test-node.ts';

const { edge } = testEdge(true);
const limits = { connectionsMax: 10_000 };
const grpc = await startGrpc({ edge, host: '127.0.0.1', grpcPort: 0, logger: silent, limits });
process.send?.(grpc.port);
