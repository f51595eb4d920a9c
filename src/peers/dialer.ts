/**
 * The calling side: keeps one stream of one class open to one peer, on a TCP connection of its own.
 * Every attempt is a new gRPC client, so that the back-off is ours and nothing of a dead connection
 * is used again. The peer must prove the key that the genesis names for it.
 */
import { Client, credentials, status, type Channel, type ServiceError } from '@grpc/grpc-js';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Cluster } from '../../protocols/genesis.ts';
import type { PeerClass } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import type { Logger } from '../logger.ts';
import { keyOfCertificate } from './identity.ts';
import type { PeerStream } from './link.ts';
import {
  opening,
  openingFault,
  passThrough,
  PATHS,
  RECEIVE_BYTES_MAX,
  WINDOW_BYTES,
} from './service.ts';

const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 1_000;
/** A stream that lived this long was a good one: the next attempt follows quickly again. */
const GOOD_AFTER_MS = 2_000;
const OPEN_TIMEOUT_MS = 3_000;
/** The same trouble is logged again after this time. */
const SAY_AGAIN_MS = 30_000;

export interface DialerOptions {
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly peer: ValidatorIndex;
  readonly peerClass: PeerClass;
  /** `host:port`, asked anew for every attempt; undefined while it is not known. */
  readonly address: () => string | undefined;
  /** How long the peer is still not to be called, in milliseconds. */
  readonly apartMs: () => number;
  readonly tls: SecureContextOptions;
  readonly logger: Logger;
  readonly onStream: (stream: PeerStream) => void;
  readonly onEnd: (stream: PeerStream, reason: string) => void;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #peerId: string;
  readonly #credentials;
  #timer: NodeJS.Timeout | null = null;
  #cancel: (() => void) | null = null;
  #backOffMs = BACK_OFF_MS_MIN;
  #stopped = false;
  #said = '';
  #saidAt = 0;

  constructor(options: DialerOptions) {
    this.#options = options;
    const validator = options.cluster.genesis.validators[options.peer];
    if (validator === undefined) throw new RangeError(`no validator ${options.peer}`);
    this.#peerId = validator.id;
    this.#credentials = credentials.createFromSecureContext(createSecureContext(options.tls), {
      checkServerIdentity: (_host, certificate) =>
        keyOfCertificate(certificate.raw) === validator.publicKey
          ? undefined
          : new Error(`the certificate shown does not carry the key of ${validator.id}`),
    });
  }

  start(): void {
    const address = this.#options.address();
    if (address === undefined) return this.#again('address not known');
    this.#attempt(address);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#cancel?.();
  }

  #attempt(address: string): void {
    const { cluster, self, peer, peerClass, onStream, onEnd } = this.#options;
    const client = new Client(`dns:${address}`, this.#credentials, this.#channelOptions());
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(
      PATHS[peerClass],
      passThrough,
      passThrough,
      opening(cluster.id, self),
      {},
    );
    let fault: string | null = null;
    const close = (reason: string): void => {
      fault ??= reason;
      call.cancel();
    };
    const stream: PeerStream = { duplex: call, close };
    const deadline = setTimeout(() => close('no answer in time'), OPEN_TIMEOUT_MS);
    this.#cancel = () => close('stopped');
    let openedAt = Infinity;
    call.once('metadata', (metadata) => {
      clearTimeout(deadline);
      const wrong = openingFault(metadata, cluster.id, peer);
      if (wrong !== null) return close(wrong);
      openedAt = performance.now();
      this.#said = '';
      onStream(stream);
    });
    call.on('error', () => {});
    call.once('status', ({ code, details }: Pick<ServiceError, 'code' | 'details'>) => {
      clearTimeout(deadline);
      closeForGood(client);
      const reason = fault ?? (code === status.OK ? 'closed by the peer' : details);
      onEnd(stream, reason);
      if (performance.now() - openedAt > GOOD_AFTER_MS) this.#backOffMs = BACK_OFF_MS_MIN;
      this.#again(reason);
    });
  }

  #again(reason: string): void {
    if (this.#stopped) return;
    this.#say(reason);
    // A little randomness keeps nodes that lost the same peer from calling it in step.
    const delayMs = this.#backOffMs * (0.75 + Math.random() / 2) + this.#options.apartMs();
    this.#backOffMs = Math.min(BACK_OFF_MS_MAX, this.#backOffMs * 2);
    this.#timer = setTimeout(() => this.start(), delayMs);
  }

  #say(reason: string): void {
    const now = performance.now();
    if (reason === this.#said && now - this.#saidAt < SAY_AGAIN_MS) return;
    this.#said = reason;
    this.#saidAt = now;
    const { peerClass, address, logger } = this.#options;
    const fields = { peer: this.#peerId, class: peerClass, address: address() ?? null, reason };
    logger.info(fields, 'peer not reachable, trying again');
  }

  #channelOptions(): Record<string, string | number> {
    return {
      'grpc.ssl_target_name_override': this.#peerId,
      'grpc.default_authority': this.#peerId,
      'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': WINDOW_BYTES,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
    };
  }
}

/** Inside of a channel with a pool of its own, as grpc-js has no way to say it. */
interface ChannelInside {
  readonly subchannelPool?: {
    readonly pool?: Readonly<
      Record<string, readonly { readonly subchannel: { backoffTimeout?: { stop(): void } } }[]>
    >;
  };
}

/**
 * Closes the client. grpc-js lets one whose connection failed connect once more when its back-off is
 * over, although it was closed: a connection that nobody uses, and that the peer refuses in the end.
 * Without these inner parts, should a later version lack them, that is what happens.
 */
function closeForGood(client: Client): void {
  const inside = (client.getChannel() as Channel)['internalChannel'] as ChannelInside | undefined;
  for (const { subchannel } of Object.values(inside?.subchannelPool?.pool ?? {}).flat()) {
    subchannel.backoffTimeout?.stop();
  }
  client.close();
}
