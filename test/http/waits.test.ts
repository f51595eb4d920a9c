/** What a client hears, and when: admission, finality, or that nobody knows. */
import test from 'ava';
import type { Digest } from '../../protocols/types.ts';
import { bearer, PATH, post, problem, set, signed, SUBMISSION, type Answer } from './posting.ts';
import { BINDINGS, start } from './start.ts';

for (const binding of BINDINGS) {
  test(`${binding}: accepted answers 202 with ids and a place to ask, which then has the receipts`, async (t) => {
    const started = await start(t, binding);
    started.port.hold();
    const bytes = signed(started.port, 0, [set('a'), set('b')]);
    const accepted = await post(started, bytes, { 'content-type': SUBMISSION }, '?wait=accepted');
    t.is(accepted.status, 202);
    const { id, ids, statusUrl } = (await accepted.json()) as {
      id: string;
      ids: string[];
      statusUrl: string;
    };
    t.deepEqual(ids, [`${id}-0`, `${id}-1`]);
    t.is(accepted.headers.get('location'), statusUrl);
    t.is((await fetch(started.url + statusUrl)).status, 202);
    started.port.release();
    await post(started, bytes, { 'content-type': SUBMISSION });
    const found = await fetch(started.url + statusUrl);
    t.is(found.status, 200);
    t.is(((await found.json()) as Answer).receipts.length, 2);
    const one = await fetch(`${started.url}${PATH}/${id}-1`);
    t.like(await one.json(), { id: `${id}-1`, status: 'ok', result: { modRevision: 2 } });
  });

  test(`${binding}: a refusal comes before 202`, async (t) => {
    const started = await start(t, binding);
    const bytes = signed(started.port, 0, [set('a')]);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const answer = await post(started, bytes, { 'content-type': SUBMISSION }, '?wait=accepted');
    t.is(answer.status, 401);
  });

  test(`${binding}: 202 waits for the node's admission, and a full lane is told instead`, async (t) => {
    const started = await start(t, binding);
    const bytes = signed(started.port, 0, [set('a')]);
    const ask = (timeoutMs: number): Promise<Response> =>
      post(started, bytes, { 'content-type': SUBMISSION }, `?wait=accepted&timeoutMs=${timeoutMs}`);
    started.port.submit = () => new Promise(() => {});
    const silent = await ask(40);
    t.is(silent.status, 504);
    t.like(await problem(silent), { code: 'outcome_unknown' });
    started.port.submit = () =>
      Promise.resolve({ ok: false, code: 'lane_full', message: 'full', retryAfterMs: 100 });
    const refused = await ask(10_000);
    t.is(refused.status, 503);
    t.like(await problem(refused), { code: 'lane_full' });
  });

  // N3
  test(`${binding}: what the node lost sight of is unknown, with where to ask, and never 503`, async (t) => {
    const started = await start(t, binding);
    started.port.submit = () =>
      Promise.resolve({ ok: false, code: 'outcome_unknown', message: 'the node restarts' });
    const vouched = await post(started, set('a'), bearer);
    t.is(vouched.status, 504);
    const { code, id, statusUrl } = await problem(vouched);
    t.is(code, 'outcome_unknown');
    t.is(statusUrl, `${PATH}/${id}`);
    // Without a key a second execution is what an obedient client would bring about.
    t.is(vouched.headers.get('retry-after'), null);
    const once = await post(started, set('a'), { ...bearer, 'idempotency-key': 'k' });
    t.is(once.status, 504);
    t.truthy(once.headers.get('retry-after'));
  });

  // N3
  test(`${binding}: a wait that ends too soon says that the outcome is unknown and where to ask`, async (t) => {
    const started = await start(t, binding);
    started.port.hold();
    const bytes = signed(started.port, 0, [set('a')]);
    const answer = await post(started, bytes, { 'content-type': SUBMISSION }, '?timeoutMs=20');
    t.is(answer.status, 504);
    const { code, id, statusUrl } = await problem(answer);
    t.is(code, 'outcome_unknown');
    started.port.release();
    t.is((await post(started, bytes, { 'content-type': SUBMISSION })).status, 200);
    const found = (await (await fetch(started.url + String(statusUrl))).json()) as Answer;
    t.is(found.id, id as Digest);
  });
}
