/**
 * Reads what a client asks for, `{module, command, args}` or `{transactions: […], …}`, out of parsed
 * JSON, msgpack or protobuf. Arguments are converted by the schema of their command, so that what a
 * module would refuse for its form is refused here, with the field at fault.
 */
import type { ConsensusLimits } from '../../protocols/genesis.ts';
import { toHex } from '../../protocols/bytes.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Millis, PublicKey } from '../../protocols/types.ts';
import type { ModuleCatalog } from '../modules/catalog.ts';
import { bytesField, integerField, isMembers, join, onlyMembers, textField } from './fields.ts';
import { commandArgs } from './catalog.ts';
import { malformed, Problem } from './problem.ts';

export interface SubmissionRequest {
  readonly calls: readonly Call[];
  /** Null: as long as the node chooses. */
  readonly validUntil: Millis | null;
  /** Null when the node is asked to vouch for the caller. */
  readonly client: ClientSignature | null;
}

export interface ClientSignature {
  readonly key: PublicKey;
  readonly seq: number;
  readonly signature: Uint8Array;
}

const NAME_LENGTH_MAX = 64;
const CALL_FIELDS = ['module', 'command', 'args'];
const MANY_FIELDS = ['transactions', 'client', 'seq', 'validUntil', 'signature'];

export function readSubmissionRequest(
  value: unknown,
  catalog: ModuleCatalog,
  limits: ConsensusLimits,
): SubmissionRequest | Problem {
  if (!isMembers(value))
    return malformed('expected {module, command, args} or {transactions: […]}');
  if (!Object.hasOwn(value, 'transactions')) {
    const call = readCall(value, catalog, '');
    return call instanceof Problem ? call : { calls: [call], validUntil: null, client: null };
  }
  const unknown = onlyMembers(value, MANY_FIELDS, '');
  if (unknown !== null) return unknown;
  const calls = readCalls(value['transactions'], catalog, limits.transactionsPerSubmissionMax);
  if (calls instanceof Problem) return calls;
  const validUntil =
    value['validUntil'] === undefined ? null : integerField(value['validUntil'], 'validUntil');
  if (validUntil instanceof Problem) return validUntil;
  const client = readClient(value);
  if (client instanceof Problem) return client;
  if (client !== null && validUntil === null) {
    return malformed('a signed submission says until when it is valid', 'validUntil');
  }
  return { calls, validUntil, client };
}

function readClient(value: Readonly<Record<string, unknown>>): ClientSignature | null | Problem {
  const names = ['client', 'seq', 'signature'];
  const missing = names.filter((name) => value[name] === undefined);
  if (missing.length === names.length) return null;
  if (missing[0] !== undefined) {
    return malformed('client, seq and signature stand together, or none of them', missing[0]);
  }
  const key = bytesField(value['client'], 'client', 32);
  if (key instanceof Problem) return key;
  const seq = integerField(value['seq'], 'seq');
  if (seq instanceof Problem) return seq;
  const signature = bytesField(value['signature'], 'signature', 64);
  if (signature instanceof Problem) return signature;
  return { key: toHex(key) as PublicKey, seq, signature };
}

function readCalls(value: unknown, catalog: ModuleCatalog, max: number): readonly Call[] | Problem {
  if (!Array.isArray(value) || value.length === 0) {
    return malformed('expected a list of at least one transaction', 'transactions');
  }
  if (value.length > max) {
    return new Problem(413, 'too_large', `a submission has at most ${max} transactions`, {
      field: 'transactions',
    });
  }
  const calls: Call[] = [];
  for (const [at, each] of value.entries()) {
    const call = readCall(each, catalog, `transactions[${at}]`);
    if (call instanceof Problem) return call;
    calls.push(call);
  }
  return calls;
}

function readCall(value: unknown, catalog: ModuleCatalog, at: string): Call | Problem {
  if (!isMembers(value)) return malformed('expected {module, command, args}', at);
  const unknown = onlyMembers(value, CALL_FIELDS, at);
  if (unknown !== null) return unknown;
  const module = textField(value['module'], join(at, 'module'), NAME_LENGTH_MAX);
  if (module instanceof Problem) return module;
  const command = textField(value['command'], join(at, 'command'), NAME_LENGTH_MAX);
  if (command instanceof Problem) return command;
  const args = commandArgs(catalog, { module, command, args: value['args'] ?? {} }, at);
  return args instanceof Problem ? args : { module, command, args: args.value };
}
