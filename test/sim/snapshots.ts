/**
 * A node's snapshots. What is complete survives a crash, as files do that were synced before they got their
 * name; the rest is gone. A disk may spoil one of them.
 */
import type { KeptSnapshot, SnapshotPart } from '../../actors/host.ts';
import { RECORD_PACE } from '../../protocols/consensus/safety-record.ts';
import type { Profile } from './profile.ts';
import type { Random } from '../../bench/random.ts';
import type { SimLog } from './storage.ts';

const KEPT_MAX = 2;

interface Stored extends KeptSnapshot {
  readonly parts: Uint8Array[];
}

export class SimSnapshots {
  /** Ascending. */
  #complete: Stored[] = [];
  #open: { readonly height: number; readonly parts: Uint8Array[] } | null = null;
  /** How often one was completed, and read. */
  completed = 0;
  read = 0;

  keep({ height, index, part, head }: SnapshotPart): void {
    if (index === 0) this.#open = { height, parts: [] };
    if (this.#open?.height !== height || this.#open.parts.length !== index) {
      throw new Error(`part ${index} of the snapshot at ${height} does not follow`);
    }
    this.#open.parts.push(part);
    if (head === null) return;
    const { parts } = this.#open;
    this.#open = null;
    this.completed++;
    this.#complete = this.#complete.filter((each) => each.height < height);
    this.#complete.push({ height, parts, head });
    if (this.#complete.length > KEPT_MAX) this.#complete.shift();
  }

  newest(upTo: number): Stored | null {
    const found = this.#complete.findLast(({ height }) => height <= upTo) ?? null;
    if (found !== null) this.read++;
    return found;
  }

  crash(): void {
    this.#open = null;
  }

  /** Changes a byte somewhere in the newest. */
  spoil(random: Random): void {
    const newest = this.#complete.at(-1);
    if (newest === undefined) return;
    const at = random.int(newest.parts.length);
    const part = Uint8Array.from(newest.parts[at]!);
    part[random.int(part.length)]! ^= 1 << random.int(8);
    newest.parts[at] = part;
  }
}

/** Where snapshots are made often, so are whole safety records, and of what they replace little stays. */
export function keepingOf({ snapshotWorkMin }: Profile) {
  if (snapshotWorkMin === Infinity) return { snapshotWorkMin, records: RECORD_PACE };
  const every = Math.max(2, Math.floor(snapshotWorkMin / 5));
  return { snapshotWorkMin, records: { every, kept: every - 2 } };
}

export function snapshotCoverage(
  nodes: readonly { readonly snapshots: SimSnapshots; readonly log: SimLog }[],
) {
  const coverage = { snapshots: 0, snapshotsRead: 0, pruned: 0 };
  for (const { snapshots, log } of nodes) {
    coverage.snapshots += snapshots.completed;
    coverage.snapshotsRead += snapshots.read;
    coverage.pruned += log.pruned;
  }
  return coverage;
}
