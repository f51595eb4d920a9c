/** What one node's stream says (docs/http.md), and one node after the other, as long as it is wanted. */
import { isRefusal, Refusals } from './asking.ts';
import { readBody } from './body.ts';
import type { AlthingError } from './errors.ts';
import { problemOf, type Nodes } from './nodes.ts';
import { pathWith, type Parameters } from './reads.ts';
import { messagesOf, type Message } from './server-sent-events.ts';

/** An item as a node says it; nothing of it was checked but its kind, its id and its height. */
export interface Said {
  readonly kind: string;
  readonly id: string;
  readonly height: number;
  readonly [member: string]: unknown;
}

/** The node refused the stream as such: another one may not. */
export class StreamRefused extends Error {
  readonly problem: AlthingError;

  constructor(problem: AlthingError) {
    super(problem.message);
    this.problem = problem;
  }
}

export interface StreamAsked {
  readonly parameters: Parameters;
  /** How long the node may take for its next message. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

const STREAM_TYPE = 'text/event-stream';
const PROBLEM_BYTES_MAX = 64 * 1024;

/** Until the node ends it, says nothing for too long, or says what no node says. Throws StreamRefused. */
export async function* streamOf(
  nodes: Nodes,
  node: number,
  { parameters, stallMs, signal }: StreamAsked,
): AsyncGenerator<Said, void, undefined> {
  const ends = new AbortController();
  const end = (): void => ends.abort();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    const response = await nodes.open(node, pathWith('/api/v11/stream', parameters), ends);
    if (response === null) return;
    if (response.status !== 200) return await refusal(node, response, ends.signal);
    if (response.headers.get('content-type')?.startsWith(STREAM_TYPE) !== true) return;
    const messages = messagesOf(response, ends.signal);
    for (;;) {
      // A node says at least every second how far it is. While the one who reads is slow no time runs.
      const timer = setTimeout(end, stallMs);
      const { done, value } = await messages.next().finally(() => clearTimeout(timer));
      if (done === true) return;
      const said = saidIn(value);
      if (said === null) return;
      yield said;
    }
  } catch (error) {
    if (error instanceof StreamRefused) throw error;
    // The connection broke, or what came was no stream.
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

async function refusal(node: number, response: Response, signal: AbortSignal): Promise<void> {
  const body = (await readBody(response, PROBLEM_BYTES_MAX, signal)) ?? new Uint8Array(0);
  const { status, headers } = response;
  if (isRefusal(status)) throw new StreamRefused(problemOf({ node, status, headers, body }));
}

/** Null for the end, and for what no node says. */
function saidIn({ type, data }: Message): Said | null {
  if (type !== '') return null;
  try {
    const said = JSON.parse(data) as Partial<Said> | null;
    const isSound =
      typeof said?.kind === 'string' &&
      typeof said.id === 'string' &&
      Number.isSafeInteger(said.height);
    return isSound ? (said as Said) : null;
  } catch {
    return null;
  }
}

export interface Following {
  /** As of now: the parameters with which the next node is asked. */
  readonly parameters: () => Parameters;
  readonly stallMs: number;
  /** How many nodes have to refuse alike. */
  readonly refusals: number;
  readonly signal: AbortSignal;
}

/**
 * The streams of one node after the other, each from where the last ended, until the signal. What an item
 * is worth is for the caller to say. Throws the AlthingError with which nodes refuse.
 */
export async function* follow(
  nodes: Nodes,
  { parameters, stallMs, refusals, signal }: Following,
): AsyncGenerator<Said, void, undefined> {
  const refused = new Refusals(nodes, refusals);
  while (!signal.aborted) {
    for await (const node of nodes.turns(signal)) {
      let came = false;
      try {
        for await (const said of streamOf(nodes, node, {
          parameters: parameters(),
          stallMs,
          signal,
        })) {
          came = true;
          yield said;
        }
      } catch (error) {
        if (!(error instanceof StreamRefused)) throw error;
        if (refused.areEnough(node, error.problem)) throw error.problem;
      }
      nodes.distrust(node);
      // Pauses between nodes grow while nothing comes.
      if (came) break;
    }
  }
}
