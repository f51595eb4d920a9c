/**
 * Bodies of answers, as the pieces in which they come. A node may send without end: what is kept is
 * bounded, and who stops reading hangs up.
 */

/** The pieces until the end, or until the signal. Rejects as the connection breaks. */
export async function* piecesOf(
  { body }: Response,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel);
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/** Null when it has more than `bytesMax` bytes, or the signal came before its end. */
export async function readBody(
  response: Response,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of piecesOf(response, signal)) {
    length += piece.length;
    if (length > bytesMax) return null;
    pieces.push(piece);
  }
  if (signal.aborted) return null;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
