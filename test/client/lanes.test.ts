/** Lanes over nodes that say what a test has them say; whatever is asked for is proved. */
import test from 'ava';
import { Lane } from '../../src/client/lanes.ts';
import { Merge } from '../../src/client/merging.ts';
import { Nodes } from '../../src/client/nodes.ts';
import { endOf } from '../../src/client/places.ts';
import type { ProvedReads } from '../../src/client/proved-reads.ts';
import { EVERY_EVENT, Filter } from '../../src/stream/filter.ts';
import type { Digest } from '../../protocols/types.ts';

const FIRST = 10;
const LAST = 120;
const idAt = (height: number): Digest => height.toString(16).padStart(64, '0') as Digest;
const message = (said: object): Uint8Array =>
  new TextEncoder().encode(`data: ${JSON.stringify(said)}\n\n`);
const progress = (height: number): Uint8Array =>
  message({ id: String(height), kind: 'progress', height });
const event = (height: number): Uint8Array =>
  message({ id: `${height}.1`, kind: 'event', height, transaction: `${idAt(height)}-0` });

type Stream = (after: number) => Generator<Uint8Array | null>;

/** One event in each height, from the next one on. */
function* honest(after: number): Generator<Uint8Array | null> {
  yield progress(after);
  for (let height = after + 1; height <= LAST; height++) yield event(height);
  yield progress(LAST);
  for (;;) yield null;
}

/** Of each node its stream, or what `after` it was asked for. */
function nodesThat(
  streams: readonly Stream[],
  asked: (node: number, after: number) => void,
): Nodes {
  const fetch = (url: string): Promise<Response> => {
    const { hostname, searchParams } = new URL(url);
    const node = Number(hostname.slice(1, -5));
    const after = Number(searchParams.get('after'));
    asked(node, after);
    const pieces = streams[node]!(after);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { done, value } = pieces.next();
        if (done === true) return controller.close();
        if (value === null) return new Promise(() => undefined);
        controller.enqueue(value);
      },
    });
    return Promise.resolve(
      new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    );
  };
  const urls = streams.map((_, node) => `http://n${node}.test`);
  return new Nodes({ urls, fetch: fetch as unknown as typeof globalThis.fetch });
}

test('X9: a node that says to have told all, and hangs up, has the next one leave nothing out', async (t) => {
  let certified = FIRST - 1;
  let restarts = 1;
  const lying: Stream = function* () {
    yield progress(LAST);
  };
  /** It restarts once, and goes on. */
  const restarting: Stream = function* (after) {
    for (const piece of honest(after)) {
      yield piece;
      if (restarts > 0 && after < 20 && piece !== null && String(piece) === String(event(20))) {
        restarts--;
        return;
      }
    }
  };
  const asked: string[] = [];
  const nodes = nodesThat([lying, restarting, honest], (node, after) => {
    asked.push(`${node} after ${after}`);
    // From here on the claim of the liar is below what is certified.
    if (node === 2) certified = LAST;
  });
  const reads = {
    trust: { facts: { faultyMax: 1 }, height: LAST },
    receiptsFrom: (_: number, id: Digest) => {
      const height = Number.parseInt(id, 16);
      const events = [{ module: 'kv', name: 'set', data: height }];
      const receipts = [{ id: `${id}-0`, height, index: 0, status: 'ok', events }];
      return Promise.resolve({ id, height, receipts });
    },
  } as unknown as ProvedReads;
  const ends = new AbortController();
  const shared = {
    nodes,
    reads,
    filter: new Filter(EVERY_EVENT),
    parameters: {},
    stallMs: 5_000,
    told: () => merge.told,
    taken: new Set<number>(),
    known: new Map(),
    signal: ends.signal,
  };
  const lanes = [new Lane(shared), new Lane(shared)];
  const after = endOf(FIRST - 1);
  const merge = new Merge({ lanes, stallMs: 5_000, certifiedHeight: () => certified, after });
  const told: unknown[] = [];
  for await (const merged of merge.merged()) {
    if (merged.event !== null) told.push(merged.event.data);
    if (merged.place.height === LAST) break;
  }
  ends.abort();
  const all = Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at);
  t.deepEqual(told, all, asked.join(', '));
  t.true(shared.known.size <= 64, 'what was proved is forgotten, or memory grows');
  t.true(asked.length > 3, 'the liar was left, and the other one restarted');
});
