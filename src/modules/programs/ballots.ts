/** How validators approve upgrades and withdraw them: see programs.ts. */
import { isSameProgram } from '../../../protocols/genesis.ts';
import { quorumOf } from '../../../protocols/quorum.ts';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { upgradeKey } from '../../../protocols/transaction/programs.ts';
import type { Commands, Proposed } from './rows.ts';

/** Blocks between the quorum's approval and the upgrade: for nodes that have to be given the file. */
export const NOTICE = 16;
/** Of one validator. */
export const OPEN_MAX = 16;
/** Proposals whose height is too near, that one approval removes. */
const DROPPED_MAX = 16;

export const refusals = {
  not_validator: 'the sender is not the key of a validator',
  height_passed: `the height is not at least ${NOTICE} blocks ahead`,
  height_taken: 'another upgrade is committed for that height',
  already_approved: 'the sender has approved this upgrade before',
  too_many_proposals: `the sender has approved ${OPEN_MAX} upgrades that wait for others`,
  too_late: 'the height of this upgrade has come: only a newer version can take over from it',
  already_opposed: 'the sender has asked before that this upgrade be withdrawn',
  not_approved: 'no such upgrade is committed, and the sender has approved none such',
} as const;

type Ruled = ModuleRefusal | undefined;
type Rows = Commands['tables'];
type Upgrade = NonNullable<ReturnType<Rows['upgrades']['get']>>;

export function approve(context: Commands, args: Proposed): Ruled {
  const { tables: rows, emit } = context;
  const validator = validatorOf(context);
  if (validator === null) return refused('not_validator');
  const at = upgradeKey(args.height);
  const committed = rows.upgrades.get(at);
  if (committed !== undefined && isOpposed(committed, args, validator)) {
    const withdrawals = committed.withdrawals.filter((each) => each !== validator);
    rows.upgrades.set(at, { ...committed, withdrawals });
    emit('approved', { validator, ...args });
    return undefined;
  }
  if (args.height < context.height + NOTICE) {
    return refuse(
      'height_passed',
      `the height must be ${context.height + NOTICE} or more, for others have to be ready`,
    );
  }
  if (committed !== undefined) return refused('height_taken');
  const key = proposalKey(args);
  const approvals = rows.proposals.get(key)?.approvals ?? [];
  if (approvals.includes(validator)) return refused('already_approved');
  dropPassed(rows, context.height);
  dropEarlier(rows, validator, args.name);
  if (openOf(rows, validator) >= OPEN_MAX) return refused('too_many_proposals');
  const all = [...approvals, validator];
  emit('approved', { validator, ...args });
  if (!isQuorum(context, all)) {
    rows.proposals.set(key, { ...args, approvals: all });
    return undefined;
  }
  const { name, version, digest } = args;
  rows.proposals.delete(key);
  rows.upgrades.set(at, { name, version, digest, outcome: 'waiting', withdrawals: [] });
  emit('committed', args);
  return undefined;
}

export function withdraw(context: Commands, args: Proposed): Ruled {
  const { tables: rows, emit } = context;
  const validator = validatorOf(context);
  if (validator === null) return refused('not_validator');
  const at = upgradeKey(args.height);
  const committed = rows.upgrades.get(at);
  if (committed === undefined || !isSameProgram(committed, args)) {
    if (!takeBack(rows, proposalKey(args), validator)) return refused('not_approved');
    emit('takenBack', { validator, ...args });
    return undefined;
  }
  // The block of its height has run it before any command.
  if (committed.outcome !== 'waiting') return refused('too_late');
  if (committed.withdrawals.includes(validator)) return refused('already_opposed');
  const withdrawals = [...committed.withdrawals, validator];
  emit('opposed', { validator, ...args });
  if (!isQuorum(context, withdrawals)) {
    rows.upgrades.set(at, { ...committed, withdrawals });
    return undefined;
  }
  rows.upgrades.delete(at);
  emit('withdrawn', args);
  return undefined;
}

/** By the validator, who may think better of it up to the height: others are as ready as they were. */
function isOpposed(committed: Upgrade, asked: Proposed, validator: string): boolean {
  const { outcome, withdrawals } = committed;
  return (
    outcome === 'waiting' && isSameProgram(committed, asked) && withdrawals.includes(validator)
  );
}

function refused(code: keyof typeof refusals): ModuleRefusal {
  return refuse(code, refusals[code]);
}

/** The key of the validator that signed; null when none did. */
function validatorOf({ sender, validators }: Commands): string | null {
  return validators.find((key) => sender === `key:${key}`) ?? null;
}

function isQuorum({ validators }: Commands, voters: readonly string[]): boolean {
  return voters.length >= quorumOf(validators.length);
}

function proposalKey({ height, name, version, digest }: Proposed): string {
  return `${upgradeKey(height)}/${name}/${version}/${digest}`;
}

/** Those that cannot be committed any more at `height`. */
function dropPassed({ proposals }: Rows, height: number): void {
  const { rows } = proposals.page({ limit: DROPPED_MAX });
  for (const [key, proposal] of rows) {
    if (proposal.height < height + NOTICE) proposals.delete(key);
  }
}

/** The validator approves another proposal for the module. */
function dropEarlier(rows: Rows, validator: string, name: string): void {
  const equals = `${validator}/${name}`;
  const [earlier] = rows.proposals.pageBy('byApprover', { equals, limit: 1 }).rows;
  if (earlier !== undefined) takeBack(rows, earlier[0], validator);
}

/** False when the validator has not approved it. */
function takeBack({ proposals }: Rows, key: string, validator: string): boolean {
  const proposal = proposals.get(key);
  if (proposal === undefined || !proposal.approvals.includes(validator)) return false;
  const approvals = proposal.approvals.filter((each) => each !== validator);
  if (approvals.length === 0) proposals.delete(key);
  else proposals.set(key, { ...proposal, approvals });
  return true;
}

function openOf({ proposals }: Rows, validator: string): number {
  return proposals.pageBy('byApprover', { prefix: `${validator}/`, limit: OPEN_MAX }).rows.length;
}
