/**
 * How long what has ended stays among the rows; receipts and the log have it after that.
 *
 * V6. Rounds that have ended are kept for a time, and no more than a number of them, the latest; evidence
 *     is kept for a time of its own. Each that comes makes up to two go that are over it, so that what
 *     is kept does not grow.
 *
 * The genesis document may say otherwise: `modules.voting`, `{keepMs?, keepRounds?, keepEvidenceMs?}`.
 */
import { configOf, Type, type FillContext } from '../../module.ts';
import type { Commands } from './context.ts';
import { inOrder, strict, type tables as votingTables } from './rows.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULTS = { keepMs: DAY_MS, keepRounds: 100_000, keepEvidenceMs: 30 * DAY_MS };
const DROPPED_AT_ONCE = 2;
/** More than rounds can be decided within one another: the one that runs is never dropped. */
const ROUNDS_MIN = 100;

const Config = Type.Object(
  {
    keepMs: Type.Optional(Type.Integer({ minimum: 0 })),
    keepRounds: Type.Optional(Type.Integer({ minimum: ROUNDS_MIN })),
    keepEvidenceMs: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
);

export function votingGenesis({ tables }: FillContext<typeof votingTables>, json: unknown): void {
  tables.settings.set('keep', { ...DEFAULTS, ...configOf('voting', Config, json) });
}

/** Once for each round that has ended, which is among the rows already. */
export function dropRounds({ tables, time }: Commands): void {
  const { rounds, counts, settings } = tables;
  const { keepMs, keepRounds } = settings.get('keep')!;
  let ended = (counts.get('ended') ?? 0) + 1;
  for (const [round, row] of rounds.pageBy('byEnd', { limit: DROPPED_AT_ONCE }).rows) {
    if (ended <= keepRounds && row.ended! >= time - keepMs) break;
    rounds.delete(round);
    ended--;
  }
  counts.set('ended', ended);
}

/** Once for each piece of evidence. */
export function dropEvidence({ tables: { evidence, settings }, time }: Commands): void {
  const before = inOrder(Math.max(0, time - settings.get('keep')!.keepEvidenceMs));
  for (const [key, row] of evidence.pageBy('byTime', { limit: DROPPED_AT_ONCE }).rows) {
    if (inOrder(row.time) < before) evidence.delete(key);
  }
}
