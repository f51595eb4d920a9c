/** Nodes that say when they want to be asked again. */
import test, { type ExecutionContext } from 'ava';
import { Nodes } from '../../src/client/nodes.ts';
import { addressed, isWrite, problem, type Behaviour } from './cluster.ts';

function later(seconds: string): Response {
  const { status, body } = problem(503, 'no_quorum');
  return new Response(body, { status, headers: { 'retry-after': seconds } });
}

/** Refuses so many writes, saying for how long if it does. */
function refusing(times: number, seconds?: string): Behaviour {
  let left = times;
  return (path) => {
    if (!isWrite(path) || left-- <= 0) return null;
    return seconds === undefined ? problem(503, 'no_quorum') : later(seconds);
  };
}

/** Of the time that a node is left alone, which is five seconds at most, this much may have passed. */
const SOON_MS = 4_000;

/** How often each was asked to write, of which one wants to be asked much later and one refuses for now. */
async function askedToWrite(t: ExecutionContext): Promise<readonly number[]> {
  const writes = [0, 0];
  const counted =
    (node: number, behaviour: Behaviour): Behaviour =>
    (path, ...rest) => {
      if (isWrite(path)) writes[node]!++;
      return behaviour(path, ...rest);
    };
  const { connect, port } = await addressed(t, [
    counted(0, refusing(1, '3600')),
    counted(1, refusing(4)),
  ]);
  const client = await connect();
  const begun = performance.now();
  const { status } = await client.call('kv', 'set', { namespace: 'n', key: 'a', value: 1 });
  t.is(status, 'ok');
  if (performance.now() - begun > SOON_MS) return askedToWrite(t);
  t.is(port.submitted, 1);
  return writes;
}

test('X12: who wants to be asked later is not sent the same before, while another is asked on', async (t) => {
  t.deepEqual(await askedToWrite(t), [1, 5]);
});

test('X12: when all have asked for time, the client comes back by itself, and it executes once', async (t) => {
  const { connect } = await addressed(t, [refusing(2, '1'), refusing(1, '1')]);
  const client = await connect();
  const receipt = await client.call('kv', 'set', { namespace: 'n', key: 'a', value: 1 });
  t.is(receipt.status, 'ok');
  const read = await client.query('kv', 'get', { namespace: 'n', key: 'a' });
  t.like(read.result, { version: 1 });
});

test('X12: only what is sent waits, only for who says so, and never for long', async (t) => {
  const answers: Response[] = [];
  const fetch = (() => Promise.resolve(answers.shift()!)) as typeof globalThis.fetch;
  const nodes = new Nodes({ urls: ['http://a.test', 'http://b.test'], fetch });
  const post = async (response: Response): Promise<number> => {
    answers.push(response);
    await nodes.ask(0, { method: 'POST', path: '/' });
    return nodes.restMs(0, 'POST');
  };
  t.is(nodes.restMs(0, 'POST'), 0);
  t.true((await post(later('2'))) > 0);
  t.is(nodes.restMs(0, 'GET'), 0);
  t.is(nodes.restMs(1, 'POST'), 0);
  t.true((await post(later('3600'))) <= 5_000);
  for (const header of ['-1', 'soon', '', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
    t.is(await post(later(header)), 0, header);
  }
  t.true((await post(later('2'))) > 0);
  t.is(await post(new Response('{}')), 0);
});
