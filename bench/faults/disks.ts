/**
 * A small disk in memory for each node's database and state, which can be filled up. Mounting one takes
 * root.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Room for what a long run writes; memory is used as it fills. */
const SIZE = '1g';
/** Of what one process had just been told to be free, another may have taken a page. */
const PIECE = 4_096;

export class Disks {
  readonly #folder: string;
  readonly #mounted: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Why there can be none here; null when there can. */
  static missing(): string | null {
    if (process.getuid?.() !== 0) return 'mounting a small disk takes root';
    return null;
  }

  /** Mounts the disk of a node, if it is not there yet, and says where. */
  placeOf(id: string): string {
    const place = join(this.#folder, `disk-${id}`);
    if (this.#mounted.includes(place)) return place;
    mkdirSync(place, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=711`, 'tmpfs', place]);
    this.#mounted.push(place);
    return place;
  }

  /** Leaves not a page of it free. */
  async fill(id: string): Promise<void> {
    const place = this.placeOf(id);
    const { bavail, bsize } = statfsSync(place);
    const bytes = Math.max(PIECE, bavail * bsize - PIECE);
    // Rejects when somebody else takes the room meanwhile; the rest is filled below.
    await promisify(execFile)('fallocate', ['-l', String(bytes), ballast(place)]).catch(() => {});
    try {
      for (;;) writeFileSync(ballast(place), Buffer.alloc(PIECE), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  empty(id: string): void {
    rmSync(ballast(this.placeOf(id)), { force: true });
  }

  /** Once nobody uses them any more. */
  close(): void {
    for (const place of this.#mounted) execFileSync('umount', ['--lazy', place]);
  }
}

function ballast(place: string): string {
  return join(place, 'ballast');
}
