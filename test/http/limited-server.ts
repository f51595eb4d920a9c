/** A process of its own that serves HTTP and gRPC, for tests that give it few descriptors. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { startGrpc } from '../../src/grpc/server.ts';
import { startHttp } from '../../src/http/server.ts';
import { silent, testEdge } from './test-node.ts';

const DESCRIPTORS = 32;
/** More than there are descriptors, whatever the share of one address. */
const CONNECTIONS_MAX = 1_000;

const { port, edge } = testEdge();
/** Fails while there are no descriptors for others than clients. */
port.metrics = () => {
  const opened: number[] = [];
  try {
    while (opened.length < DESCRIPTORS) opened.push(openSync(devNull, 'r'));
    return Promise.resolve('althing_up 1\n');
  } catch (error) {
    return Promise.reject(error as Error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
};
const [, , name, httpPort] = process.argv;
const binding = name === 'native' ? 'native' : 'fallback';
const logger = { ...silent, warn: (_: object, message: string) => console.log(message) };
await startHttp({
  edge,
  host: '127.0.0.1',
  httpPort: Number(httpPort),
  logger,
  binding,
});
const limits = { connectionsMax: CONNECTIONS_MAX };
const grpc = await startGrpc({ edge, host: '127.0.0.1', grpcPort: 0, logger, limits });
// Ends with the test, however that ends.
process.stdin.resume().on('end', () => process.exit());
console.log(`listening ${grpc.port}`);
