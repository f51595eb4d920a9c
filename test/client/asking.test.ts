/** Whose refusals are believed, and who is asked next. */
import test from 'ava';
import { ask, isFinalRefusal, Refusals, type Taken } from '../../src/client/asking.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { Nodes, type NodeAnswer } from '../../src/client/nodes.ts';
import { notTaken } from '../../src/client/reads.ts';

/** Nodes that answer with these statuses, and in which order they were asked. */
function nodesThat(statuses: readonly number[]) {
  const asked: number[] = [];
  const fetch = (url: string): Promise<Response> => {
    const node = Number(new URL(url).hostname.slice(1));
    asked.push(node);
    const code = `says_${statuses[node]}`;
    return Promise.resolve(new Response(JSON.stringify({ code }), { status: statuses[node]! }));
  };
  const urls = statuses.map((_, node) => `http://n${node}`);
  const nodes = new Nodes({ urls, fetch: fetch as unknown as typeof globalThis.fetch });
  return { nodes, asked };
}

const refusal = (code: string): AlthingError => new AlthingError(code, 'no', 409);
const take = (answer: NodeAnswer): Taken<number> =>
  answer.status === 200 ? { kind: 'holds', value: answer.node } : notTaken(answer);
const request = { method: 'GET', path: '/' } as const;

test('X2: nodes that refuse alike are counted, each once and by what it says', (t) => {
  const { nodes } = nodesThat([0, 0, 0, 0]);
  const refused = new Refusals(nodes, 2);
  t.false(refused.areEnough(0, refusal('a')));
  t.false(refused.areEnough(0, refusal('a')), 'the same node again');
  t.false(refused.areEnough(1, refusal('b')), 'another refusal');
  t.true(refused.areEnough(1, refusal('a')));
  const alone = nodesThat([0]).nodes;
  t.true(new Refusals(alone, 2).areEnough(0, refusal('a')), 'there is no other');
});

test('X2: that one node forgot a height is said by all before it is believed', (t) => {
  const refused = new Refusals(nodesThat([0, 0, 0]).nodes, 1);
  t.deepEqual(
    [0, 1, 2].map((node) => refused.areEnough(node, refusal('height_pruned'))),
    [false, false, true],
  );
});

for (const status of [408, 425, 429, 500, 503]) {
  test(`X2: a node that answers ${status} refuses nothing`, async (t) => {
    const { nodes, asked } = nodesThat([status, 200]);
    t.is(await ask(nodes, request, { ms: 10_000, refusals: 1 }, take), 1);
    t.deepEqual(asked, [0, 1]);
    t.false(isFinalRefusal(new AlthingError('x', 'x', status)));
  });
}

test('X2: what refuses for good are answers of 4xx, and not that something waits', (t) => {
  t.true(isFinalRefusal(refusal('seq_too_old')));
  t.false(isFinalRefusal(refusal('in_progress')));
  t.false(isFinalRefusal(new AlthingError('x', 'x', 200)));
});

test('a node whose answer does not hold is asked last', async (t) => {
  const { nodes, asked } = nodesThat([503, 200, 200]);
  const patience = { ms: 10_000, refusals: 1 };
  await ask(nodes, request, patience, take);
  await ask(nodes, request, patience, take);
  t.deepEqual(asked, [0, 1, 1]);
  // It answers, and its answers are worth nothing.
  const lying = nodesThat([200, 200]);
  const isLie = (answer: NodeAnswer): Taken<number> =>
    answer.node === 0 ? { kind: 'unfit', error: refusal('not_proved') } : take(answer);
  await ask(lying.nodes, request, patience, isLie);
  await ask(lying.nodes, request, patience, isLie);
  t.deepEqual(lying.asked, [0, 1, 1]);
});

test('X2: a proved refusal is the answer, whoever gives it', async (t) => {
  const { nodes, asked } = nodesThat([404, 404, 404]);
  const proved = (): Taken<never> => ({
    kind: 'refused',
    error: refusal('proved'),
    isProved: true,
  });
  await t.throwsAsync(ask(nodes, request, { ms: 10_000, refusals: 2 }, proved), { code: 'proved' });
  t.deepEqual(asked, [0]);
});

test('X3: nodes that refuse for now are asked again with pauses', async (t) => {
  const { nodes, asked } = nodesThat([503, 503]);
  const signal = AbortSignal.timeout(400);
  const asking = ask(nodes, request, { ms: 10_000, signal, refusals: 1 }, take);
  await t.throwsAsync(asking, { code: 'says_503' });
  t.true(asked.length < 20, `${asked.length} questions`);
});
