/** Every operation of the OpenAPI document, driven from the document, on a real node. */
import test from 'ava';
import { templateOf } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes/index.ts';
import { BINDINGS } from '../http/start.ts';
import type { Answered } from './checker.ts';
import { operationsOf, type Listed } from './document.ts';
import { ELSEWHERE, EXAMPLES } from './examples.ts';
import type { Sent } from './requests.ts';
import { serve, type Served } from './served.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
/** What the path, and not the request, would be told that nobody serves. */
const NOT_SERVED = new Set(['unknown_route', 'unknown_query', 'unknown_command', 'not_there_yet']);

interface Problem {
  readonly code: string;
  readonly field?: string;
}

function problemOf({ headers, body }: Answered): Problem {
  if (headers['content-type'] !== 'application/problem+json') return { code: '' };
  return JSON.parse(new TextDecoder().decode(body)) as Problem;
}
const codeOf = (answered: Answered): string => problemOf(answered).code;

/** Headers that do not go together with others, which no schema says. */
const ALONE: readonly unknown[] = ['Idempotency-Key', 'If-Match'];

/** Refused for what a schema says. */
function isOfForm(answered: Answered): boolean {
  const { code, field } = problemOf(answered);
  return ['malformed', 'invalid_args'].includes(code) && !ALONE.includes(field);
}

/** One line for each request that was answered otherwise than the document says. */
async function faultsOf(served: Served, listed: Listed, all: Iterable<Sent>): Promise<string[]> {
  const faults: string[] = [];
  for (const sent of all) {
    const answered = await served.client.send(sent);
    const found = [...served.checker.answerFaults(listed, answered)];
    if (sent.isBad && answered.status < 400) found.push(`${answered.status}, and it does not fit`);
    if (sent.note === 'good' && isOfForm(answered)) {
      found.push(`good, and refused: ${new TextDecoder().decode(answered.body)}`);
    }
    const what = `${sent.method} ${sent.path.slice(0, 100)} (${sent.note})`;
    faults.push(...found.map((fault) => `${what}: ${fault}`));
  }
  return faults;
}

// One at a time: making requests is work, and a connection that is silent for long is closed.
for (const binding of BINDINGS) {
  test.serial(
    `${binding}: what is served is in the document, and what is in it is served`,
    async (t) => {
      const { edge, document, requests, client } = await serve(t, binding);
      const listed = operationsOf(document).map((each) => `${each.method} ${each.template}`);
      const all = routes(edge, () => '');
      const served = all
        .filter(({ operation }) => operation !== null)
        .map(({ method, path }) => `${method} ${templateOf(path)}`);
      t.deepEqual(listed.toSorted(), served.toSorted());
      for (const each of operationsOf(document)) {
        const answered = await client.send(requests.good(each)[0]!);
        t.false(NOT_SERVED.has(codeOf(answered)), `${each.method} ${each.template}`);
      }
      for (const { method, path, operation } of all) {
        if (operation !== null) continue;
        const answered = await client.send({
          method,
          path: path.replaceAll(':', 'x'),
          headers: {},
        });
        t.is(answered.status, 404, `${method} ${path} is not in the document`);
      }
    },
  );

  test.serial(`${binding}: every operation has an example that succeeds as listed`, async (t) => {
    const served = await serve(t, binding);
    const all = operationsOf(served.document);
    for (const [id, { headers = {}, ...example }] of EXAMPLES) {
      const listed = all.find(({ operation }) => operation.operationId === id);
      if (listed === undefined) {
        t.fail(`no operation ${id}`);
        continue;
      }
      const answered = await served.client.send({ method: listed.method, headers, ...example });
      t.true(answered.status < 300, `${id}: ${new TextDecoder().decode(answered.body)}`);
      t.deepEqual(served.checker.answerFaults(listed, answered), [], id);
    }
    const shown = new Set([...EXAMPLES.map(([id]) => id), ...ELSEWHERE]);
    // Not those of modules, nor those of the read model, which needs PostgreSQL.
    const isOfModule = (id: string): boolean => /^(?:command|query|history)\./.test(id);
    const missing = all.map(({ operation }) => operation.operationId);
    t.deepEqual(
      missing.filter((id) => !shown.has(id) && !isOfModule(id)),
      [],
    );
  });

  test.serial(
    `${binding}: requests that fit the document are not refused for their form`,
    async (t) => {
      const served = await serve(t, binding);
      for (const listed of operationsOf(served.document)) {
        t.deepEqual(await faultsOf(served, listed, served.requests.good(listed)), []);
      }
    },
  );

  test.serial(`${binding}: requests that do not fit are refused as listed`, async (t) => {
    const served = await serve(t, binding);
    let bad = 0;
    for (const listed of operationsOf(served.document)) {
      const all = served.requests.bad(listed);
      bad += all.filter(({ isBad }) => isBad).length;
      t.deepEqual(await faultsOf(served, listed, all), []);
    }
    t.true(bad > 500, `${bad} requests that do not fit`);
  });

  test.serial(`${binding}: hostile requests are answered as listed`, async (t) => {
    const served = await serve(t, binding);
    for (const listed of operationsOf(served.document)) {
      t.deepEqual(await faultsOf(served, listed, served.requests.hostile(listed)), []);
    }
    t.is((Object.prototype as { polluted?: unknown }).polluted, undefined);
  });

  test.serial(
    `${binding}: a method that is not listed for a path is 405 and names those that are`,
    async (t) => {
      const { document, requests, client } = await serve(t, binding);
      const all = operationsOf(document);
      for (const listed of all) {
        const { path } = requests.good(listed)[0]!;
        const known = all.filter(({ template }) => template === listed.template);
        const names = known.map(({ method }) => method);
        for (const method of METHODS.filter((each) => !names.includes(each))) {
          const answered = await client.send({ method, path, headers: {} });
          t.is(codeOf(answered), 'method_not_allowed', `${method} ${path}`);
          t.true(names.every((each) => answered.headers['allow']?.includes(each)));
        }
      }
    },
  );

  test.serial(`${binding}: HEAD is answered as GET is, without a body`, async (t) => {
    const { document, requests, client, checker } = await serve(t, binding);
    for (const listed of operationsOf(document).filter(({ method }) => method === 'GET')) {
      const answered = await client.send({ ...requests.good(listed)[0]!, method: 'HEAD' });
      t.is(answered.body.length, 0);
      const head = { ...listed, method: 'HEAD' };
      t.deepEqual(checker.answerFaults(head, answered), [], listed.template);
    }
  });

  test.serial(
    `${binding}: a transaction is found as listed: pending, as a whole, and alone`,
    async (t) => {
      const served = await serve(t, binding);
      const listed = operationsOf(served.document).find(
        ({ operation }) => operation.operationId === 'getTransaction',
      )!;
      const example = EXAMPLES.find(([id]) => id === 'submitTransactions')![1];
      served.port.hold();
      const accepted = await served.client.send({
        method: 'POST',
        headers: {},
        ...example,
        path: `${example.path}?wait=accepted`,
      });
      const { id } = JSON.parse(new TextDecoder().decode(accepted.body)) as { id: string };
      const path = `/api/v11/transactions/${id}`;
      const find = async (at: string): Promise<number> => {
        const answered = await served.client.send({ method: 'GET', path: at, headers: {} });
        t.deepEqual(served.checker.answerFaults(listed, answered), []);
        return answered.status;
      };
      t.is(await find(path), 202);
      served.port.release();
      while ((await find(path)) !== 200) await new Promise((resolve) => setImmediate(resolve));
      t.is(await find(`${path}-0`), 200);
      t.is(await find(`${path}-1`), 404);
    },
  );

  test.serial(`${binding}: a node in trouble answers as listed`, async (t) => {
    const served = await serve(t, binding);
    served.port.peersConnected = [];
    served.port.writable = false;
    served.port.failing = true;
    for (const listed of operationsOf(served.document)) {
      t.deepEqual(await faultsOf(served, listed, served.requests.good(listed)), []);
    }
  });
}
