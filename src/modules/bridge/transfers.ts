/**
 * Transfers to and from the ledger outside, from their first mention to their end.
 *
 * J1. A transfer is decided once, and here: released when as many attesters as it takes have said the same
 *     before its deadline in block time, refunded when the deadline comes first. Outside nothing is paid
 *     and nothing given back but on that decision, so there is nothing that two sides must agree on.
 * J2. An attester counts once for a transfer, and for an outside id. The same again is refused; what differs
 *     from what it said before, or from what was locked, does not count and is kept as evidence.
 * J3. Of all that is said of one outside id, one content is released at most.
 * J5. What has ended is kept until no attestation for it is in time any more, and longer: what was released
 *     cannot be attested anew.
 */
import { ModuleRefusal, refuse } from '../../module.ts';
import { assetNotBridged, enter, isBridged, move, pay } from './funds.ts';
import {
  AHEAD_MS_MAX,
  EVIDENCE_MAX,
  OPEN_MAX,
  outsideKey,
  type Commands,
  type Content,
  type Transfer,
} from './rows.ts';

const LOCK_MS = 60 * 60 * 1000;
const DROPPED_AT_ONCE = 2;
/** Of an attestation that goes with its transfer (I130). */
const DROP_STEPS = 512;

export interface Attested {
  transfer: string;
  counted: boolean;
  status: Transfer['status'];
  attestations: number;
}

const settingsOf = ({ tables }: Commands) => tables.settings.get('bridge')!;

// ------------------------------------------------------------------------------------------- outbound

export function lock(
  context: Commands,
  asked: Omit<Content, 'deadline'> & { readonly deadline?: number },
): { transfer: string; deadline: number } | ModuleRefusal {
  const { tables, sender, time } = context;
  const { asset, to, amount, deadline = time + LOCK_MS } = asked;
  const unfit = unfitContent(context, asset, deadline);
  if (unfit !== null) return unfit;
  const moved = move(context, asset, { from: sender, to: 'locked', amount });
  if (moved !== undefined) return moved;
  enter(context, asset, { locked: BigInt(amount) });
  const count = (tables.counts.get('out') ?? 0) + 1;
  tables.counts.set('out', count);
  // Never used again: outside it says which payment was made already.
  const id = `out-${count.toString().padStart(12, '0')}`;
  const content = { asset, to, amount, deadline };
  const row = begin(context, id, { direction: 'out', content, by: sender, outsideId: null });
  context.emit('locked', { ...named(id, row), by: sender });
  return { transfer: id, deadline };
}

export function attestOut(context: Commands, id: string, said: Content): Attested | ModuleRefusal {
  const { tables, sender } = context;
  if (!isAttester(context)) return notAttester();
  const row: Transfer | undefined = tables.transfers.get(id);
  if (row === undefined || row.direction !== 'out') {
    return refuse('transfer_not_found', 'there is no such transfer');
  }
  if (!isSame(context, row.content, said)) {
    return conflict(context, { id, about: id, row, said });
  }
  if (row.attesters.includes(sender)) return alreadyAttested();
  return attest(context, id, row);
}

// -------------------------------------------------------------------------------------------- inbound

export function attestIn(
  context: Commands,
  outsideId: string,
  said: Content,
): Attested | ModuleRefusal {
  const { tables, sender, hash } = context;
  if (!isAttester(context)) return notAttester();
  const about = outsideKey(said.asset, outsideId);
  const key = `${about}/${sender}`;
  const id = `in-${hash({ outsideId, ...said })}`;
  const earlier = tables.attestations.get(key);
  if (earlier === id) return alreadyAttested();
  if (earlier !== undefined) {
    return conflict(context, { id: earlier, about, row: tables.transfers.get(earlier)!, said });
  }
  const unfit = unfitContent(context, said.asset, said.deadline);
  if (unfit !== null) return unfit;
  let row: Transfer | undefined = tables.transfers.get(id);
  if (row === undefined) {
    if (!countOpen(context, sender, 1)) {
      return refuse('too_many_open', `an attester names at most ${OPEN_MAX} open transfers first`);
    }
    row = begin(context, id, { direction: 'in', content: said, by: sender, outsideId });
  }
  const outcome = attest(context, id, row);
  if (!(outcome instanceof ModuleRefusal)) tables.attestations.set(key, id);
  return outcome;
}

// ---------------------------------------------------------------------------------------------- both

function begin(
  context: Commands,
  id: string,
  what: Pick<Transfer, 'direction' | 'content' | 'by' | 'outsideId'>,
): Transfer {
  const { tables, time, height } = context;
  const timer = context.schedule(what.content.deadline, 'refund', { transfer: id });
  const open = { attesters: [], status: 'open', height, opened: time, ended: null, timer } as const;
  const row: Transfer = { ...what, ...open, attesters: [] };
  tables.transfers.set(id, row);
  return row;
}

function attest(context: Commands, id: string, before: Transfer): Attested | ModuleRefusal {
  const { tables, sender, time } = context;
  if (before.status !== 'open') return refuse('transfer_ended', 'the transfer is decided');
  if (time >= before.content.deadline) return tooLate();
  const row: Transfer = { ...before, attesters: [...before.attesters, sender] };
  const attestations = row.attesters.length;
  tables.transfers.set(id, row);
  context.emit('attested', { ...named(id, row), attester: sender, attestations });
  const status = release(context, id, row) === undefined ? 'released' : 'open';
  return { transfer: id, counted: true, status, attestations };
}

/** Why it is not released, or undefined when it is. */
function release(context: Commands, id: string, row: Transfer): ModuleRefusal | undefined {
  const { asset, to, amount } = row.content;
  if (row.attesters.length < settingsOf(context).required) {
    return refuse('not_attested', 'too few attesters have spoken for the transfer');
  }
  if (row.direction === 'in') {
    const { arrived } = context.tables;
    const about = outsideKey(asset, row.outsideId!);
    if (arrived.get(about) !== undefined) {
      return refuse('outside_id_released', 'another content of that outside id was released');
    }
    const paid = pay(context, asset, { from: 'reserve', to, amount });
    if (paid !== undefined) return paid;
    arrived.set(about, id);
    enter(context, asset, { in: BigInt(amount) });
  } else {
    const moved = move(context, asset, { from: 'locked', to: 'reserve', amount });
    if (moved !== undefined) return moved;
    enter(context, asset, { locked: -BigInt(amount), out: BigInt(amount) });
  }
  context.cancel(row.timer);
  end(context, id, row, 'released');
  return undefined;
}

/** Does what is due, for whoever asks: also where the ledger refused it before. */
export function settle(context: Commands, id: string): ModuleRefusal | undefined {
  const row: Transfer | undefined = context.tables.transfers.get(id);
  if (row === undefined) return refuse('transfer_not_found', 'there is no such transfer');
  if (row.status !== 'open') return refuse('transfer_ended', 'the transfer is decided');
  return context.time < row.content.deadline ? release(context, id, row) : refund(context, id, row);
}

function refund(context: Commands, id: string, row: Transfer): ModuleRefusal | undefined {
  if (row.direction === 'out') {
    const { asset, amount } = row.content;
    const moved = move(context, asset, { from: 'locked', to: row.by, amount });
    if (moved !== undefined) return moved;
    enter(context, asset, { locked: -BigInt(amount) });
  }
  context.cancel(row.timer);
  end(context, id, row, 'refunded');
  return undefined;
}

function end(context: Commands, id: string, row: Transfer, status: 'released' | 'refunded'): void {
  context.tables.transfers.set(id, { ...row, status, ended: context.time, timer: '' });
  if (row.direction === 'in') countOpen(context, row.by, -1);
  context.emit(status, named(id, row));
  dropEnded(context);
}

/** Each that ends makes up to two go that ended long ago, so that what is kept does not grow; who has no steps left leaves them to the next. */
function dropEnded(context: Commands): void {
  const { transfers, attestations, arrived } = context.tables;
  const before = context.time - settingsOf(context).keepMs;
  for (const [id, row] of transfers.pageBy('byEnd', { limit: DROPPED_AT_ONCE }).rows) {
    if (row.ended! >= before) break;
    const steps = row.attesters.length * DROP_STEPS;
    if (context.meter.left < steps) break;
    context.meter.spend(steps);
    transfers.delete(id);
    if (row.outsideId === null) continue;
    const about = outsideKey(row.content.asset, row.outsideId);
    for (const attester of row.attesters) attestations.delete(`${about}/${attester}`);
    if (arrived.get(about) === id) arrived.delete(about);
  }
}

// ------------------------------------------------------------------------------------------ attesters

/** What was said does not count. Once for each attester and transfer it is kept with what was true or said before. */
function conflict(
  context: Commands,
  what: {
    readonly id: string;
    readonly about: string;
    readonly row: Transfer;
    readonly said: Content;
  },
): Attested | ModuleRefusal {
  const { tables, sender: attester, height } = context;
  const { id, about, row, said } = what;
  const key = `${attester}/${about}`;
  const record = tables.attesters.get(attester) ?? { open: 0, evidence: 0 };
  if (tables.evidence.get(key) !== undefined || record.evidence >= EVIDENCE_MAX) {
    return alreadyAttested();
  }
  const evidence = {
    attester,
    about,
    first: row.content,
    firstHeight: row.height,
    second: said,
    secondHeight: height,
  };
  tables.evidence.set(key, evidence);
  tables.attesters.set(attester, { open: record.open, evidence: record.evidence + 1 });
  context.emit('conflicting', evidence);
  return { transfer: id, counted: false, status: row.status, attestations: row.attesters.length };
}

/** False when the attester has as many open transfers as it may. */
function countOpen({ tables }: Commands, attester: string, change: 1 | -1): boolean {
  const { open, evidence } = tables.attesters.get(attester) ?? { open: 0, evidence: 0 };
  if (change > 0 && open >= OPEN_MAX) return false;
  tables.attesters.set(attester, { open: open + change, evidence });
  return true;
}

function isAttester(context: Commands): boolean {
  return settingsOf(context).attesters.includes(context.sender);
}

function isSame({ hash }: Commands, a: Content, b: Content): boolean {
  return hash(a) === hash(b);
}

function unfitContent(context: Commands, asset: string, deadline: number): ModuleRefusal | null {
  const { time } = context;
  if (!isBridged(context, asset)) return assetNotBridged();
  if (deadline <= time) return tooLate();
  if (deadline <= time + AHEAD_MS_MAX) return null;
  return refuse('deadline_out_of_range', 'the deadline is more than 7 days ahead');
}

const tooLate = (): ModuleRefusal => refuse('too_late', 'the deadline has come');
const notAttester = (): ModuleRefusal =>
  refuse('not_attester', 'the sender is not among the attesters');
const alreadyAttested = (): ModuleRefusal =>
  refuse('already_attested', 'the attester has spoken of the transfer');

function named(transfer: string, { direction, outsideId, content }: Transfer) {
  return { transfer, direction, outsideId, ...content };
}
