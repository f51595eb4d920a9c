/** The genesis document on disk: made once, checked whenever it is read, and its hash, the cluster id. */
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import {
  DEFAULT_LIMITS,
  programOf,
  type ConsensusLimits,
  type Genesis,
} from '../../protocols/genesis.ts';
import { VALIDATORS_MAX } from '../../protocols/structures.ts';
import { STEPS_MAX, STEPS_MIN } from '../../protocols/transaction/meter.ts';
import type { Module } from '../../protocols/transaction/module.ts';
import type { PublicKey } from '../../protocols/types.ts';
import { builtInModules } from '../modules/built-in.ts';
import { FRAME_BYTES_MAX } from '../peers/frames.ts';

export const NODE_ID_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
/** Envelope and lengths beside a batch in its frame. */
const FRAME_ROOM = 4096;

const limit = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const steps = Type.Integer({ minimum: STEPS_MIN, maximum: Number.MAX_SAFE_INTEGER });
const limitNames = Object.keys(DEFAULT_LIMITS) as (keyof ConsensusLimits)[];
const closed = { additionalProperties: false };

const limitsOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, limit]));

const schema = Type.Object(
  {
    version: Type.Literal(1),
    name: Type.String({ minLength: 1, maxLength: 64 }),
    createdAtMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    validators: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: NODE_ID_PATTERN }),
          publicKey: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        },
        closed,
      ),
      { minItems: 1, maxItems: VALIDATORS_MAX },
    ),
    limits: Type.Object({ ...limitsOf(limitNames), stepsMax: Type.Optional(steps) }, closed),
    modules: Type.Record(Type.String(), Type.Unknown()),
    programs: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
            version: Type.Integer({ minimum: 1 }),
            digest: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
);

export class GenesisError extends Error {}

export function createGenesis(options: {
  readonly name: string;
  readonly nowMs: number;
  readonly validators: readonly { readonly id: string; readonly publicKey: PublicKey }[];
  /** Public keys whose owners may issue money. */
  readonly issuers: readonly PublicKey[];
  /** Beside the built-in ones. */
  readonly modules?: readonly Module[];
}): Genesis {
  return {
    version: 1,
    name: options.name,
    createdAtMs: options.nowMs,
    validators: options.validators,
    limits: { ...DEFAULT_LIMITS, stepsMax: STEPS_MAX },
    modules: { ledger: { issuers: options.issuers.map((key) => `key:${key}`) } },
    programs: [...builtInModules, ...(options.modules ?? [])].map(programOf),
  };
}

/** Throws GenesisError that names every fault. */
export function parseGenesis(text: string): Genesis {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new GenesisError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Value.Check(schema, value)) {
    const faults = [...Value.Errors(schema, value)].map(
      ({ path, message }) => `${path} ${message}`,
    );
    throw new GenesisError(faults.slice(0, 8).join('; '));
  }
  const faults = contradictions(value);
  if (faults.length > 0) throw new GenesisError(faults.join('; '));
  return value as unknown as Genesis;
}

function contradictions({ validators, limits, programs }: Static<typeof schema>): string[] {
  const faults: string[] = [];
  const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
  if (!unique(validators.map(({ id }) => id))) faults.push('two validators have the same id');
  if (!unique(validators.map(({ publicKey }) => publicKey))) {
    faults.push('two validators have the same key');
  }
  const { laneBytesMax, batchBytesMax, submissionBytesMax, transactionBytesMax } =
    limits as unknown as ConsensusLimits;
  const inOrder =
    transactionBytesMax <= submissionBytesMax &&
    submissionBytesMax <= batchBytesMax &&
    batchBytesMax <= laneBytesMax;
  if (!inOrder) {
    faults.push('limits must rise: transaction, submission, batch, lane');
  }
  if (!unique((programs ?? []).map(({ name }) => name))) faults.push('two programs have one name');
  if (batchBytesMax > FRAME_BYTES_MAX - FRAME_ROOM) {
    faults.push(
      `/limits/batchBytesMax is beyond what peers take (${FRAME_BYTES_MAX - FRAME_ROOM})`,
    );
  }
  return faults;
}
