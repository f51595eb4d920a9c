/** The command line of `npm run sim`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { orUsage, UsageError } from '../command-line.ts';
import type { Planted } from './patch.ts';
import { PLANTED_SEEDS_MAX, readPlanted } from './planted.ts';
import { FOCUSES, type ProfileOptions } from './profile.ts';

export const HELP = `npm run sim -- [options]
  --seeds N          how many seeds (1000; planted bugs ${PLANTED_SEEDS_MAX})
  --from S           the first of them (1)
  --seed N           only this one
  --trace            with --seed: every step in words
  --nodes 1|3|4|7|10 cluster size of every seed (mixed, mostly 4)
  --focus A,B        kinds of fault that every seed has (profile.ts, byzantine/behaviours.ts)
  --real-signatures  Ed25519 in every seed
  --jobs N           threads (one per core)
  --planted [NAME]   search for planted bugs, all or this one`;

const SEEDS = 1000;
const SIZES = ['1', '3', '4', '7', '10'];

export interface SimOptions {
  readonly seeds: number;
  readonly from: number;
  /** Only this one. */
  readonly seed: number | null;
  readonly trace: boolean;
  readonly jobs: number;
  readonly profile: ProfileOptions;
  /** The bugs to search for instead. */
  readonly planted: readonly Planted[] | null;
}

const CONFIG = {
  seeds: { type: 'string' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  nodes: { type: 'string' },
  focus: { type: 'string' },
  'real-signatures': { type: 'boolean', default: false },
  jobs: { type: 'string', default: String(availableParallelism()) },
  planted: { type: 'boolean', default: false },
} as const;

/** Throws UsageError. */
export function readOptions(argv: readonly string[]): SimOptions {
  const { values, positionals } = orUsage(() =>
    parseArgs({ args: [...argv], options: CONFIG, allowPositionals: true }),
  );
  const { nodes, focus, seed, seeds } = values;
  if (nodes !== undefined && !SIZES.includes(nodes)) {
    throw new UsageError(`--nodes takes one of ${SIZES.join(', ')}, not "${nodes}"`);
  }
  const isPlanted = values.planted;
  const extra = positionals[isPlanted ? 1 : 0];
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  return {
    seeds: positive('--seeds', seeds ?? String(isPlanted ? PLANTED_SEEDS_MAX : SEEDS)),
    from: positive('--from', values.from),
    seed: seed === undefined ? null : positive('--seed', seed),
    trace: values.trace,
    jobs: positive('--jobs', values.jobs),
    profile: {
      ...(focus === undefined ? {} : { focus: focus.split(',').map(focusOf) }),
      ...(nodes === undefined ? {} : { nodes: Number(nodes) }),
      ...(values['real-signatures'] ? { realSignatures: true } : {}),
    },
    planted: isPlanted ? plantedOf(positionals[0]) : null,
  };
}

function positive(flag: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} takes a whole number from 1 on, not "${text}"`);
}

function focusOf(name: string) {
  const found = FOCUSES.find((each) => each === name);
  if (found !== undefined) return found;
  throw new UsageError(`--focus takes names of ${FOCUSES.join(', ')}; not "${name}"`);
}

function plantedOf(name: string | undefined): readonly Planted[] {
  const all = readPlanted();
  if (name === undefined) return all;
  const found = all.find((each) => each.name === name);
  if (found !== undefined) return [found];
  throw new UsageError(`--planted: test/planted/ has no "${name}.patch"`);
}
