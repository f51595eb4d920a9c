/**
 * The evidence in this node's log, in pages: what the voting machine wrote, then for each lane what
 * replication did. A page ends where its reader goes on, at a place that no later evidence moves.
 */
import type { LogEvent } from '../../protocols/machine.ts';
import { equivocation, evidenceStream } from '../../protocols/replication/events.ts';
import type { ActorStatuses } from '../../protocols/status.ts';
import { readEvent } from '../../protocols/stored.ts';
import { VOTING_STREAM } from '../../protocols/voting/accusations.ts';
import { evidenceRecord, type Evidence } from '../../protocols/voting/evidence.ts';
import type { EvidencePage, EvidencePlace } from '../edge/port.ts';
import type { ActorLog } from '../log/actor-log.ts';
import { isTransient } from '../log/connection.ts';

const READ_BYTES_MAX = 1024 * 1024;

type Found = Pick<ActorStatuses, 'voting' | 'replication'>;

interface Shelf {
  readonly stream: string;
  readonly read: (event: LogEvent) => Evidence;
  /** Nobody asks the log for what there is none of. */
  readonly isEmpty: (found: Found) => boolean;
}

export class EvidenceShelves {
  readonly #log: Pick<ActorLog, 'read'>;
  readonly #shelves: readonly Shelf[];
  readonly #found: () => Found;

  /** @param found what the actors have found so far */
  constructor(log: Pick<ActorLog, 'read'>, validators: number, found: () => Found) {
    this.#log = log;
    this.#found = found;
    this.#shelves = [VOTES, ...Array.from({ length: validators }, (_, lane) => batchesOf(lane))];
  }

  /** `unavailable` while the log does not answer. */
  async page(from: EvidencePlace, limit: number): Promise<EvidencePage | 'unavailable'> {
    try {
      return await this.#page(from, limit);
    } catch (error) {
      if (isTransient(error)) return 'unavailable';
      throw error;
    }
  }

  async #page({ shelf: first, position }: EvidencePlace, limit: number): Promise<EvidencePage> {
    const found = this.#found();
    const evidence: Evidence[] = [];
    for (const [shelf, each] of this.#shelves.entries()) {
      if (shelf < first || each.isEmpty(found)) continue;
      const from = shelf === first ? position : 0;
      // One more tells whether there is a next page.
      const events = await this.#read(each.stream, from, from + limit - evidence.length + 1);
      const taken = events.slice(0, limit - evidence.length);
      evidence.push(...taken.map(each.read));
      const next = { shelf, position: from + taken.length };
      if (taken.length < events.length) return { evidence, next };
    }
    return { evidence, next: null };
  }

  async #read(stream: string, from: number, to: number): Promise<readonly LogEvent[]> {
    const events: LogEvent[] = [];
    // A read is cut by bytes.
    for (;;) {
      const range = { stream, from: from + events.length, to, bytesMax: READ_BYTES_MAX };
      const more = await new Promise<readonly LogEvent[]>((resolve, reject) => {
        this.#log.read({ ...range, bodies: false }, (error, read) =>
          error === null ? resolve(read) : reject(error),
        );
      });
      if (more.length === 0) return events;
      events.push(...more);
      if (from + events.length >= to) return events;
    }
  }
}

const VOTES: Shelf = {
  stream: VOTING_STREAM,
  read: (event) => readEvent(evidenceRecord, event).evidence,
  isEmpty: ({ voting }) => voting.evidence === 0,
};

const batchesOf = (lane: number): Shelf => ({
  stream: evidenceStream(lane),
  read: (event) => ({ kind: 'doubleBatch', ...readEvent(equivocation, event) }),
  isEmpty: ({ replication }) => !replication.accused.includes(lane),
});
