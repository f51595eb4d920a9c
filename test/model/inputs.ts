/**
 * What can happen to one honest validator: one input is one or more real messages to its machines.
 *
 * Messages of which one alone changes nothing that anybody sees are taken together: votes up to a
 * certificate, timeouts up to theirs, a block with its ancestors and replication's word that its
 * batches are here (docs/model-checker.md says why no execution is lost by it).
 */
import type { VoteKind } from '../../protocols/types.ts';
import { ROOT, type Proof } from './blocks.ts';
import { QUORUM } from './bounds.ts';
import type { Forge } from './forge.ts';
import type { Kept, Validator } from './validator.ts';
import { stateOf } from './view.ts';

export type Input =
  /** A proposal comes, its ancestors are here or come too, and its batches are durable. */
  | { readonly kind: 'proposal'; readonly block: number }
  /** Others' votes for a block come, as many as make a quorum with the own one, if there is one. */
  | {
      readonly kind: 'votes';
      readonly vote: VoteKind;
      readonly block: number;
      /** `forged`: all but the Byzantine validator's own. `repeated`: that one. `few`: one is lacking. */
      readonly proof: Proof;
    }
  /** Votes that make a block final come before the block does. */
  | { readonly kind: 'unseen'; readonly block: number }
  /**
   * Two others' timeouts, and what they claim. The Byzantine one may be badly signed (`forged`), and claim
   * more than it shows (`few`: nothing; `repeated`: a forged certificate).
   */
  | {
      readonly kind: 'timeouts';
      readonly term: number;
      readonly claims: readonly number[];
      readonly proof: Proof;
    }
  | {
      readonly kind: 'timeoutCertificate';
      readonly term: number;
      readonly claims: readonly number[];
      readonly carried: number;
      readonly proof: Proof;
    }
  /** What is due is late: the term is abandoned. */
  | { readonly kind: 'expire' }
  /** The leader's entry of the term is durable, and what it has to extend is here. */
  | { readonly kind: 'lead' }
  | { readonly kind: 'crash'; readonly kept: Kept }
  /** Power fails before the first write that this input causes. */
  | { readonly kind: 'lose'; readonly input: Input };

export function apply(forge: Forge, validator: Validator, input: Input): void {
  switch (input.kind) {
    case 'proposal':
      fetch(forge, validator, input.block);
      return validator.hold(forge.blocks.digest(input.block));
    case 'votes':
      if (input.vote === 'commit' && input.proof === 'valid') fetch(forge, validator, input.block);
      return votes(forge, validator, input);
    case 'unseen':
      return votes(forge, validator, unseen(input.block));
    case 'timeouts':
      return timeouts(forge, validator, input);
    case 'timeoutCertificate': {
      const { term, claims, carried, proof } = input;
      const { self } = validator;
      const certificate = forge.timeoutCertificate(term, claims, self, proof, carried);
      return validator.hear(forge.others(self)[0]!, { kind: 'timeoutCertificate', certificate });
    }
    case 'expire':
      return validator.timer('due');
    case 'lead':
      return lead(forge, validator);
    case 'crash':
      return validator.crash(input.kept);
    case 'lose':
      return validator.losing(() => apply(forge, validator, input.input));
  }
}

function lead(forge: Forge, validator: Validator): void {
  const highest = stateOf(validator).safety.closedBy?.highest ?? null;
  if (highest !== null) fetch(forge, validator, forge.blocks.find(highest.block) ?? ROOT);
  validator.fireEntered();
}

const unseen = (block: number) =>
  ({ kind: 'votes', vote: 'commit', block, proof: 'valid' }) as const;

/** The block, then those below it: so are the last ones asked for that are lacking (C1). */
function fetch(forge: Forge, validator: Validator, id: number): void {
  for (const each of forge.blocks.chain(id)) {
    const leader = forge.blocks.shape(each).signer;
    const from = leader === validator.self ? forge.others(validator.self)[0]! : leader;
    validator.hear(from, { kind: 'proposal', block: forge.block(each, validator.self) });
  }
}

function votes(
  forge: Forge,
  validator: Validator,
  { vote: kind, block, proof }: Extract<Input, { kind: 'votes' }>,
): void {
  const { byzantine } = forge.bounds;
  const digest = forge.blocks.digest(block);
  const hasOwn = validator.sent.some(
    (each) => each.kind === 'vote' && each.vote.kind === kind && each.vote.block === digest,
  );
  const needed = QUORUM - (hasOwn ? 1 : 0) - (proof === 'few' ? 1 : 0);
  for (const voter of forge.others(validator.self).slice(0, needed)) {
    const isOwn = voter === byzantine;
    const isSigned = isOwn ? proof !== 'repeated' : proof !== 'forged';
    const from = proof === 'forged' && byzantine !== null ? byzantine : voter;
    validator.hear(from, { kind: 'vote', vote: forge.vote(kind, block, voter, isSigned) });
  }
}

function timeouts(
  forge: Forge,
  validator: Validator,
  { term, claims, proof }: Extract<Input, { kind: 'timeouts' }>,
): void {
  const { self } = validator;
  const { byzantine } = forge.bounds;
  claims.forEach((claim, at) => {
    const voter = forge.others(self)[at]!;
    const isOwn = voter === byzantine;
    const isSigned = proof !== 'forged' || !isOwn;
    const timeout = forge.timeout(term, voter, claim, isSigned);
    // What nobody certified it can only claim, or forge a certificate of.
    const highest =
      proof === 'repeated' && isOwn && claim !== ROOT
        ? forge.certificate('prepare', claim, self, 'forged')
        : proof === 'few' && isOwn
          ? null
          : forge.highest(claim, self);
    validator.hear(voter, { kind: 'timeout', timeout, highest, handOver: null });
  });
}

/** In words, for a trace. */
export function describe(input: Input, name: (block: number) => string): string {
  const proof = 'proof' in input && input.proof !== 'valid' ? ` (${input.proof})` : '';
  switch (input.kind) {
    case 'proposal':
      return `hears of ${name(input.block)} and holds its batches`;
    case 'votes':
      return `gets ${input.vote} votes for ${name(input.block)}${proof}`;
    case 'unseen':
      return `gets the commit votes for ${name(input.block)}, but not the block`;
    case 'timeouts':
      return `gets timeouts of term ${input.term} that claim ${input.claims.map(name).join(', ')}${proof}`;
    case 'timeoutCertificate':
      return `gets a timeout certificate of term ${input.term}, claims ${input.claims.map(name).join(', ')}, with ${name(input.carried)}${proof}`;
    case 'expire':
      return 'gives up on the term';
    case 'lead':
      return 'begins its term';
    case 'crash':
      return input.kept === 'all' ? 'crashes' : 'crashes, and loses what nothing waits for';
    case 'lose':
      return `crashes before the first write as it ${describe(input.input, name)}`;
  }
}
