/**
 * Whether this node lives, has started, is ready for reads, and is ready for writes.
 *
 * N4. Live depends on nothing shared: a process that can answer lives.
 * N5. A missing quorum (I143) is DEGRADED, not DOWN: reads go on; only readiness for writes is lost.
 * N6. A cache that is away is DEGRADED and turns nothing else: it bears on no readiness (Z1).
 * N7. A committed upgrade whose module is missing here is DEGRADED, and turns no readiness: until its
 *     height the node serves as before.
 */
import type { EdgePort, Live } from './port.ts';
import { quorumReason, unheardNames } from './quorum-reason.ts';

export type CheckStatus = 'UP' | 'DEGRADED' | 'DOWN';

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export interface Health {
  readonly status: 'UP' | 'DOWN';
  readonly checks: readonly Check[];
}

/** Final heights that may wait for execution before the node counts as behind. */
const LAG_HEIGHTS_MAX = 1_000;

export class HealthChecks {
  readonly #port: EdgePort;
  readonly #now: () => number;
  #started = false;

  constructor(port: EdgePort, now: () => number = Date.now) {
    this.#port = port;
    this.#now = now;
  }

  live(): Health {
    const uptimeMs = this.#now() - this.#port.info.startedAtMs;
    return summary([{ name: 'process', status: 'UP', data: { uptimeMs } }]);
  }

  ready(): Health {
    const live = this.#port.live();
    const health = summary([logCheck(live), lagCheck(live), drainCheck(live), this.quorum(live)]);
    if (health.status === 'UP') this.#started = true;
    return health;
  }

  /** Ready, and able to make writes final. */
  readyForWrites(): Health {
    const { checks } = this.ready();
    const strict = checks.map((check) =>
      check.status === 'DEGRADED' ? { ...check, status: 'DOWN' as const } : check,
    );
    return summary(strict);
  }

  /** Has been ready once since the process began. */
  started(): Health {
    if (!this.#started) this.ready();
    return summary([{ name: 'startup', status: this.#started ? 'UP' : 'DOWN', data: {} }]);
  }

  all(): Health {
    const live = this.#port.live();
    const shown = [cacheCheck(live), programsCheck(live)];
    return summary([...this.live().checks, ...this.ready().checks, ...shown]);
  }

  quorum({ quorum: state }: Live): Check {
    const { info } = this.#port;
    const reachable = info.validators.length - state.unheard.length;
    const names = unheardNames(info, state);
    const data = {
      reachable,
      needed: info.quorum,
      reason: quorumReason(info, state),
      ...(names.length === 0 ? {} : { unheard: names.join(', ') }),
    };
    return { name: 'quorum', status: state.lostSinceMs === null ? 'UP' : 'DEGRADED', data };
  }
}

function summary(checks: readonly Check[]): Health {
  return { status: checks.some((check) => check.status === 'DOWN') ? 'DOWN' : 'UP', checks };
}

function logCheck({ log }: Live): Check {
  return { name: 'log', status: log.writable ? 'UP' : 'DOWN', data: { detail: log.detail } };
}

function cacheCheck({ cache }: Live): Check {
  const stores = cache.map(({ store, isUp }) => [store, isUp ? 'used' : 'away'] as const);
  const status = cache.every(({ isUp }) => isUp) ? 'UP' : 'DEGRADED';
  return { name: 'cache', status, data: Object.fromEntries(stores) };
}

function programsCheck({ actors }: Live): Check {
  const { missingPrograms } = actors.transaction;
  const missing = missingPrograms.map(({ name, version, digest, height }) => {
    const which = digest === '' ? 'of a newer release' : `with digest ${digest}`;
    return [`height ${height}`, `lacks ${name} ${version} ${which}`] as const;
  });
  const status = missing.length === 0 ? 'UP' : 'DEGRADED';
  return { name: 'programs', status, data: Object.fromEntries(missing) };
}

/** Final heights that are not executed here yet. */
export function lagOf({ actors }: Live): number {
  const { finalHeight, knownFinalHeight } = actors.consensus;
  return Math.max(0, Math.max(finalHeight, knownFinalHeight) - actors.transaction.executedHeight);
}

function lagCheck(live: Live): Check {
  const lag = lagOf(live);
  const executedHeight = live.actors.transaction.executedHeight;
  const { replayingTo } = live.actors.transaction;
  const behind = replayingTo !== undefined || lag > LAG_HEIGHTS_MAX;
  const replaying = replayingTo === undefined ? {} : { replayingTo };
  const data = { executedHeight, lag, lagMax: LAG_HEIGHTS_MAX, ...replaying };
  return { name: 'applied', status: behind ? 'DOWN' : 'UP', data };
}

function drainCheck(live: Live): Check {
  return {
    name: 'draining',
    status: live.draining ? 'DOWN' : 'UP',
    data: { draining: live.draining },
  };
}
