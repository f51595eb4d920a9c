/** I18 for readers that wait for a quorum: each has one answer, and many share one request. */
import test from 'ava';
import type { Item } from '../../actors/traffic.ts';
import type { ActorSystem } from '../../src/supervisor/actor-system.ts';
import { Confirmations } from '../../src/supervisor/confirmations.ts';

function confirmations(limits = { waitingMax: 100, waitMsMax: 60_000 }) {
  const asked: number[] = [];
  const full = { is: false };
  const send = (_to: string, item: Item): void => {
    if (item.kind === 'local' && item.message.kind === 'confirm') asked.push(item.message.request);
  };
  const system = { send, isFull: () => full.is } as unknown as ActorSystem;
  let next = 0;
  return { confirmations: new Confirmations(system, () => ++next, limits), asked, full };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const confirmed = (request: number, height: number) =>
  ({ kind: 'answer', request, height, result: { ok: true, value: null } }) as const;

test('I18: readers of one moment share a request, later ones do not join it', async (t) => {
  const { confirmations: all, asked } = confirmations();
  const first = [all.confirm(), all.confirm()];
  await turn();
  const second = all.confirm();
  await turn();
  t.deepEqual(asked, [1, 2]);
  t.true(all.answered(confirmed(1, 5)));
  t.deepEqual(
    (await Promise.all(first)).map(({ height }) => height),
    [5, 5],
  );
  t.false(all.answered(confirmed(1, 6)), 'no answer twice');
  t.true(all.answered(confirmed(2, 7)));
  t.is((await second).height, 7);
  t.false(all.answered(confirmed(9, 7)), 'of a question, perhaps');
});

test('I18: few requests are with the actor, and the others share the next', async (t) => {
  const { confirmations: all, asked } = confirmations();
  const readers = [];
  for (let at = 0; at < 10; at++) {
    readers.push(all.confirm());
    await turn();
  }
  t.deepEqual(asked, [1, 2, 3, 4]);
  all.answered(confirmed(2, 1));
  t.deepEqual(asked, [1, 2, 3, 4, 5]);
  for (const request of [1, 3, 4, 5]) all.answered(confirmed(request, request));
  t.deepEqual(
    (await Promise.all(readers)).map(({ height }) => height),
    [1, 1, 3, 4, 5, 5, 5, 5, 5, 5],
  );
});

test('I18: a reader that no quorum confirms in time is told so, and its request keeps its place', async (t) => {
  const { confirmations: all, asked } = confirmations({ waitingMax: 3, waitMsMax: 1 });
  for (let at = 0; at < 6; at++) {
    t.like((await all.confirm()).result, { ok: false, code: 'no_quorum' });
  }
  t.deepEqual(asked, [1, 2, 3, 4]);
  t.true(all.answered(confirmed(1, 1)));
  t.deepEqual(asked, [1, 2, 3, 4], 'nobody waits for another');
});

test('I18: too many readers are refused, and all are told when the actors start again', async (t) => {
  const { confirmations: all, asked, full } = confirmations({ waitingMax: 2, waitMsMax: 60_000 });
  full.is = true;
  const waiting = [all.confirm(), all.confirm()];
  t.like((await all.confirm()).result, { code: 'overloaded' });
  await turn();
  t.deepEqual(asked, []);
  full.is = false;
  all.resume();
  t.deepEqual(asked, [1]);
  all.giveUp();
  for (const { result } of await Promise.all(waiting)) t.like(result, { code: 'catching_up' });
  t.false(all.answered(confirmed(1, 3)));
});
