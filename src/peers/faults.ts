/**
 * What is done about a peer that breaks rules, beside not believing it: lines in the log, and distance.
 *
 * K4. A log gets LINES_PER_WINDOW lines for each peer and code in ten seconds; how many were left out
 *     stands in the next one.
 * K5. A peer with FAULTS_MAX faults within a second is not spoken with for a while, twice as long each
 *     time. Each fault costs this node work, such as the check of a signature, and a peer that breaks
 *     no rule has none.
 */
import type { ValidatorIndex } from '../../protocols/types.ts';
import { LineWindow } from '../line-window.ts';
import type { Logger } from '../logger.ts';

const LINES_PER_WINDOW = 5;
const DETAIL_LENGTH_MAX = 1_000;
const FAULTS_MAX = 50;
const FAULTS_WITHIN_MS = 1_000;
const APART_MS_MIN = 1_000;
const APART_MS_MAX = 60_000;
/** A peer that was good for this long begins anew. */
const FORGIVEN_AFTER_MS = 10 * 60_000;

interface Standing {
  readonly lines: Map<string, LineWindow>;
  since: number;
  faults: number;
  apartMs: number;
  apartUntil: number;
}

export interface PeerFaultsOptions {
  readonly logger: Logger;
  readonly nameOf: (peer: ValidatorIndex) => string;
  /** Do not speak with this peer for so long. */
  readonly keepApart: (peer: ValidatorIndex, ms: number) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export class PeerFaults {
  readonly #options: PeerFaultsOptions;
  readonly #standings = new Map<ValidatorIndex, Standing>();

  constructor(options: PeerFaultsOptions) {
    this.#options = options;
  }

  /** @param code of a closed set: each has its own lines */
  note(peer: ValidatorIndex, code: string, detail: string): void {
    const standing = this.#standingOf(peer);
    this.#say(standing, peer, code, detail);
    const now = this.#options.now?.() ?? performance.now();
    if (now < standing.apartUntil) return; // what it had sent before
    if (now - standing.since > FAULTS_WITHIN_MS) {
      standing.since = now;
      standing.faults = 0;
    }
    if (++standing.faults >= FAULTS_MAX) this.#keepApart(standing, peer, now);
  }

  #keepApart(standing: Standing, peer: ValidatorIndex, now: number): void {
    const forgiven = now - standing.apartUntil > FORGIVEN_AFTER_MS;
    standing.apartMs = forgiven ? APART_MS_MIN : Math.min(APART_MS_MAX, standing.apartMs * 2);
    standing.apartUntil = now + standing.apartMs;
    standing.faults = 0;
    this.#options.keepApart(peer, standing.apartMs);
  }

  #say(standing: Standing, peer: ValidatorIndex, code: string, detail: string): void {
    const lines = standing.lines.get(code) ?? new LineWindow(LINES_PER_WINDOW);
    standing.lines.set(code, lines);
    const unsaid = lines.next();
    if (unsaid === null) return;
    const name = this.#options.nameOf(peer);
    const leftOut = unsaid === 0 ? {} : { faultsWithoutLine: unsaid };
    const fields = { peer: name, code, detail: detail.slice(0, DETAIL_LENGTH_MAX), ...leftOut };
    this.#options.logger.warn(fields, `${name} broke a rule: ${code}`);
  }

  #standingOf(peer: ValidatorIndex): Standing {
    const known = this.#standings.get(peer);
    if (known !== undefined) return known;
    const standing: Standing = {
      lines: new Map(),
      since: 0,
      faults: 0,
      apartMs: APART_MS_MIN,
      apartUntil: -Infinity,
    };
    this.#standings.set(peer, standing);
    return standing;
  }
}
