/** A peer network in a process of its own, for tests that kill or stop it. Options come as JSON. */
import { readFileSync } from 'node:fs';
import { createLogger } from '../../src/logger.ts';
import { createPeerNetwork, type PeerNetworkOptions } from '../../src/peers/network.ts';

export interface VictimOptions extends Pick<
  PeerNetworkOptions,
  'cluster' | 'index' | 'signerPemPath' | 'tlsCrt' | 'caCrt'
> {
  readonly addresses: readonly (string | null)[];
}

const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as VictimOptions;
const network = createPeerNetwork({
  ...options,
  listen: { host: '127.0.0.1', port: 0 },
  addressOf: (peer) => options.addresses[peer] ?? undefined,
  logger: createLogger({ level: 'silent', nodeId: 'victim' }),
  onFrames: () => {},
  onConnected: () => {},
  onDisconnected: () => {},
});
await network.start();
process.send?.({ port: network.port });
