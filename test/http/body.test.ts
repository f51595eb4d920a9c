/** How bodies are put together from what arrives of them. */
import test from 'ava';
import fc from 'fast-check';
import { Problem } from '../../src/edge/problem.ts';
import { BODY_LIMITS, BodyReader, type Body, type BodyLimits } from '../../src/http/body.ts';
import type { Exchange } from '../../src/http/exchange.ts';

const BYTES_MAX = 4_000_000;

/** Reads one body; `send` gives it a chunk. */
function reading(
  reader: BodyReader,
  declared: number | null,
): { send: (chunk: Uint8Array, last: boolean) => void; done: (Body | Problem)[] } {
  const done: (Body | Problem)[] = [];
  let send = (_chunk: Uint8Array, _last: boolean): void => {};
  const headers = new Map(declared === null ? [] : [['content-length', String(declared)]]);
  const exchange = { headers, onBody: (take: typeof send) => void (send = take) };
  reader.read(exchange as unknown as Exchange, BYTES_MAX, (body) => void done.push(body));
  return { send: (chunk, last) => send(chunk, last), done };
}

function readerWith(limits: Partial<BodyLimits> = {}): BodyReader {
  const reader = new BodyReader({ ...BODY_LIMITS, ...limits });
  reader.close();
  return reader;
}

test('a body is what came, in however many chunks, with its length told or not', (t) => {
  const chunk = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(chunk, { minLength: 1 }),
      fc.boolean(),
      fc.boolean(),
      (chunks, told, endsApart) => {
        const whole = Buffer.concat(chunks);
        const { send, done } = reading(readerWith(), told ? whole.length : null);
        for (const [at, each] of chunks.entries()) {
          const copy = Uint8Array.from(each);
          send(copy, !endsApart && at === chunks.length - 1);
          // Its bytes are the sender's again.
          copy.fill(0);
        }
        if (endsApart) send(new Uint8Array(0), true);
        const [body] = done;
        if (body === undefined || body instanceof Problem) return false;
        // A buffer of its own: it is handed to other threads.
        return whole.equals(body.bytes) && body.bytes.buffer.byteLength === whole.length;
      },
    ),
  );
  t.pass();
});

// H9
test('a length that is told takes no room before the bytes come, and what is gone gives its room back', (t) => {
  const reader = readerWith({ pendingBytesMax: 1_000 });
  const liars = Array.from({ length: 100 }, () => reading(reader, BYTES_MAX));
  for (const { send, done } of liars) {
    send(new Uint8Array(2), false);
    t.deepEqual(done, []);
  }
  const other = reading(reader, 600);
  other.send(new Uint8Array(300), false);
  other.send(new Uint8Array(300), true);
  t.like(other.done[0], { code: 'busy' });
  for (const { send } of liars) send(new Uint8Array(0), true);
  for (const { done } of liars) if (done[0] !== undefined && 'free' in done[0]) done[0].free();
  const again = reading(reader, 600);
  again.send(new Uint8Array(300), false);
  again.send(new Uint8Array(300), true);
  t.false(again.done[0] instanceof Problem);
});
