/**
 * Evidence as it is shown and handed on: a document that anybody can check who has the genesis document,
 * with the very bytes that the accused signed, for those who have nothing but an Ed25519 library.
 *
 * I142. A document is proved only if its statements are evidence (I84) under the keys and the id of this
 *       cluster, and everything else in it is what follows from them. So nobody is accused by a document
 *       but who signed both statements, and nothing in it can be altered.
 */
import { fromHex, isHex, toHex } from '../bytes.ts';
import type { Verifier } from '../certificates.ts';
import { decode, type Schema } from '../codec.ts';
import { canonicalJson } from '../genesis.ts';
import {
  batchBytes,
  batchHeader,
  timeout,
  timeoutBytes,
  vote,
  voteBytes,
  voteKind,
} from '../structures.ts';
import type { BatchHeader, Digest, Timeout, Vote, VoteKind } from '../types.ts';
import { accusedBy, isEvidenceValid, type Evidence, type EvidenceKind } from './evidence.ts';

/** Values of JSON alone: signatures and what they cover are lower-case hex. */
export interface EvidenceDocument {
  readonly kind: EvidenceKind;
  readonly clusterId: Digest;
  readonly accused: { readonly index: number; readonly id: string; readonly publicKey: string };
  readonly epoch: number;
  /** Null for batches, which belong to no term. */
  readonly term: number | null;
  /** Null where the statements are not of one height. */
  readonly height: number | null;
  /** In the lane of the accused; null where it is not about a lane. */
  readonly seq: number | null;
  readonly statements: readonly StatementDocument[];
}

/** The fields of the structure, with `signed`: the bytes that its signature covers. */
export type StatementDocument = { readonly statement: 'vote' | 'timeout' | 'batch' } & Readonly<
  Record<string, unknown>
>;

export type EvidenceVerdict =
  | { readonly ok: true; readonly evidence: Evidence; readonly document: EvidenceDocument }
  | {
      readonly ok: false;
      readonly code: 'other_cluster' | 'malformed' | 'not_evidence' | 'altered';
      readonly message: string;
    };

type Statement = Vote | Timeout | BatchHeader;

interface Form {
  readonly statement: StatementDocument['statement'];
  readonly fields: readonly string[];
  readonly schema: Schema<never>;
  readonly bytes: (clusterId: Digest, value: never) => Uint8Array;
}

/** Fields in the order of their schemas. */
const FORMS: readonly Form[] = [
  {
    statement: 'vote',
    fields: 'kind epoch term height block first voter signature'.split(' '),
    schema: vote as Schema<never>,
    bytes: voteBytes,
  },
  {
    statement: 'timeout',
    fields: 'epoch term highTerm highHeight highBlock voter signature'.split(' '),
    schema: timeout as Schema<never>,
    bytes: timeoutBytes,
  },
  {
    statement: 'batch',
    fields: 'epoch lane seq parentDigest payloadDigest txCount bytes signature'.split(' '),
    schema: batchHeader as Schema<never>,
    bytes: batchBytes,
  },
];
/** What the two statements are, by the kind of the evidence. */
const STATEMENTS: Readonly<Record<EvidenceKind, readonly [string, string]>> = {
  doubleVote: ['vote', 'vote'],
  doubleFirst: ['vote', 'vote'],
  hiddenCommit: ['vote', 'timeout'],
  doubleBatch: ['batch', 'batch'],
};

/** `item` is valid evidence of this cluster. */
export function evidenceDocument(
  { cluster }: Pick<Verifier, 'cluster'>,
  item: Evidence,
): EvidenceDocument {
  const index = accusedBy(item);
  const { id, publicKey } = cluster.genesis.validators[index]!;
  const kinds = STATEMENTS[item.kind];
  const [first, second] =
    item.kind === 'hiddenCommit' ? [item.vote, item.timeout] : [item.first, item.second];
  return {
    kind: item.kind,
    clusterId: cluster.id,
    accused: { index, id, publicKey },
    ...placeOf(item),
    statements: [
      statementOf(cluster.id, kinds[0], first),
      statementOf(cluster.id, kinds[1], second),
    ],
  };
}

function placeOf(item: Evidence): Pick<EvidenceDocument, 'epoch' | 'term' | 'height' | 'seq'> {
  if (item.kind === 'doubleBatch') {
    const { epoch, seq } = item.first;
    return { epoch, term: null, height: null, seq };
  }
  const { epoch, term, height } = item.kind === 'hiddenCommit' ? item.vote : item.first;
  return { epoch, term, height: item.kind === 'doubleFirst' ? null : height, seq: null };
}

const formOf = (statement: string): Form => FORMS.find((form) => form.statement === statement)!;

function statementOf(clusterId: Digest, statement: string, value: Statement): StatementDocument {
  const form = formOf(statement);
  const fields = form.fields.map((name) => {
    const field = value[name as keyof Statement] as unknown;
    return [name, field instanceof Uint8Array ? toHex(field) : field] as const;
  });
  const signed = toHex(form.bytes(clusterId, value as never));
  return { statement: form.statement, ...Object.fromEntries(fields), signed };
}

/** Whether a value out of JSON is a document of evidence, proved or not. */
export function isEvidenceLike(value: unknown): value is Readonly<Record<string, unknown>> {
  const { kind, statements } = Object(value) as Readonly<Record<string, unknown>>;
  return typeof kind === 'string' && Object.hasOwn(STATEMENTS, kind) && Array.isArray(statements);
}

/** Checks a document from anywhere, with nothing but the genesis document. */
export function verifyEvidence(verifier: Verifier, value: unknown): EvidenceVerdict {
  if (!isEvidenceLike(value)) return refusal('malformed', 'it is no document of evidence');
  const { cluster } = verifier;
  if (value['clusterId'] !== cluster.id) {
    return refusal('other_cluster', `it is of another cluster than ${cluster.id}`);
  }
  const evidence = evidenceIn(value);
  if (evidence === null)
    return refusal('malformed', 'a statement lacks a field, or has a wrong one');
  if (!isEvidenceValid(verifier, evidence)) {
    const message =
      'the statements do not contradict each other, or one validator did not sign both';
    return refusal('not_evidence', message);
  }
  const document = evidenceDocument(verifier, evidence);
  if (canonicalJson(document) !== canonicalJson(value)) {
    return refusal('altered', 'it says something else than its statements show');
  }
  return { ok: true, evidence, document };
}

function refusal(
  code: Extract<EvidenceVerdict, { ok: false }>['code'],
  message: string,
): EvidenceVerdict {
  return { ok: false, code, message };
}

function evidenceIn(value: Readonly<Record<string, unknown>>): Evidence | null {
  const kind = value['kind'] as EvidenceKind;
  const statements = value['statements'] as readonly unknown[];
  const [first, second] = STATEMENTS[kind].map((each, at) => statementIn(each, statements[at]));
  if (!first || !second) return null;
  const pair = kind === 'hiddenCommit' ? { vote: first, timeout: second } : { first, second };
  return { kind, ...pair } as unknown as Evidence;
}

function statementIn(statement: string, value: unknown): Statement | null {
  const members = Object(value) as Readonly<Record<string, unknown>>;
  const { fields, schema } = formOf(statement);
  const packed = fields.map((name) => {
    const field = Object.hasOwn(members, name) ? members[name] : undefined;
    if (name === 'kind') return voteKind.pack(field as VoteKind);
    if (name !== 'signature') return field;
    return typeof field === 'string' && isHex(field, field.length / 2) ? fromHex(field) : null;
  });
  const decoded = decode<Statement>(schema, packed);
  return decoded.ok ? decoded.value : null;
}
