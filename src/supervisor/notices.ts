/**
 * What the operator reads in the log of what the actors show: of evidence against validators, of modules
 * that are missing, and of snapshots. Each is said when it becomes so, and not again.
 */
import type { ActorStatuses, TransactionStatus } from '../../protocols/status.ts';
import type { Logger } from '../logger.ts';
import { MissingPrograms } from './missing-programs.ts';

export class Notices {
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  readonly #missing: MissingPrograms;
  readonly #validators: readonly string[];
  readonly #accused = new Set<number>();
  #snapshotHeight = 0;
  #snapshotProblem: string | undefined;

  /** @param validators their names, by index */
  constructor(logger: Pick<Logger, 'info' | 'warn'>, validators: readonly string[]) {
    this.#logger = logger;
    this.#validators = validators;
    this.#missing = new MissingPrograms(logger);
  }

  note({ voting, replication, transaction }: Partial<ActorStatuses>): void {
    for (const index of [...(voting?.accused ?? []), ...(replication?.accused ?? [])]) {
      this.#noteAccused(index);
    }
    if (transaction === undefined) return;
    this.#missing.note(transaction);
    this.#noteSnapshots(transaction);
  }

  /** Once in the life of the process, however much evidence there is: a start tells of what the log has. */
  #noteAccused(index: number): void {
    if (this.#accused.has(index)) return;
    this.#accused.add(index);
    const accused = this.#validators[index] ?? `validator ${index}`;
    this.#logger.warn(
      { accused },
      `there is evidence against ${accused}: it signed two statements that no honest validator signs both of; ` +
        '"althing get evidence" shows them, docs/operating.md says what to do',
    );
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
