/** A process of its own that serves HTTP, for tests that give it few descriptors. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { startHttp } from '../../src/http/server.ts';
import { silent, testEdge } from './test-node.ts';

const DESCRIPTORS = 32;

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
// Ends with the test, however that ends.
process.stdin.resume().on('end', () => process.exit());
console.log('listening');
