/**
 * One execution at random, one message at a time and nothing taken together: the machines as they were
 * compiled, votes and timeouts of whoever cast them. What is said on the way must be among what the
 * explorer reached, or it leaves something out.
 */
import type { PeerMessage } from '../../protocols/messages.ts';
import { packMessage } from '../../protocols/wire.ts';
import type { Random } from '../../bench/random.ts';
import { ROOT } from './blocks.ts';
import { honestOf, QUORUM, roleOf } from './bounds.ts';
import type { Engine } from './engine.ts';
import { factsOf, highestOf, type Facts } from './facts.ts';
import type { Forge } from './forge.ts';
import { Sayings, statementsOf, togetherName } from './said.ts';
import { Validator } from './validator.ts';
import { saidBy } from './view.ts';

interface Delivery {
  /** What is the same twice says nothing new the second time. */
  readonly name: string;
  readonly act: () => void;
}

export class Walk {
  readonly #forge: Forge;
  readonly #validators: readonly Validator[];
  readonly #sayings = new Sayings();
  readonly #done = new Set<string>();
  #newest: { readonly sent: number; readonly facts: Facts } | null = null;

  constructor(engine: Engine, forge: Forge) {
    this.#forge = forge;
    this.#validators = honestOf(forge.bounds).map((self) => new Validator(engine, forge, self));
    for (const each of this.#validators) each.start();
  }

  /** What was said so far, as Explorer.saidTogether names it. */
  said(): string {
    const { bounds } = this.#forge;
    const roles = this.#validators.map(({ self }) => roleOf(bounds, self));
    return togetherName(this.#all(), roles);
  }

  /** Something happens to somebody. */
  step(random: Random): void {
    const facts = this.#facts();
    const choices = this.#validators
      .flatMap((to) => this.#deliveries(facts, to))
      .filter(({ name }) => !this.#done.has(name));
    if (choices.length === 0) return;
    const { name, act } = random.pick(choices);
    this.#done.add(name);
    act();
  }

  #all() {
    return this.#validators.map((each) => saidBy(this.#forge, each));
  }

  #facts(): Facts {
    const sent = this.#validators.reduce((sum, each) => sum + each.sent.length, 0);
    if (this.#newest?.sent !== sent) this.#newest = { sent, facts: this.#factsNow() };
    return this.#newest.facts;
  }

  #factsNow(): Facts {
    const count = this.#forge.bounds.byzantine === null ? QUORUM : QUORUM - 1;
    const said = this.#all().map((each) => this.#sayings.of(each));
    return factsOf(this.#forge, statementsOf(said, count));
  }

  #deliveries(facts: Facts, to: Validator): Delivery[] {
    const { byzantine } = this.#forge.bounds;
    const honest = this.#validators
      .filter((each) => each !== to)
      .flatMap((each) => each.sent.map((message) => [each.self, message] as const));
    const own = byzantine === null ? [] : this.#byzantine(facts, to.self);
    const messages = [...honest, ...own.map((message) => [byzantine!, message] as const)];
    const isWithin = ([, message]: readonly [number, PeerMessage]): boolean =>
      message.kind === 'proposal'
        ? this.#forge.proposed(message.block) !== null
        : message.kind !== 'fetchBlock' && message.kind !== 'fetchBlocks';
    const { self } = to;
    return [
      ...messages.filter(isWithin).map(([from, message]) => ({
        name: `${self} ${from} ${this.#nameOf(message)}`,
        act: () => to.hear(from, message),
      })),
      ...[...to.asked].map((digest) => ({
        name: `${self} holds ${digest}`,
        act: () => to.hold(digest),
      })),
      { name: `${self} ${to.entered}`, act: () => to.fireEntered() },
      ...this.#expiries(to),
    ];
  }

  #nameOf(message: PeerMessage): string {
    const bytes = packMessage(message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }

  /** In the last term nobody gives up, as in what the explorer does. */
  #expiries(to: Validator): Delivery[] {
    const { term } = to.consensus.status();
    if (term >= this.#forge.bounds.terms - 1) return [];
    return [{ name: `${to.self} ${term} expires`, act: () => to.timer('due') }];
  }

  #byzantine({ blocks, prepared, committed, closed }: Facts, receiver: number): PeerMessage[] {
    const forge = this.#forge;
    const { byzantine } = forge.bounds;
    const messages: PeerMessage[] = [];
    for (const id of blocks) {
      messages.push({ kind: 'proposal', block: forge.block(id, receiver) });
      for (const kind of ['prepare', 'commit'] as const) {
        messages.push({ kind: 'vote', vote: forge.vote(kind, id, byzantine!) });
      }
    }
    for (const [kind, ids] of [['prepare', prepared] as const, ['commit', committed] as const]) {
      for (const id of ids) {
        messages.push({ kind: 'certificate', certificate: forge.certificate(kind, id, receiver) });
      }
    }
    for (const [term, groups] of closed.entries()) {
      for (const claim of [ROOT, ...prepared.filter((id) => forge.blocks.termOf(id) <= term)]) {
        const timeout = forge.timeout(term, byzantine!, claim);
        const highest = forge.highest(claim, receiver);
        messages.push({ kind: 'timeout', timeout, highest, handOver: null });
      }
      for (const claims of groups) {
        const top = highestOf(forge, claims);
        const certificate = forge.timeoutCertificate(term, [top, ROOT, ROOT], receiver);
        messages.push({ kind: 'timeoutCertificate', certificate });
      }
    }
    return messages;
  }
}
