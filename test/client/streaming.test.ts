/** What of a node's stream is taken for something that it says. */
import test from 'ava';
import { Nodes } from '../../src/client/nodes.ts';
import { StreamRefused, streamOf, type Said } from '../../src/client/streaming.ts';

const TYPE = { 'content-type': 'text/event-stream' };
const good = { id: '1.1', kind: 'event', height: 1 };

async function said(response: () => Response): Promise<readonly Said[]> {
  const fetch = (() => Promise.resolve(response())) as unknown as typeof globalThis.fetch;
  const nodes = new Nodes({ urls: ['http://n0.test'], fetch });
  const { signal } = new AbortController();
  const all: Said[] = [];
  for await (const each of streamOf(nodes, 0, { parameters: {}, stallMs: 60_000, signal })) {
    all.push(each);
  }
  return all;
}

const message = (content: unknown, type = ''): string =>
  `${type === '' ? '' : `event: ${type}\n`}data: ${JSON.stringify(content)}\n\n`;

const ends: readonly (readonly [string, string])[] = [
  ['the end of the stream', message({ ...good, code: 'too_slow' }, 'end')],
  ['a height that is none', message({ ...good, height: 1.5 })],
  ['a height that is text', message({ ...good, height: '1' })],
  ['no height', message({ ...good, height: undefined })],
  ['no id', message({ ...good, id: undefined })],
  ['an id that is a number', message({ ...good, id: 5 })],
  ['no kind', message({ ...good, kind: undefined })],
  ['null', message(null)],
  ['what is no JSON', 'data: {\n\n'],
];

for (const [what, text] of ends) {
  test(`X8: ${what} ends what a node says`, async (t) => {
    const body = `${message(good)}${text}${message({ ...good, id: '1.2' })}`;
    t.deepEqual(await said(() => new Response(body, { headers: TYPE })), [good]);
  });
}

test('what is no stream by its type says nothing', async (t) => {
  const headers = { 'content-type': 'text/plain' };
  t.deepEqual(await said(() => new Response(message(good), { headers })), []);
});

test('X3: a refusal is read up to its bound', async (t) => {
  let pieces = 0;
  const endless = (): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (++pieces > 1000) controller.close();
          else controller.enqueue(new Uint8Array(16 * 1024).fill(32));
        },
      }),
      { status: 404 },
    );
  const error = await t.throwsAsync(said(endless), { instanceOf: StreamRefused });
  t.is(error.problem.code, 'status_404');
  t.true(pieces < 20, `${pieces} pieces of 16 KiB`);
});
