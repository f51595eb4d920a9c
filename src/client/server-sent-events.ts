/**
 * Server-Sent Events out of the pieces in which they come (WHATWG HTML, section 9.2.6): those members that
 * a stream of this kind uses, and no more of a message than fits.
 */
import { piecesOf } from './body.ts';

export interface Message {
  readonly type: string;
  readonly data: string;
}

/** Every message is one JSON object; the largest holds one event's data, or one result, in hex. */
const MESSAGE_LENGTH_MAX = 8 * 1024 * 1024;

/** A message beyond all bounds, or bytes that are no text. */
export class NotAStream extends Error {}

/** Throws NotAStream, or what the connection breaks with. */
export async function* messagesOf(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<Message, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const pieces: string[] = [];
  let length = 0;
  let message = { type: '', data: '' };
  for await (const piece of piecesOf(response, signal)) {
    const text = decodedBy(decoder, piece);
    pieces.push(text);
    length += text.length;
    if (length + message.data.length > MESSAGE_LENGTH_MAX) throw new NotAStream();
    // What is long comes in many pieces: they are put together once.
    if (!text.includes('\n')) continue;
    const lines = pieces.splice(0).join('').split('\n');
    const rest = lines.pop()!;
    pieces.push(rest);
    length = rest.length;
    for (const each of lines) {
      const line = each.endsWith('\r') ? each.slice(0, -1) : each;
      if (line.startsWith('event:')) message.type = line.slice(6).trim();
      if (line.startsWith('data:')) message.data += line.slice(5).trim();
      if (line !== '') continue;
      if (message.data !== '') yield message;
      message = { type: '', data: '' };
    }
  }
}

function decodedBy(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: true });
  } catch {
    throw new NotAStream();
  }
}
