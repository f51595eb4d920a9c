/** Reads that are believed for their proof, and for nothing that a node says. */
import { fromHex, isHex } from '../../protocols/bytes.ts';
import { ModuleRefusal, type Module } from '../../protocols/transaction/module.ts';
import { readText } from '../../protocols/transaction/text-reader.ts';
import { tableId } from '../../protocols/transaction/tree-encoding.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';
import { ask, isRefusal, type Taken } from './asking.ts';
import { AlthingError } from './errors.ts';
import { linearizableHeight } from './linearizable.ts';
import { problemOf, type NodeAnswer, type NodeRequest, type Nodes } from './nodes.ts';
import { computeProved } from './proved-tables.ts';
import {
  notTaken,
  parsedAnswer,
  reading,
  READ_PATIENCE_MS,
  type Answer,
  type Parameters,
  type ReadOptions,
} from './reads.ts';
import type { Freshness, Trust } from './trust.ts';

/** A submission that is final. */
export interface ProvedReceipts {
  readonly id: Digest;
  readonly height: number;
  /** One for each transaction, in order. */
  readonly receipts: readonly Receipt[];
}

export class ProvedReads {
  readonly trust: Trust;
  readonly #nodes: Nodes;

  constructor(nodes: Nodes, trust: Trust) {
    this.#nodes = nodes;
    this.trust = trust;
  }

  /**
   * The result of a query, computed here from rows that are proved. Throws AlthingError: the module's
   * refusal, computed the same way (by f + 1 nodes where it read a page), or why no node's answer holds.
   */
  async query<Result>(
    module: Module,
    query: string,
    args: { readonly value: Value; readonly parameters: Parameters },
    options: ReadOptions,
  ): Promise<Answer<Result>> {
    const path = `/api/v11/${module.name}/${query}`;
    const fresh = await this.#freshness(path, args.parameters, options);
    const request = reading(path, { ...args.parameters, proof: 1 });
    return this.#ask(request, options, (proof) => {
      const proven = this.trust.verifyNow(proof, fresh);
      const { value, isComplete } = computeProved(module, query, args.value, proven);
      if (value instanceof ModuleRefusal) {
        const error = new AlthingError(value.code, value.message, 404);
        // After a page it is what follows from rows that a node may have left out.
        return { kind: 'refused', error, isProved: isComplete };
      }
      const { height } = proven.certified.executed;
      return { kind: 'holds', value: { height, result: value as Result, isComplete } };
    });
  }

  /** The row under a key, undefined when it is proved that there is none. */
  async row(
    module: string,
    table: string,
    key: string,
    options: ReadOptions,
  ): Promise<Answer<Value | undefined>> {
    const names = [module, table, key].map(encodeURIComponent).join('/');
    const path = `/api/v11/state/${names}`;
    if (options.consistency === 'linearizable') {
      throw new AlthingError(
        'not_provable',
        'a row is not read linearizably: ask a query',
        0,
        'consistency',
      );
    }
    const fresh = await this.#freshness(path, {}, options);
    const id = tableId(module, table);
    return this.#ask(reading(path, { proof: 1 }), options, (proof) => {
      const { certified, facts } = this.trust.verifyNow(proof, fresh);
      for (const fact of facts) {
        if (fact.kind === 'receipts' || fact.table !== id || fact.key !== key) continue;
        const result = fact.kind === 'row' ? fact.row : undefined;
        const value = { height: certified.executed.height, result, isComplete: true };
        return { kind: 'holds', value };
      }
      const detail = `the proof says nothing of ${JSON.stringify(key)} in ${id}`;
      return { kind: 'unfit', error: new AlthingError('not_proved', detail) };
    });
  }

  /** What a submission got, from whichever node proves it. */
  receipts(id: Digest, options: ReadOptions): Promise<ProvedReceipts> {
    return this.#ask(receiptsOf(id), options, (proof) => this.#receiptsIn(proof, id));
  }

  /** The same from one node, or why it does not prove it now. */
  async receiptsFrom(
    node: number,
    id: Digest,
    signal: AbortSignal,
  ): Promise<ProvedReceipts | AlthingError> {
    const answer = await this.#nodes.ask(node, receiptsOf(id), signal);
    if (answer === null) return new AlthingError('no_answer', 'no answer');
    const taken = attempt(answer, (proof) => this.#receiptsIn(proof, id));
    return taken.kind === 'holds' ? taken.value : taken.error;
  }

  #receiptsIn(proof: Uint8Array, id: Digest): Taken<ProvedReceipts> {
    for (const fact of this.trust.verify(proof).facts) {
      if (fact.kind !== 'receipts' || fact.submission.id !== id) continue;
      const { receipts, submission } = fact;
      return { kind: 'holds', value: { id, height: submission.height, receipts } };
    }
    const detail = `the proof says nothing of submission ${id}`;
    return { kind: 'unfit', error: new AlthingError('not_proved', detail) };
  }

  async #freshness(path: string, parameters: Parameters, options: ReadOptions): Promise<Freshness> {
    const { minHeight = this.trust.height, maxAgeMs, atHeight, consistency } = options;
    if (atHeight !== undefined) {
      const detail = "the past is read without a proof: ask with trust: 'node'";
      throw new AlthingError('not_provable', detail, 0, 'atHeight');
    }
    if (consistency !== 'linearizable') return { minHeight, maxAgeMs };
    const { faultyMax } = this.trust.facts;
    const least = await linearizableHeight(this.#nodes, { path, parameters, faultyMax }, options);
    return { minHeight: Math.max(minHeight, least), maxAgeMs };
  }

  #ask<T>(
    request: NodeRequest,
    { patienceMs = READ_PATIENCE_MS, signal }: ReadOptions,
    take: (proof: Uint8Array) => Taken<T>,
  ): Promise<T> {
    const patience = { ms: patienceMs, signal, refusals: this.trust.facts.faultyMax + 1 };
    return ask(this.#nodes, request, patience, (answer) => attempt(answer, take));
  }
}

function receiptsOf(id: Digest): NodeRequest {
  return reading(`/api/v11/transactions/${id}`, { proof: 1 });
}

function attempt<T>(answer: NodeAnswer, take: (proof: Uint8Array) => Taken<T>): Taken<T> {
  const proof = proofIn(answer);
  if (proof === null) return withoutProof(answer);
  try {
    return take(proof);
  } catch (error) {
    if (!(error instanceof AlthingError)) throw error;
    // No patience makes nodes be of this cluster: it is refused when more say so than may lie (X2).
    const isElsewhere = error.code === 'other_cluster';
    return isElsewhere ? { kind: 'refused', error, isProved: false } : { kind: 'unfit', error };
  }
}

/** Beside a result it is bytes, and hex in the problem that a refusal is. */
function proofIn(answer: NodeAnswer): Uint8Array | null {
  if (answer.status === 200) return memberOf(parsedAnswer(answer)?.value, 'proof', Uint8Array);
  if (!isRefusal(answer.status)) return null;
  const text = readText(answer.body, 0, answer.body.length);
  try {
    const hex = memberOf(JSON.parse(text ?? ''), 'proof', String);
    return hex !== null && isHex(hex, hex.length / 2) ? fromHex(hex) : null;
  } catch {
    return null;
  }
}

function withoutProof(answer: NodeAnswer): Taken<never> {
  if (isRefusal(answer.status)) return notTaken(answer);
  const error =
    answer.status < 400
      ? new AlthingError('not_proved', 'the answer of a node has no proof', answer.status)
      : problemOf(answer);
  return { kind: 'unfit', error };
}

function memberOf(value: unknown, name: string, type: typeof Uint8Array): Uint8Array | null;
function memberOf(value: unknown, name: string, type: typeof String): string | null;
function memberOf(value: unknown, name: string, type: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null;
  const member = (value as Readonly<Record<string, unknown>>)[name];
  const fits = type === String ? typeof member === 'string' : member instanceof Uint8Array;
  return fits ? member : null;
}
