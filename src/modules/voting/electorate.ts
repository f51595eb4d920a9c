/**
 * Who may vote, and whose vote it is.
 *
 * V1. A vote belongs to the key that signed it: the client's, or that of the node that signed for its own
 *     operator. What a module lets run counts for that module.
 * V2. A committee's name is the hash of its members, their weights and what it requires: nobody can
 *     give another electorate the same name, nor change one.
 */
import { quorumOf } from '../../../protocols/quorum.ts';
import { refuse, type ModuleRefusal } from '../../module.ts';
import type { Commands } from './context.ts';
import type { Committee } from './rows.ts';

/** Of a member that is put into its place, measured and hashed (I130). */
const MEMBER_STEPS = 128;

/** Those for whom a node signs because they hold its own credential. */
const OPERATORS: ReadonlySet<string> = new Set(['principal:api', 'principal:dev']);

export function voterOf({ sender, via }: Pick<Commands, 'sender' | 'via'>): string {
  return OPERATORS.has(sender) ? `key:${via}` : sender;
}

/** What a client writes of an electorate: weights are 1 where nothing is said. */
export interface Electors {
  readonly voters: readonly { readonly voter: string; readonly weight?: number }[];
  readonly required: number;
}

export interface Electorate {
  /** Its name in `committees`. */
  readonly id: string;
  readonly ofValidators: boolean;
  readonly committee: Committee;
}

/** A row of `committees` for these electors, or why there is none. */
export function committeeOf(
  { meter }: Pick<Commands, 'meter'>,
  { voters, required }: Electors,
): Committee | ModuleRefusal {
  meter.spend(voters.length * MEMBER_STEPS);
  const members = voters
    .map(({ voter, weight = 1 }) => ({ voter, weight }))
    .toSorted((a, b) => (a.voter < b.voter ? -1 : 1));
  if (members.some(({ voter }, at) => voter === members[at - 1]?.voter)) {
    return refuse('voter_twice', 'a voter is named twice');
  }
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  if (required > total) {
    return refuse('required_too_high', `all voters together weigh ${total}, not ${required}`);
  }
  return { members, required, total };
}

/** Puts the committee under its name, unless it is there already. */
export function register({ tables, hash, emit }: Commands, committee: Committee): string {
  const { members, required } = committee;
  const id = hash({ members, required });
  if (tables.committees.get(id) === undefined) {
    tables.committees.set(id, committee);
    emit('committeeCreated', { committee: id });
  }
  return id;
}

/**
 * The validators, one vote each; `required` of them, or as many as decide a block. Accounts of
 * `module:voting/validators/<required>` stay theirs when the validators change.
 */
export function validatorsOf(context: Commands, required?: number): Electorate | ModuleRefusal {
  const { validators } = context;
  const voters = validators.map((publicKey) => ({ voter: `key:${publicKey}` }));
  const committee = committeeOf(context, {
    voters,
    required: required ?? quorumOf(validators.length),
  });
  if (!('members' in committee)) return committee;
  return { id: register(context, committee), ofValidators: true, committee };
}

/** The part of `module:voting/<part>` as which a committee acts. */
export function authorityOf(row: {
  readonly committee: string;
  readonly ofValidators: boolean;
  readonly required: number;
}): string {
  return row.ofValidators ? `validators/${row.required}` : row.committee;
}
