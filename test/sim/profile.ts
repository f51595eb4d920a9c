/**
 * Which faults a seed has, and how many of each: every seed draws its own mixture (swarm testing), so
 * that runs differ in kind and not only in luck. A focus turns the kinds that it names on for sure.
 */
import { faultyMax } from '../../protocols/quorum.ts';
import { BEHAVIOURS, type BehaviourName, type DrawnName } from './byzantine/behaviours.ts';
import { Random } from '../../bench/random.ts';

/** Delays of one directed link. Times in microseconds. */
export interface LinkProfile {
  readonly minUs: number;
  readonly jitterUs: number;
  /** Probability that a message is lost, while faults last. */
  readonly loss: number;
  readonly duplicate: number;
  /** Messages of one class arrive in the order they were sent, as on one TCP connection. */
  readonly ordered: boolean;
}

export interface Profile {
  readonly seed: number;
  readonly n: number;
  readonly link: LinkProfile;
  /** Mean time between two faults of a kind in milliseconds; 0 for never. */
  readonly partitionEveryMs: number;
  readonly crashEveryMs: number;
  readonly pauseEveryMs: number;
  readonly clockStepEveryMs: number;
  /** A clock is set to quite another time, and set right again soon. */
  readonly clockJumpEveryMs: number;
  /** All nodes lose power at once somewhere in the run. */
  readonly blackout: boolean;
  /** Validators whose every turn and write takes many times as long. */
  readonly slow: readonly number[];
  /** Largest offset of a node's clock from true time, either way. */
  readonly skewMs: number;
  readonly appendErrors: number;
  /** How long execution takes for each KiB; 0 for no time. */
  readonly executeUsPerKib: number;
  readonly syncUs: number;
  readonly heartbeatMs: number;
  /** What each Byzantine validator does; all others are honest. */
  readonly byzantine: ReadonlyMap<number, readonly BehaviourName[]>;
  readonly clients: number;
  readonly submissionsPerClient: number;
  /** Reads of executed state while faults last. */
  readonly questions: number;
  /** Height at which another version of a module takes over, if enough validators approve it in time. */
  readonly upgradeHeight: number;
  /** A validator that does not have that version. */
  readonly lacksUpgrade: number | null;
  /** Reads that must reflect all that is final when they begin, and of what there was before. */
  readonly reads: number;
  /** How much a node executes between two snapshots at least; Infinity for none. */
  readonly snapshotWorkMin: number;
  /** By how much a client raises its sequence numbers: its window moves on quickly (E2). */
  readonly seqStep: number;
  /** Faults last for this long, then everything heals. */
  readonly faultsMs: number;
  /** No fault of any kind: every leader does its work in time. */
  readonly calm: boolean;
  /** Messages pass through their real encoding. */
  readonly encoded: boolean;
  readonly realSignatures: boolean;
}

const FAULT_KINDS = [
  'loss',
  'reorder',
  'partition',
  'crash',
  'blackout',
  'pause',
  'slow',
  'skew',
  'jump',
  'append',
  /** Execution takes longer than sending what is executed. */
  'heavy',
  /** Links so long that agreement takes longer than the shortest timeout. */
  'far',
] as const;

const KINDS_OF_RUN = [
  'calm',
  'encoded',
  'idle',
  'window',
  'busy',
  'upgrade',
  'reads',
  'snapshots',
] as const;

export type Focus = (typeof FAULT_KINDS)[number] | DrawnName | (typeof KINDS_OF_RUN)[number];

export const FOCUSES: readonly Focus[] = [...FAULT_KINDS, ...KINDS_OF_RUN, ...BEHAVIOURS];

export interface ProfileOptions {
  readonly nodes?: number;
  /** Kinds of fault that every seed has. With `calm`, no others. */
  readonly focus?: readonly Focus[];
  readonly realSignatures?: boolean;
}

const FAR_US = 250_000;
const HEAVY_US = 10_000;
const REAL_SIGNATURES_EVERY = 97;
/** Mostly the smallest cluster that tolerates a Byzantine fault; larger ones cost more time. */
const SIZES = [...Array.from({ length: 34 }, () => 4), 1, 3, 3, 7, 7, 10];

export function profileOf(seed: number, options: ProfileOptions = {}): Profile {
  const random = new Random(seed);
  const focus = new Set<Focus>(options.focus ?? []);
  const calm = focus.has('calm');
  const on = (kind: Focus, chance: number): boolean => {
    const drawn = random.chance(chance);
    return focus.has(kind) || (drawn && !calm);
  };
  const every = (kind: Focus, chance: number, ms: number): number =>
    on(kind, chance) ? ms * (0.5 + random.float()) : 0;
  const n = options.nodes ?? random.pick(SIZES);
  const drawn = {
    seed,
    n,
    link: linkProfile(random, on),
    partitionEveryMs: every('partition', 0.35, 900),
    crashEveryMs: every('crash', 0.35, 1100),
    pauseEveryMs: every('pause', 0.2, 1200),
    clockStepEveryMs: every('skew', 0.2, 700),
    blackout: on('blackout', 0.15),
    slow: on('slow', 0.15) ? [random.int(n)] : [],
    skewMs: random.between(0, 100),
    appendErrors: on('append', 0.15) ? 0.01 : 0,
    syncUs: random.pick([200, 1_000, 1_000, 8_000]),
    heartbeatMs: focus.has('idle') ? 3_000 : random.pick([100, 250, 250, 3_000]),
    byzantine: byzantineOf(random, n, focus),
    clients: random.between(1, 3),
    submissionsPerClient: n > 4 ? random.between(1, 2) : random.between(2, 5),
    seqStep: on('window', 0.2) ? 700 : 1,
    faultsMs: n > 4 ? random.between(400, 1_200) : random.between(600, 2_600),
    encoded: on('encoded', 0.2),
    realSignatures: options.realSignatures ?? seed % REAL_SIGNATURES_EVERY === 0,
    clockJumpEveryMs: every('jump', 0.1, 800),
    executeUsPerKib: on('heavy', 0.1) ? HEAVY_US : 0,
    questions: random.between(2, 12),
    upgradeHeight: on('upgrade', 0.25) ? random.between(20, 26) : Infinity,
    lacksUpgrade: random.chance(0.3) && !calm ? random.int(n) : null,
    reads: on('reads', 0.4) ? random.between(3, 12) : 0,
    snapshotWorkMin: on('snapshots', 0.6) ? random.pick([1, 100, 400]) : Infinity,
  };
  // Many requests and reads, for the modules rather than for the protocol. Where the window moves quickly,
  // a client asks for one thing after the other, and many take too long.
  const isBusy = on('busy', 0.08) && drawn.seqStep === 1;
  const busy = isBusy ? { clients: 3, submissionsPerClient: 14, questions: 60 } : {};
  return { ...drawn, ...busy, calm: isCalm(drawn) };
}

function isCalm(profile: Omit<Profile, 'calm'>): boolean {
  const { partitionEveryMs, crashEveryMs, pauseEveryMs, appendErrors, link } = profile;
  const { clockStepEveryMs, clockJumpEveryMs } = profile;
  const isLacking = profile.upgradeHeight < Infinity && profile.lacksUpgrade !== null;
  const clocks = clockStepEveryMs + clockJumpEveryMs;
  const faults = partitionEveryMs + crashEveryMs + pauseEveryMs + clocks + appendErrors;
  const isLinkFine = link.loss + link.duplicate === 0 && link.ordered && link.minUs < FAR_US;
  const isQuick = profile.slow.length === 0 && profile.byzantine.size === 0;
  return faults === 0 && isLinkFine && isQuick && !isLacking && !profile.blackout;
}

function linkProfile(random: Random, on: (kind: Focus, chance: number) => boolean): LinkProfile {
  return {
    minUs: on('far', 0.04) ? FAR_US : random.pick([50, 200, 1_000, 5_000]),
    jitterUs: random.pick([20, 500, 2_000, 15_000]),
    loss: on('loss', 0.3) ? random.float() * 0.1 : 0,
    duplicate: on('loss', 0.3) ? random.float() * 0.1 : 0,
    ordered: !on('reorder', 0.4),
  };
}

function byzantineOf(
  random: Random,
  n: number,
  focus: ReadonlySet<Focus>,
): Map<number, readonly BehaviourName[]> {
  const wanted = BEHAVIOURS.filter((name) => focus.has(name));
  const drawn = random.chance(0.5) && !focus.has('calm');
  const faulty = new Map<number, readonly BehaviourName[]>();
  const count = wanted.length > 0 || drawn ? faultyMax(n) : 0;
  const order = random.shuffle(Array.from({ length: n }, (_, index) => index));
  for (const validator of order.slice(0, count)) {
    const extra = random.shuffle(BEHAVIOURS).slice(0, random.between(wanted.length > 0 ? 0 : 1, 3));
    const names = new Set(focus.has('calm') ? wanted : [...wanted, ...extra]);
    faulty.set(validator, [...names]);
  }
  return faulty;
}
