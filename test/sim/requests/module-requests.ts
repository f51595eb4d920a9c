/** Rounds, transfers over the bridge, timers and upgrades, by clients and by validators. */
import type { PublicKey } from '../../../protocols/types.ts';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import type { Random } from '../../../bench/random.ts';
import type { Notebook } from './notebook.ts';

/** The only one that the model of the ledger knows. */
export const ASSET = 'unit';
export const ATTESTATIONS = 2;
/** Accounts of the validators, by how many of them let go what is in there. */
export const TREASURIES = [1, 2] as const;
export const treasuryOf = (required: number): string => `treasury-${required}`;

const ROUNDS = 6;
const TIMERS = 4;
const OUTSIDE = 3;
/** Most speak of what is newest. */
const RECENT = 2;

export interface Situation {
  readonly random: Random;
  readonly nowMs: number;
  readonly notebook: Notebook;
  /** Of all who may have a vote. */
  readonly voters: readonly PublicKey[];
  /** The account of who asks, and the sender that the cluster sees. */
  readonly account: string;
  readonly sender: string;
  /** Where the upgrade takes over. */
  readonly upgradeHeight: number;
}

const call = (module: string, command: string, args: Readonly<Record<string, Value>>): Call => ({
  module,
  command,
  args,
});

const soon = ({ random, nowMs }: Situation): number => nowMs + random.between(-50, 1_500);

export function votingRequest(at: Situation): Call {
  const { random } = at;
  const round = `r${random.int(ROUNDS)}`;
  if (random.chance(0.4)) return openRequest(at, round);
  return castRequest(at);
}

function openRequest(at: Situation, round: string): Call {
  const { random, voters } = at;
  const deadline = soon(at);
  const bound = random.chance(0.7) ? { bound: boundRequest(random) } : {};
  if (random.chance(0.5)) {
    return call('voting', 'open', {
      round,
      deadline,
      ...(random.chance(0.8) ? { required: random.pick(TREASURIES) } : {}),
      ...bound,
    });
  }
  const members = random.shuffle(voters).slice(0, random.between(1, 4));
  return call('voting', 'open', {
    round,
    deadline,
    voters: members.map((key) => ({ voter: `key:${key}`, weight: random.between(1, 3) })),
    required: random.between(1, 4),
    ...bound,
  });
}

function boundRequest(random: Random): Value {
  if (random.chance(0.5)) {
    const from = treasuryOf(random.pick(TREASURIES));
    const amount = random.chance(0.8) ? random.between(1, 400) : 2_000_000;
    return call('ledger', 'transfer', { from, to: 'sink-client-0', amount }) as unknown as Value;
  }
  const set = (key: string): Value => ({ set: { key, value: random.int(4) } });
  const ops = random.chance(0.7) ? [set('a'), set('a')] : [set('a'), set('b')];
  return call('kv', 'batch', { namespace: 'sim', ops }) as unknown as Value;
}

export function castRequest({ random, notebook }: Situation): Call {
  const known = [...notebook.rounds].slice(-RECENT);
  const choice = random.chance(0.75) ? 'approve' : 'reject';
  if (known.length === 0) return call('voting', 'cast', { round: 'r0', choice });
  const [round, own] = random.pick(known);
  const [, other] = random.pick(known);
  const digest = random.chance(0.9) ? own : other;
  return call('voting', 'cast', { round, choice, ...(random.chance(0.9) ? { digest } : {}) });
}

export function bridgeRequest(at: Situation): Call {
  const { random, notebook, account, sender } = at;
  const own = notebook.accounts.get(sender);
  const asset = random.chance(0.97) ? ASSET : 'gold';
  if (own === undefined) return call('bridge', 'enroll', { asset });
  const amount = random.between(1, 300);
  switch (random.int(6)) {
    case 0:
    case 1:
      return call('ledger', 'transfer', { from: account, to: own, amount });
    case 2:
    case 3:
      return call('bridge', 'lock', { asset, to: 'there', amount, deadline: soon(at) });
    case 4:
      return call('bridge', 'withdraw', { asset, to: account, amount });
    default:
      return settleRequest(at);
  }
}

function settleRequest({ random, notebook }: Situation): Call {
  const known = [...notebook.locked.keys()];
  const transfer = known.length === 0 ? 'out-000000000001' : random.pick(known);
  return call('bridge', 'settle', { transfer });
}

export function attestRequest(at: Situation): Call {
  const { random, notebook } = at;
  const locked = [...notebook.locked].slice(-RECENT);
  const lie = random.chance(0.15) ? 1 : 0;
  if (locked.length > 0 && random.chance(0.6)) {
    const [transfer, { asset, to, amount, deadline }] = random.pick(locked);
    return call('bridge', 'attestOut', { transfer, asset, to, amount: amount + lie, deadline });
  }
  const outsideId = `o${random.int(OUTSIDE)}`;
  let content = notebook.outside.get(outsideId);
  if (content === undefined) {
    const deadline = at.nowMs + random.between(300, 2_000);
    content = { asset: ASSET, to: at.account, amount: random.between(1, 100), deadline };
    notebook.outside.set(outsideId, content);
  }
  const { asset, to, amount, deadline } = content;
  return call('bridge', 'attestIn', { outsideId, asset, to, amount: amount + lie, deadline });
}

export function timerRequest(at: Situation): Call {
  const { random } = at;
  const name = `t${random.int(TIMERS)}`;
  if (random.chance(0.25)) return call('clockwork', 'stop', { name });
  return call('clockwork', 'set', { name, at: soon(at) });
}

export function upgradeRequest({ upgradeHeight }: Situation): Call {
  // In most runs there is none: then the height is one that no run reaches.
  const height = Math.min(upgradeHeight, 1_000_000);
  const program = { name: 'clockwork', version: 2, digest: '' };
  return call('programs', 'approve', { height, ...program });
}
