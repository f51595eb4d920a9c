/** Tells the operator of committed upgrades whose modules this node lacks, each once, before they stop it. */
import type { MissingProgram, TransactionStatus } from '../../protocols/status.ts';
import type { Logger } from '../logger.ts';

export class MissingPrograms {
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  #told = new Map<string, MissingProgram>();

  constructor(logger: Pick<Logger, 'info' | 'warn'>) {
    this.#logger = logger;
  }

  note({ missingPrograms, executedHeight, replayingTo }: TransactionStatus): void {
    // What was missing on the way to where the node had been may have been withdrawn since.
    if (replayingTo !== undefined) return;
    const missing = new Map(missingPrograms.map((each) => [JSON.stringify(each), each]));
    for (const [key, each] of missing) if (!this.#told.has(key)) this.#warn(each, executedHeight);
    for (const [key, each] of this.#told) if (!missing.has(key)) this.#gone(each);
    this.#told = missing;
  }

  #warn({ name, version, digest, height }: MissingProgram, executedHeight: number): void {
    this.#logger.warn(
      { module: name, version, digest, height, executedHeight },
      `from height ${height} on the cluster runs ${name} ${version}, which this node does not have, and it ` +
        'stops there: name the file with --modules and start the node again, or withdraw the upgrade before',
    );
  }

  #gone({ name, version, height }: MissingProgram): void {
    const text = `${name} ${version} is no longer among the next upgrades`;
    this.#logger.info({ module: name, version, height }, text);
  }
}
