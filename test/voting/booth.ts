/** One real voting machine that plays validator 3, and its log. */
import type { Crypto } from '../../protocols/crypto.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { Effect, PeerMessage, VotingInput } from '../../protocols/messages.ts';
import { VotingMachine } from '../../protocols/voting/voting.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Forge } from '../consensus/forge.ts';

export class Booth {
  readonly forge = new Forge();
  readonly log: LogEvent[] = [];

  /** Signatures checked so far. */
  verified = 0;
  readonly #crypto: Crypto = {
    ...nodeCrypto,
    verify: (key, message, signature) => {
      this.verified++;
      return nodeCrypto.verify(key, message, signature);
    },
  };
  machine = this.#build();

  #build(): VotingMachine {
    return new VotingMachine({ cluster: this.forge.cluster, self: 3, crypto: this.#crypto });
  }

  step(input: VotingInput): Effect[] {
    const output = this.machine.step(input);
    this.log.push(...output.events);
    return [...output.immediate, ...output.effects];
  }

  from(peer: number, message: PeerMessage): Effect[] {
    return this.step({ kind: 'peerMessage', from: peer, message });
  }

  restart(): void {
    this.machine = this.#build();
    while (this.machine.nextRecovery() !== null)
      for (const event of this.log) this.machine.recover(event);
  }
}

export function told(
  effects: readonly Effect[],
  kind: string,
): Extract<Effect, { kind: 'tell' }>['message'][] {
  return effects.flatMap((e) => (e.kind === 'tell' && e.message.kind === kind ? [e.message] : []));
}
