/** I18: each request of the edges has one answer. */
import test from 'ava';
import type { Item } from '../../actors/traffic.ts';
import type { Digest } from '../../protocols/types.ts';
import type { ActorSystem } from '../../src/supervisor/actor-system.ts';
import { Requests } from '../../src/supervisor/requests.ts';

/** Questions may wait for as long as a test takes. */
const PATIENT = { askedMax: 4, waitingMax: 10, waitMsMax: 60_000 };

/** Requests over a system that only notes what it is told. */
function asked(limits = PATIENT): {
  requests: Requests;
  sent: Item[];
  full: { is: boolean };
  finalised: number[];
} {
  const sent: Item[] = [];
  const full = { is: false };
  const finalised: number[] = [];
  const system = { send: (_to: string, item: Item) => void sent.push(item), isFull: () => full.is };
  const requests = new Requests(
    system as unknown as ActorSystem,
    (ms) => finalised.push(ms),
    limits,
  );
  return { requests, sent, full, finalised };
}

function numbersOf(sent: readonly Item[]): number[] {
  return sent.flatMap((item) => {
    if (item.kind !== 'local') return [];
    const { message } = item;
    if (message.kind === 'submit') return message.submissions.map(({ request }) => request);
    return 'request' in message ? [message.request] : [];
  });
}

const receipts = (id: string) => ({
  id: id as Digest,
  height: 1,
  index: 0,
  txCount: 1,
  sender: '',
  via: '',
  calls: new Uint8Array(0),
  encoded: new Uint8Array(3),
});

test('I18: an answer reaches the one that asked, once', async (t) => {
  const { requests, sent, finalised } = asked();
  const all = [1, 2, 3].map((byte) => requests.submit(Uint8Array.of(byte)));
  const question = requests.ask({ kind: 'findSubmission', id: 'x' as Digest });
  await new Promise((resolve) => setImmediate(resolve));
  const [request, ...numbers] = numbersOf(sent).toSorted((a, b) => b - a);
  const results = numbers.map((number) => ({
    request: number,
    ok: true as const,
    receipts: receipts(`of ${number}`),
  }));
  for (const times of [1, 2]) {
    requests.answered({ kind: 'submitted', results });
    t.is(finalised.length, 3, `said ${times} times`);
  }
  const answers = await Promise.all(all);
  const ids = answers.map((answer) => (answer.ok ? answer.receipts?.id : ''));
  t.deepEqual(
    ids,
    numbers.toReversed().map((number) => `of ${number}` as Digest),
  );
  t.is(requests.waiting, 0);
  const result = { ok: true, value: 7 } as const;
  requests.answered({ kind: 'answer', request: request!, height: 5, result });
  t.deepEqual(await question, { height: 5, result });
});

test('I18: when the actors start again submissions are of unknown outcome, questions are to be asked again, and late answers reach nobody', async (t) => {
  const { requests, sent, finalised } = asked();
  const submission = requests.submit(Uint8Array.of(1));
  const question = requests.ask({ kind: 'findSubmission', id: 'x' as Digest });
  await new Promise((resolve) => setImmediate(resolve));
  requests.giveUp();
  const answer = await submission;
  t.is(answer.ok ? '' : answer.code, 'outcome_unknown');
  const { result } = await question;
  t.is(result.ok ? '' : result.code, 'catching_up');
  const results = numbersOf(sent).map((request) => ({
    request,
    ok: true as const,
    receipts: receipts('late'),
  }));
  requests.answered({ kind: 'submitted', results });
  t.deepEqual(finalised, []);
  t.is(requests.waiting, 0);
});

test('I18: while the actors are behind, submissions are refused at once, and questions wait for room', async (t) => {
  const { requests, sent, full } = asked();
  full.is = true;
  const submission = await requests.submit(Uint8Array.of(1));
  t.is(submission.ok ? '' : submission.code, 'overloaded');
  const question = requests.ask({ kind: 'findSubmission', id: 'x' as Digest });
  t.deepEqual(sent, []);
  full.is = false;
  requests.resume();
  const result = { ok: true, value: 7 } as const;
  requests.answered({ kind: 'answer', request: numbersOf(sent)[0]!, height: 5, result });
  t.deepEqual(await question, { height: 5, result });
});

test('I18: questions are handed over a few at a time, in the order in which they came, and refused when too many wait', async (t) => {
  const { requests, sent } = asked();
  const ask = (at: number) =>
    requests.ask({ kind: 'query', module: 'kv', query: `${at}`, args: {} });
  const all = Array.from({ length: PATIENT.askedMax + PATIENT.waitingMax }, (_, at) => ask(at));
  t.is(sent.length, PATIENT.askedMax);
  for (let more = 0; more < 100; more++) t.like(await ask(-1), { result: { code: 'overloaded' } });
  for (let at = 0; at < all.length; at++) {
    t.is(sent.length, Math.min(at + PATIENT.askedMax, all.length));
    const result = { ok: true, value: at } as const;
    requests.answered({ kind: 'answer', request: numbersOf(sent)[at]!, height: 5, result });
    t.deepEqual(await all[at], { height: 5, result });
  }
});

test('I18: a question that waited too long is refused, and never handed over', async (t) => {
  const { requests, sent } = asked({ ...PATIENT, waitMsMax: 1 });
  const ask = () => requests.ask({ kind: 'query', module: 'kv', query: 'list', args: {} });
  const given = Array.from({ length: PATIENT.askedMax }, ask);
  t.like(await ask(), { result: { code: 'overloaded' } });
  const result = { ok: true, value: 7 } as const;
  for (const request of numbersOf(sent)) {
    requests.answered({ kind: 'answer', request, height: 5, result });
  }
  t.deepEqual(await Promise.all(given), Array(given.length).fill({ height: 5, result }));
  t.is(sent.length, PATIENT.askedMax);
});

test('I18: questions that wait are to be asked again, too, when the actors start again', async (t) => {
  const { requests, sent } = asked();
  const ask = () => requests.ask({ kind: 'query', module: 'kv', query: 'list', args: {} });
  const all = Array.from({ length: 2 * PATIENT.askedMax }, ask);
  requests.giveUp();
  for (const answer of all) t.like(await answer, { result: { code: 'catching_up' } });
  t.is(sent.length, PATIENT.askedMax);
});
