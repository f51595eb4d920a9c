/** The command line of `npm run model`. */
import { parseArgs } from 'node:util';
import { orUsage, UsageError } from '../command-line.ts';
import { DEFAULT_BOUNDS, NODES, type Bounds } from './bounds.ts';
import type { Limits } from './explore.ts';
import { PLANTED, type PlantedBound } from './planted.ts';

export const HELP = `npm run model -- [options]
  --byzantine B      the Byzantine validator, 0 to ${NODES - 1}, or none (${DEFAULT_BOUNDS.byzantine}); B leads terms B, B + ${NODES} …
  --terms N          terms 0 to N − 1 (${DEFAULT_BOUNDS.terms})
  --heights N        heights 1 to N (${DEFAULT_BOUNDS.heights})
  --variants N       blocks of a Byzantine leader for one place on one parent (${DEFAULT_BOUNDS.variants})
  --crashes N        crashes of honest validators in one execution (${DEFAULT_BOUNDS.crashes})
  --lawful           nothing that every validator must refuse is sent
  --seconds N        at most so long (600)
  --states N         at most so many states (30000000)
  --planted [NAME]   each planted bug that the bounds can show must be found, or this one`;

export interface ModelOptions {
  readonly bounds: Bounds;
  readonly limits: Limits;
  /** The bugs to search for instead. */
  readonly planted: readonly PlantedBound[] | null;
}

const CONFIG = {
  byzantine: { type: 'string' },
  terms: { type: 'string' },
  heights: { type: 'string' },
  variants: { type: 'string' },
  crashes: { type: 'string' },
  lawful: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '600' },
  states: { type: 'string', default: '30000000' },
  planted: { type: 'boolean', default: false },
} as const;

/** Throws UsageError. */
export function readOptions(argv: readonly string[]): ModelOptions {
  const { values, positionals } = orUsage(() =>
    parseArgs({ args: [...argv], options: CONFIG, allowPositionals: true }),
  );
  const extra = positionals[values.planted ? 1 : 0];
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  const number = (flag: 'terms' | 'heights' | 'variants' | 'crashes', min: number): number =>
    whole(`--${flag}`, values[flag] ?? String(DEFAULT_BOUNDS[flag]), min, 9);
  return {
    bounds: {
      byzantine: byzantineOf(values.byzantine ?? String(DEFAULT_BOUNDS.byzantine)),
      terms: number('terms', 1),
      heights: number('heights', 1),
      variants: number('variants', 1),
      crashes: number('crashes', 0),
      lawless: !values.lawful,
    },
    limits: {
      seconds: whole('--seconds', values.seconds, 1, 1e6),
      states: whole('--states', values.states, 1, 1e9),
    },
    planted: values.planted ? plantedOf(positionals[0]) : null,
  };
}

function whole(flag: string, text: string, min: number, max: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, not "${text}"`);
}

function byzantineOf(text: string): number | null {
  if (text === 'none') return null;
  if (/^\d$/.test(text) && Number(text) < NODES) return Number(text);
  throw new UsageError(`--byzantine takes 0 to ${NODES - 1} or none, not "${text}"`);
}

function plantedOf(name: string | undefined): readonly PlantedBound[] {
  if (name === undefined) return PLANTED;
  const found = PLANTED.find((each) => each.name === name);
  if (found !== undefined) return [found];
  throw new UsageError(`--planted: no bound is known that shows "${name}" (test/model/planted.ts)`);
}
