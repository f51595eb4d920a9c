/**
 * The height that a proved read has to reach so that it misses nothing.
 *
 * X6. Of 2f + 1 nodes that read linearizably, the height of the (f + 1)-th highest is at or above what
 *     an honest one was told by a quorum after the read began, and not above what an honest one has
 *     reached: a proof from there on shows all that was final, and nodes can give one.
 */
import { isRefusal } from './asking.ts';
import { AlthingError } from './errors.ts';
import { askAll } from './hedging.ts';
import { membersOf, type NodeAnswer, type Nodes } from './nodes.ts';
import { pathWith, READ_PATIENCE_MS, type Parameters, type ReadOptions } from './reads.ts';
import { within } from './waiting.ts';

interface Asked {
  readonly path: string;
  readonly parameters: Parameters;
  readonly faultyMax: number;
}

/** Throws AlthingError: `too_few_nodes`, or `no_answer` when fewer than 2f + 1 told. */
export function linearizableHeight(
  nodes: Nodes,
  { path, parameters, faultyMax }: Asked,
  { patienceMs = READ_PATIENCE_MS, signal }: ReadOptions,
): Promise<number> {
  const enough = 2 * faultyMax + 1;
  if (nodes.count < enough) {
    const detail = `a proved linearizable read asks ${enough} nodes: give the client their addresses`;
    throw new AlthingError('too_few_nodes', detail);
  }
  const request = pathWith(path, { ...parameters, consistency: 'linearizable' });
  return within(patienceMs, signal, async (bound) => {
    const said = await askAll(
      nodes,
      bound,
      (node, end) => heightAt(nodes, node, request, end),
      (each) => heightsIn(each).length >= enough,
    );
    const told = heightsIn(said);
    const height = told.toSorted((a, b) => b - a)[faultyMax];
    if (told.length >= enough && height !== undefined) return height;
    const detail = `${told.length} nodes answered a linearizable read, of ${enough} that are needed`;
    throw new AlthingError('no_answer', detail);
  });
}

function heightsIn(said: ReadonlyMap<number, number | null>): readonly number[] {
  return [...said.values()].filter((height) => height !== null);
}

/** Null when the node refuses without saying as of which height; undefined when it is to be asked again. */
async function heightAt(
  nodes: Nodes,
  node: number,
  path: string,
  signal: AbortSignal,
): Promise<number | null | undefined> {
  const answer = await nodes.ask(node, { method: 'GET', path }, signal);
  const height = answer === null ? null : heightOf(answer);
  return height !== null || (answer !== null && isRefusal(answer.status)) ? height : undefined;
}

/** In a header, and in the problem with which a module refuses. */
function heightOf(answer: NodeAnswer): number | null {
  const said = isRefusal(answer.status)
    ? membersOf(answer)['height']
    : Number(answer.headers.get('x-althing-height') ?? Number.NaN);
  return Number.isSafeInteger(said) && Number(said) >= 0 ? Number(said) : null;
}
