/** Pages of the evidence that a node has found, as HTTP and gRPC show it. */
import {
  evidenceDocument,
  type EvidenceDocument,
} from '../../protocols/voting/evidence-document.ts';
import type { Edge } from './edge.ts';
import { integerField } from './fields.ts';
import type { EvidencePlace } from './port.ts';
import { logUnavailable, malformed, Problem } from './problem.ts';

export const EVIDENCE_CURSOR = '^[0-9]{1,3}\\.[0-9]{1,9}$';
export const EVIDENCE_LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;
const START: EvidencePlace = { shelf: 0, position: 0 };

export interface EvidenceView {
  readonly evidence: readonly EvidenceDocument[];
  /** The `cursor` of the next page; null at the end. */
  readonly next: string | null;
}

/** What a client says of the page that it wants. */
export interface EvidenceWanted {
  readonly cursor?: string | undefined;
  readonly limit?: string | number | undefined;
}

export async function evidencePage(
  { port, cluster }: Pick<Edge, 'port' | 'cluster'>,
  { cursor, limit: wanted }: EvidenceWanted,
): Promise<EvidenceView | Problem> {
  const from = cursor === undefined ? START : placeIn(cursor);
  if (from instanceof Problem) return from;
  const limit = wanted === undefined ? LIMIT_DEFAULT : limitIn(wanted);
  if (limit instanceof Problem) return limit;
  const page = port.live().log.writable ? await port.evidence(from, limit) : 'unavailable';
  if (page === 'unavailable') return logUnavailable();
  const { evidence, next } = page;
  return {
    evidence: evidence.map((each) => evidenceDocument({ cluster }, each)),
    next: next === null ? null : `${next.shelf}.${next.position}`,
  };
}

function placeIn(cursor: string): EvidencePlace | Problem {
  if (!new RegExp(EVIDENCE_CURSOR).test(cursor)) {
    return malformed('expected the `next` of the page before', 'cursor');
  }
  const [shelf = 0, position = 0] = cursor.split('.').map(Number);
  return { shelf, position };
}

function limitIn(wanted: string | number): number | Problem {
  const limit = integerField(wanted, 'limit');
  if (limit instanceof Problem) return limit;
  if (limit >= 1 && limit <= EVIDENCE_LIMIT_MAX) return limit;
  return malformed(`expected 1 to ${EVIDENCE_LIMIT_MAX}`, 'limit');
}
