/** The checker of the contract tests finds what it is there to find. */
import test from 'ava';
import { BINDINGS } from '../http/start.ts';
import { Checker, type Answered } from './checker.ts';
import { operationsOf, type Document, type Listed } from './document.ts';
import { Requests } from './requests.ts';
import { credential, serve } from './served.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function named(document: Document, id: string): Listed {
  return operationsOf(document).find(({ operation }) => operation.operationId === id)!;
}

type Members = Record<string, unknown>;
const spoilers: readonly (readonly [string, (body: Members, answer: Answered) => Answered])[] = [
  ['a status that is not listed', (_, answer) => ({ ...answer, status: 418 })],
  ['another status that is listed', (_, answer) => ({ ...answer, status: 304 })],
  [
    'a member left out',
    (body, answer) => ({ ...answer, body: bytes({ account: body['account'] }) }),
  ],
  ['a member more', (body, answer) => ({ ...answer, body: bytes({ ...body, secret: 1 }) })],
  [
    'a member of another type',
    (body, answer) => ({ ...answer, body: bytes({ ...body, balance: 5 }) }),
  ],
  ['no object', (_, answer) => ({ ...answer, body: bytes([]) })],
  [
    'another content type',
    (_, answer) => ({ ...answer, headers: { ...answer.headers, 'content-type': 'text/html' } }),
  ],
  [
    'a header less',
    (_, answer) => {
      const { 'x-althing-node': node, ...headers } = answer.headers;
      return node === undefined ? answer : { ...answer, headers };
    },
  ],
];

test('an answer is as listed until one thing about it is changed', async (t) => {
  const { document, checker, client } = await serve(t, BINDINGS[0]!);
  const listed = named(document, 'query.ledger.account.byName');
  const path = '/api/v11/ledger/accounts/alice';
  const answer = await client.send({ method: 'GET', path, headers: {} });
  t.deepEqual(checker.answerFaults(listed, answer), []);
  const body = JSON.parse(new TextDecoder().decode(answer.body)) as Members;
  for (const [what, spoil] of spoilers) {
    t.not(checker.answerFaults(listed, spoil(body, answer)).length, 0, what);
  }
});

test('a problem is as listed until its code or its status is another', async (t) => {
  const { document, checker, client } = await serve(t, BINDINGS[0]!);
  const listed = named(document, 'query.ledger.account.byName');
  const path = '/api/v11/ledger/accounts/nobody';
  const answer = await client.send({ method: 'GET', path, headers: {} });
  t.is(answer.status, 404);
  t.deepEqual(checker.answerFaults(listed, answer), []);
  const body = JSON.parse(new TextDecoder().decode(answer.body)) as Members;
  for (const change of [{ code: 'made_up' }, { status: 422 }, { stack: 'at …' }, { detail: 7 }]) {
    const changed = { ...answer, body: bytes({ ...body, ...change }) };
    t.not(checker.answerFaults(listed, changed).length, 0, JSON.stringify(change));
  }
});

test('requests are made from the document: with another one they are others', async (t) => {
  const { document, requests } = await serve(t, BINDINGS[0]!);
  const listed = named(document, 'command.ledger.issue');
  t.true(requests.good(listed).every(({ body }) => JSON.stringify(body).includes('amount')));
  const bad = requests.bad(listed);
  for (const [what, pattern] of [
    ['a required member left out', /^\{(?!.*"amount")(?=.*"account")/],
    ['a member that is unknown', /"unknown":1/],
    ['a wrong type', /"amount":true/],
  ] as const) {
    t.true(
      bad.some(({ body, isBad }) => isBad && pattern.test(String(body))),
      what,
    );
  }
  const open = structuredClone(document) as Document & { components: { schemas: Members } };
  open.components.schemas['ledger.issue.arguments'] = {};
  const loose = new Requests(open, new Checker(open), credential);
  t.false(loose.bad(listed).some(({ isBad, body }) => isBad && /"unknown"/.test(String(body))));
});
