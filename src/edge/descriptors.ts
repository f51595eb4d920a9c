/**
 * Keeps file descriptors free for others than clients: peers, PostgreSQL, files. A process
 * that has none left cannot even refuse a connection: the system goes on announcing it, and an event
 * loop that is told again and again does little else.
 *
 * H8. A client's connection that would leave fewer descriptors than are kept is not taken, over HTTP or
 *     gRPC. HTTP has no other bound on connections: give the process more descriptors (`ulimit -n`), and
 *     it takes more.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import type { EdgeLogger } from './logger.ts';

/** One in eight is kept, but so many at least, and never more than half. */
const KEPT_MIN = 64;
/** At most one line in this time. */
const WARN_MS = 60_000;

export class Descriptors {
  readonly #max: number;
  readonly #logger: EdgeLogger;
  #warnedAtMs = -Infinity;

  constructor(logger: EdgeLogger, max = descriptorsMax()) {
    this.#max = max - Math.min(max / 2, Math.max(KEPT_MIN, max / 8));
    this.#logger = logger;
  }

  /** Whether another connection may be taken. Costs two system calls. */
  left(): boolean {
    if (lowestFree() < this.#max) return true;
    this.#warn(performance.now());
    return false;
  }

  #warn(nowMs: number): void {
    if (nowMs - this.#warnedAtMs < WARN_MS) return;
    this.#warnedAtMs = nowMs;
    this.#logger.warn(
      { descriptorsMax: this.#max },
      'too many connections: clients get no more until some close; raise ulimit -n for more',
    );
  }
}

/** The system gives out the lowest number that is free: below it all are taken. */
function lowestFree(): number {
  try {
    const descriptor = openSync(devNull, 'r');
    closeSync(descriptor);
    return descriptor;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EMFILE' || code === 'ENFILE') return Infinity;
    throw error;
  }
}

/** Infinity where the system has no such bound, or does not tell. */
function descriptorsMax(): number {
  if (process.platform === 'linux') {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  }
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = Number(report.userLimits?.open_files?.soft);
  return soft > 0 ? soft : Infinity;
}
