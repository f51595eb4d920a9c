/** What the operator reads of execution in the log: of modules that are missing, and of snapshots. */
import type { TransactionStatus } from '../../protocols/status.ts';
import type { Logger } from '../logger.ts';
import { MissingPrograms } from './missing-programs.ts';

export class Notices {
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  readonly #missing: MissingPrograms;
  #snapshotHeight = 0;
  #snapshotProblem: string | undefined;

  constructor(logger: Pick<Logger, 'info' | 'warn'>) {
    this.#logger = logger;
    this.#missing = new MissingPrograms(logger);
  }

  note(status: TransactionStatus): void {
    this.#missing.note(status);
    this.#noteSnapshots(status);
  }

  #noteSnapshots({ snapshotHeight, snapshotProblem }: TransactionStatus): void {
    if (snapshotHeight !== this.#snapshotHeight) {
      this.#logger.info({ snapshotHeight }, 'the newest snapshot of the executed state');
    }
    this.#snapshotHeight = snapshotHeight;
    if (snapshotProblem !== undefined && snapshotProblem !== this.#snapshotProblem) {
      this.#logger.warn(
        { reason: snapshotProblem },
        'a snapshot could not be kept: nothing is lost, but the next start takes longer; look at the disk of the ' +
          'state folder (--state)',
      );
    }
    this.#snapshotProblem = snapshotProblem;
  }
}
