/**
 * Looks, several times a second, whether writes can become final (protocols/quorum-watch.ts), and says in
 * the log when they no longer can and when they can again: once each, however many requests come. A start
 * before the others is no loss: of that the node says itself what it has to.
 */
import { QuorumWatch, type Sight } from '../../protocols/quorum-watch.ts';
import type { NodeInfo, QuorumState } from '../edge/port.ts';
import { quorumReason } from '../edge/quorum-reason.ts';
import type { Logger } from '../logger.ts';

const LOOK_EVERY_MS = 250;

export interface QuorumSightParts {
  readonly info: Pick<NodeInfo, 'validators' | 'quorum' | 'index'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Peers with an open control stream. */
  readonly connected: () => Sight['connected'];
  readonly consensus: () => Omit<Sight, 'connected'>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export class QuorumSight {
  readonly #parts: QuorumSightParts;
  readonly #watch: QuorumWatch;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #wasThere = false;
  #saidLost = false;

  constructor(parts: QuorumSightParts) {
    const { validators, quorum, index } = parts.info;
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#watch = new QuorumWatch(validators.length, quorum, index);
  }

  /** Before it nobody can be connected. */
  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** True while writes can become final. */
  look(): boolean {
    const { connected, consensus } = this.#parts;
    this.#watch.look(this.#now(), { connected: connected(), ...consensus() });
    const { lostSince, unheard } = this.#watch;
    const { validators, quorum } = this.#parts.info;
    const isThere = lostSince === null && validators.length - unheard.size >= quorum;
    if (isThere) this.#wasThere = true;
    if (lostSince !== null && this.#wasThere && !this.#saidLost) this.#sayLost();
    if (lostSince === null && this.#saidLost) this.#sayBack();
    return isThere;
  }

  /** Times of day: for people. */
  state(): QuorumState {
    const { lostSince, unheard } = this.#watch;
    const setBack = Date.now() - this.#now();
    return {
      lostSinceMs: lostSince === null ? null : lostSince + setBack,
      unheard: [...unheard].map(([index, since]) => ({ index, sinceMs: since + setBack })),
    };
  }

  #sayLost(): void {
    this.#saidLost = true;
    const { logger, info } = this.#parts;
    const reason = quorumReason(info, this.state());
    logger.warn({ reason }, 'the quorum is lost: writes are refused, reads go on and grow old');
  }

  #sayBack(): void {
    this.#saidLost = false;
    this.#parts.logger.info({}, 'the quorum is back: writes are taken again');
  }
}
