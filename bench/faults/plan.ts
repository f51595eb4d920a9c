/**
 * Which faults come when: all of it follows from a seed, so that a run can be had again. They come in
 * rounds, after each of which all is mended: so much happens between faults however slow a machine is.
 */
import type { Random } from '../random.ts';

export const FAULT_KINDS = ['kill', 'pause', 'partition', 'database', 'disk', 'clock'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * What a partition does to the links of `nodes`: they neither say nor hear anything, or only the one;
 * their connections are cut, or again and again; or all that they say and hear is late.
 */
export const PARTITIONS = ['hole', 'unheard', 'deaf', 'cut', 'flapping', 'late'] as const;
export type Partition = (typeof PARTITIONS)[number];

interface Hit {
  /** Milliseconds from the start of the round. */
  readonly atMs: number;
  readonly forMs: number;
  readonly nodes: readonly number[];
}

export type Fault = Hit &
  (
    | { readonly kind: 'kill' | 'pause' | 'database' | 'disk' }
    | { readonly kind: 'partition'; readonly partition: Partition }
    | { readonly kind: 'clock'; readonly offsetMs: number }
  );

const ROUND_MS = 20_000;
/** From the start of a fault to that of the next: faults overlap, and sometimes there is none. */
const APART_MS = { mean: 3_500, least: 500 };
const FOR_MS: Readonly<Record<FaultKind, number>> = {
  kill: 5_000,
  pause: 6_000,
  partition: 8_000,
  database: 6_000,
  disk: 8_000,
  clock: 10_000,
};
const OFFSET_MS_MAX = 2 * 60 * 60 * 1000;

/** The faults of one round; at least one. */
export function roundOf(random: Random, kinds: readonly FaultKind[], size: number): Fault[] {
  const faults: Fault[] = [];
  let atMs = 0;
  while (atMs < ROUND_MS) {
    const kind = random.pick(kinds);
    const hit = new Set(random.shuffle(allOf(size)).slice(0, victims(random, size)));
    const nodes = allOf(size).filter((node) => hit.has(node));
    const forMs = random.int(FOR_MS[kind]);
    faults.push(faultOf(random, kind, { atMs, forMs, nodes }));
    atMs += APART_MS.least + Math.round(random.exponential(APART_MS.mean));
  }
  return faults;
}

/** Mostly one; at times as many as stop a cluster, or all. */
function victims(random: Random, size: number): number {
  const drawn = random.float();
  if (drawn < 0.65) return 1;
  return drawn < 0.9 ? 2 : size;
}

function faultOf(random: Random, kind: FaultKind, hit: Hit): Fault {
  switch (kind) {
    case 'partition':
      return { ...hit, kind, partition: random.pick(PARTITIONS) };
    case 'clock': {
      const offsetMs =
        random.pick([-1, 1]) * random.between(1, random.pick([5_000, OFFSET_MS_MAX]));
      return { ...hit, kind, offsetMs };
    }
    case 'kill':
    case 'pause':
    case 'database':
    case 'disk':
      return { ...hit, kind };
  }
}

function allOf(size: number): number[] {
  return Array.from({ length: size }, (_, node) => node);
}

export function textOf(fault: Fault): string {
  const { kind, nodes, forMs } = fault;
  const more =
    fault.kind === 'partition'
      ? ` (${fault.partition})`
      : fault.kind === 'clock'
        ? ` (${fault.offsetMs} ms)`
        : '';
  return `${kind}${more} of ${nodes.join(', ')} for ${forMs} ms`;
}
