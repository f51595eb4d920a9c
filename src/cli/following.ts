/**
 * The stream of a cluster (docs/http.md) as Server-Sent Events, from whichever node gives it. Each
 * message has an id, the same at all nodes: when a node goes away the next one goes on behind the last.
 */
import { pathWith, type Parameters } from '../client/reads.ts';
import { problemOf, type Nodes } from '../client/nodes.ts';

export interface Message {
  readonly kind: string;
  readonly [member: string]: unknown;
}

/** One message has a transaction's result or an event's data at most. */
const MESSAGE_CHARACTERS_MAX = 32 * 1024 * 1024;

/** Blocks, transactions and events. Ends by throwing: what a node refuses, or the signal's reason. */
export async function* follow(
  nodes: Nodes,
  wish: Parameters,
  signal: AbortSignal,
): AsyncGenerator<Message, void> {
  let place: Parameters = {};
  for (;;) {
    // A node that gave something is asked again at once, others after growing pauses.
    let isMoved = false;
    for await (const node of nodes.turns(signal)) {
      const parameters = 'after' in place ? { ...wish, from: undefined, ...place } : wish;
      const path = pathWith('/api/v11/stream', parameters);
      for await (const message of messagesOf(nodes, node, path, signal)) {
        const after = message.kind === 'closed' ? message['resume'] : message['id'];
        if (typeof after === 'string') {
          place = { after };
          isMoved = true;
        }
        if (message.kind !== 'progress' && message.kind !== 'closed') yield message;
      }
      if (isMoved) break;
    }
    if (signal.aborted) throw signal.reason;
  }
}

/** None where the node does not give any. Throws AlthingError when it says that the wish is wrong. */
async function* messagesOf(
  nodes: Nodes,
  node: number,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Message, void> {
  const response = await nodes.open(node, path, signal);
  if (response === null || response.body === null) return;
  if (!response.ok) {
    const { status, headers } = response;
    const body = new Uint8Array(await response.arrayBuffer());
    if (status < 500 && status !== 429) throw problemOf({ node, status, headers, body });
    return;
  }
  try {
    for await (const line of linesOf(response.body)) {
      const message = line.startsWith('data:') ? messageIn(line.slice('data:'.length)) : null;
      if (message !== null) yield message;
    }
  } catch (error) {
    if (!isOfTheConnection(error)) throw error;
  }
}

class TooLong extends Error {}

/** It broke, or was ended from here. */
function isOfTheConnection(error: unknown): boolean {
  return (
    error instanceof TooLong ||
    error instanceof TypeError ||
    (error instanceof Error && error.name === 'AbortError') ||
    (error instanceof Error && error.name === 'Interrupted')
  );
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    text = lines.pop()!;
    if (text.length > MESSAGE_CHARACTERS_MAX) throw new TooLong();
    yield* lines;
  }
}

function messageIn(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof (Object(value) as { readonly kind?: unknown }).kind === 'string';
    return isMessage ? (value as Message) : null;
  } catch {
    return null;
  }
}
