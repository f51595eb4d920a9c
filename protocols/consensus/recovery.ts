/**
 * What is read from the log before the first step, and what is made of it: the newest final block, the
 * newest whole safety record, and what was recorded since then.
 */
import { CHAIN_STREAM, readChainEntry } from '../chain.ts';
import type { LogEvent, RecoveryRead } from '../machine.ts';
import { readEvent } from '../stored.ts';
import { blockDigest } from '../structures.ts';
import type { Block, Certificate } from '../types.ts';
import { CONSENSUS_STREAM, consensusEvent, type ConsensusEvent } from './events.ts';
import { readSafetyRecord, SAFETY_STREAM, safetyOf } from './safety-record.ts';
import { evolve, forgetDecided } from './safety.ts';
import { headOf, type State } from './state.ts';

export class Recovery {
  readonly #state: State;
  #reads = 0;

  constructor(state: State) {
    this.#state = state;
  }

  next(): RecoveryRead | null {
    switch (this.#reads++) {
      case 0:
        return { stream: CHAIN_STREAM, from: 'last', bodies: false };
      case 1:
        return { stream: SAFETY_STREAM, from: 'last', bodies: false };
      case 2:
        return { stream: CONSENSUS_STREAM, from: this.#state.records.from, bodies: false };
      default:
        return null;
    }
  }

  /** Throws InvariantViolation. */
  read(event: LogEvent): void {
    if (event.stream === CHAIN_STREAM) this.#readChain(event);
    else if (event.stream === SAFETY_STREAM) this.#readRecord(event);
    else this.#readFact(event);
  }

  #readChain(event: LogEvent): void {
    const state = this.#state;
    const { block, certificate } = readChainEntry(event);
    const { cluster, crypto } = state.options;
    state.final = headOf(blockDigest(crypto, cluster.id, block), block);
    state.finalCertificate = certificate;
    state.knownHeight = block.height;
    // What the last block ordered is unknown without its parent: certify it again to be sure.
    state.lastOrderedHeight = block.height;
    if (block.executed.height > 0) state.certified.set(block.executed.height, block.executed);
  }

  #readRecord(event: LogEvent): void {
    const state = this.#state;
    const record = readSafetyRecord(event);
    state.records = { from: record.from, next: event.seq + 1 };
    state.streamEnd = record.from;
    state.safety = safetyOf(record);
    for (const fact of record.open) {
      if (fact.kind === 'prepareVoted' || fact.kind === 'commitVoted') {
        state.safety.undecided.push(fact.vote);
      }
      this.#keepOpen(fact);
    }
    forgetDecided(state.safety, state.final.height);
  }

  #readFact(event: LogEvent): void {
    const state = this.#state;
    const fact = readEvent(consensusEvent, event);
    state.streamEnd = event.seq + 1;
    evolve(state.safety, fact);
    forgetDecided(state.safety, state.final.height);
    this.#keepOpen(fact);
  }

  #keepOpen(fact: ConsensusEvent): void {
    if (fact.kind === 'prepareVoted') this.#keepBlock(fact.block);
    if (fact.kind === 'commitVoted') this.#keepCertificate(fact.certificate);
  }

  /** Whoever voted for a block serves it until it is final, also after a crash (D4). */
  #keepBlock(block: Block): void {
    const state = this.#state;
    if (block.height <= state.final.height) return;
    const { cluster, crypto } = state.options;
    state.tree.add(block, blockDigest(crypto, cluster.id, block), null);
  }

  /** Of blocks that are decided nothing is kept. */
  #keepCertificate(certificate: Certificate): void {
    if (certificate.height > this.#state.final.height) this.#state.tree.certify(certificate);
  }
}
