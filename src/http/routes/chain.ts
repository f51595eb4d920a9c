/** Blocks, the state of consensus, and the evidence against validators. */
import { Type } from '@sinclair/typebox';
import type { Edge } from '../../edge/edge.ts';
import { EVIDENCE_CURSOR, EVIDENCE_LIMIT_MAX, evidencePage } from '../../edge/evidence.ts';
import { integerField } from '../../edge/fields.ts';
import type { FinalBlock } from '../../edge/port.ts';
import { Problem } from '../../edge/problem.ts';
import { answer, eitherFormat } from '../negotiation.ts';
import { PROBLEMS, type Operation } from '../operation.ts';
import { onlyFinalized, READ_PARAMETERS, READ_PROBLEMS } from '../reads.ts';
import { onlyParameters, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';

const STATUS: Operation = {
  id: 'getConsensusStatus',
  tag: 'chain',
  summary: 'How the cluster agrees, as this node sees it.',
  answers: { 200: { description: 'the state', content: eitherFormat('ConsensusStatus') } },
  problems: [PROBLEMS.parameters, PROBLEMS.negotiated],
};

const EVIDENCE: Operation = {
  id: 'listEvidence',
  tag: 'chain',
  summary: 'Proofs that validators broke a rule, as far as this node has found any.',
  description:
    'Each holds two statements that one validator signed, of which no honest one signs both. Anybody can ' +
    'check it who has the genesis document: `althing evidence verify`.',
  parameters: [
    {
      name: 'cursor',
      in: 'query',
      description: 'the `next` of the page before',
      schema: Type.String({ pattern: EVIDENCE_CURSOR }),
    },
    {
      name: 'limit',
      in: 'query',
      description: `pieces wanted, 1 to ${EVIDENCE_LIMIT_MAX}; 50 without it`,
      schema: Type.Integer({ minimum: 1, maximum: EVIDENCE_LIMIT_MAX }),
    },
  ],
  answers: {
    200: {
      description: 'a page; go on with `cursor` set to `next`',
      content: eitherFormat('EvidencePage'),
    },
  },
  problems: [PROBLEMS.parameters, PROBLEMS.negotiated, { 503: ['log_unavailable'] }],
};

const BLOCK: Operation = {
  id: 'getBlock',
  tag: 'chain',
  summary: 'A final block, and the commit certificate of it or of a descendant.',
  parameters: [
    {
      name: 'height',
      in: 'path',
      description: 'a height, or `latest`',
      schema: Type.String({ pattern: '^(latest|0|[1-9][0-9]{0,15})$' }),
    },
    ...READ_PARAMETERS,
  ],
  answers: { 200: { description: 'the block', content: eitherFormat('Block') } },
  problems: [...READ_PROBLEMS, { 404: ['unknown_block'], 503: ['log_unavailable'] }],
};

export function chainRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/consensus/status',
      operation: STATUS,
      handle: (request) => onlyParameters(request, []) ?? answer(request, edge.status()),
    },
    {
      method: 'GET',
      path: '/api/v11/consensus/evidence',
      operation: EVIDENCE,
      handle: (request) => getEvidence(edge, request),
    },
    {
      method: 'GET',
      path: '/api/v11/blocks/:height',
      operation: BLOCK,
      handle: (request) => getBlock(edge, request),
    },
  ];
}

async function getEvidence(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyParameters(request, ['cursor', 'limit']);
  if (refused !== null) return refused;
  const { query } = request;
  const page = await evidencePage(edge, { cursor: query.get('cursor'), limit: query.get('limit') });
  return page instanceof Problem ? page : answer(request, page);
}

async function getBlock(edge: Edge, request: Request): Promise<Reply | Problem> {
  const refused = onlyFinalized(request);
  if (refused !== null) return refused;
  const named = request.params[0] ?? '';
  const height = named === 'latest' ? named : integerField(named, 'height');
  if (height instanceof Problem) return height;
  const found = await edge.block(height);
  if (found instanceof Problem) return found;
  if (found === null) {
    const detail = `no final block ${height} at this node`;
    return new Problem(404, 'unknown_block', detail, { field: 'height' });
  }
  return answer(request, blockView(found));
}

function blockView({ block, digest, certificate, txCount }: FinalBlock): object {
  return {
    height: block.height,
    digest,
    parent: block.parent,
    epoch: block.epoch,
    term: block.term,
    timestamp: block.timestamp,
    time: new Date(block.timestamp).toISOString(),
    txCount,
    cut: block.cut,
    executed: block.executed,
    endsEpoch: block.endsEpoch,
    justify: block.justify,
    signature: block.signature,
    certificate,
  };
}
