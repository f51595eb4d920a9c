/** Blocks and the state of consensus. */
import type { Edge } from '../../edge/edge.ts';
import { integerField } from '../../edge/fields.ts';
import type { FinalBlock } from '../../edge/port.ts';
import { Problem } from '../../edge/problem.ts';
import { answer } from '../negotiation.ts';
import { onlyFinalized } from '../reads.ts';
import { onlyParameters, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';

export function chainRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/consensus/status',
      handle: (request) => onlyParameters(request, []) ?? answer(request, edge.status()),
    },
    {
      method: 'GET',
      path: '/api/v11/blocks/:height',
      handle: (request) => getBlock(edge, request),
    },
  ];
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
