/** Messages out of pieces, however they are cut, and what is none. */
import test from 'ava';
import { messagesOf, NotAStream, type Message } from '../../src/client/server-sent-events.ts';

const { signal } = new AbortController();

async function messages(pieces: readonly (string | Uint8Array)[]) {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const each of pieces) {
        controller.enqueue(typeof each === 'string' ? encoder.encode(each) : each);
      }
      controller.close();
    },
  });
  const all: Message[] = [];
  for await (const each of messagesOf(new Response(body), signal)) all.push(each);
  return all;
}

test('messages are the same however they are cut, and without their comments', async (t) => {
  const text =
    ': hello\n\nid: 1\nevent: x\ndata: {"a":\ndata: "é"}\n\ndata: 2\r\n\r\ndata: unended\n';
  const expected = [
    { type: 'x', data: '{"a":"é"}' },
    { type: '', data: '2' },
  ];
  t.deepEqual(await messages([text]), expected);
  const bytes = new TextEncoder().encode(text);
  t.deepEqual(await messages([...bytes].map((byte) => Uint8Array.of(byte))), expected);
});

/** Says the same again and again, and counts how often. */
function endless(text: string): { readonly response: Response; readonly said: () => number } {
  const piece = new TextEncoder().encode(text);
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += piece.length;
      if (bytes > 64 * 1024 * 1024) controller.close();
      else controller.enqueue(piece);
    },
  });
  return { response: new Response(body), said: () => bytes };
}

for (const [what, text] of [
  ['a line without an end', 'x'.repeat(1024 * 1024)],
  ['a message of lines without end', `data: ${'x'.repeat(1024 * 1024)}\n`],
] as const) {
  test(`X3: ${what} is no stream, and is not kept`, async (t) => {
    const { response, said } = endless(text);
    const read = async (): Promise<void> => {
      for await (const _ of messagesOf(response, signal)) t.fail();
    };
    await t.throwsAsync(read(), { instanceOf: NotAStream });
    t.true(said() < 16 * 1024 * 1024);
  });
}

test('what is no text is no stream', async (t) => {
  await t.throwsAsync(messages([Uint8Array.of(0x64, 0xff, 0x0a, 0x0a)]), {
    instanceOf: NotAStream,
  });
});
