/** The OpenAPI document and the page to browse it; what it says is driven by test/contract. */
import { Validator } from '@seriousme/openapi-schema-validator';
import test from 'ava';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { Type } from '../../src/module.ts';
import type { Route } from '../../src/http/router.ts';
import { BINDINGS, start } from './start.ts';

type Document = Readonly<Record<string, unknown>>;

async function verdict(document: Document): Promise<{ valid: boolean; text: string }> {
  const result = await new Validator().validate(structuredClone(document));
  return { valid: result.valid, text: JSON.stringify(result.errors ?? '') };
}

for (const binding of BINDINGS) {
  test(`${binding}: the document is valid OpenAPI 3.1`, async (t) => {
    const { url } = await start(t, binding);
    const answer = await fetch(`${url}/openapi.json`);
    t.is(answer.headers.get('content-type'), 'application/json');
    const document = (await answer.json()) as Document;
    t.is(document['openapi'], '3.1.0');
    const { valid, text } = await verdict(document);
    t.true(valid, text);
    t.false((await verdict({ ...document, paths: { '/x': { get: { responses: 1 } } } })).valid);
  });

  test(`${binding}: the document is sent again only when it is another`, async (t) => {
    const { url } = await start(t, binding);
    const etag = (await fetch(`${url}/openapi.json`)).headers.get('etag')!;
    const ask = async (tag: string): Promise<number> =>
      (await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': tag } })).status;
    t.is(await ask(etag), 304);
    t.is(await ask(`W/${etag}`), 304);
    t.is(await ask('"other"'), 200);
  });

  test(`${binding}: files of the page are packed only for who can unpack them`, async (t) => {
    const { url } = await start(t, binding);
    const sizes: number[] = [];
    for (const coding of ['gzip', 'identity', 'gzip;q=0']) {
      const headers = { 'accept-encoding': coding };
      const answer = await fetch(`${url}/docs/swagger-ui-bundle.js`, { headers });
      t.is(answer.headers.get('content-encoding'), coding === 'gzip' ? 'gzip' : null);
      sizes.push(Number(answer.headers.get('content-length')));
    }
    t.true(sizes[0]! < sizes[1]! / 2 && sizes[1] === sizes[2], sizes.join());
  });

  test(`${binding}: the page names nothing outside of this node, and could load nothing`, async (t) => {
    const { url } = await start(t, binding);
    const answer = await fetch(`${url}/docs`);
    const page = await answer.text();
    const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at = '']) => at);
    t.true(named.length >= 3);
    for (const at of named.filter((each) => !each.startsWith('data:'))) {
      t.regex(at, /^\/(?!\/)/);
      t.is((await fetch(url + at)).status, 200, at);
    }
    t.notRegex(page, /<script(?! src=)/);
    const policy = answer.headers.get('content-security-policy') ?? '';
    t.regex(policy, /default-src 'none'/);
    t.notRegex(policy, /unsafe|\*|https?:/);
  });
}

const route = (operation: Route['operation']): Route => ({
  method: 'GET',
  path: '/x/:id',
  operation,
  handle: () => ({ status: 200, body: '', contentType: '' }),
});
const catalog = new ModuleCatalog(builtInModules);

test('what a route takes and answers stands in the document, in the forms of JSON', (t) => {
  const operation = {
    id: 'x',
    tag: 'x',
    summary: 'X.',
    parameters: [
      { name: 'id', in: 'path', description: 'which', schema: Type.Integer() },
      { name: 'filter', in: 'query', description: 'f', schema: Type.Array(Type.String()) },
    ],
    answers: { 200: { description: 'ok', content: { 'application/json': 'Health' } } },
    problems: [{ 404: ['gone'] }, { 404: ['lost', '*'] }],
    credential: 'token',
  } as const;
  const { paths, components } = openApiDocument([route(operation)], catalog, '1') as {
    paths: Record<string, Record<string, Record<string, unknown>>>;
    components: { responses: Record<string, { description: string }> };
  };
  const { parameters, responses, security } = paths['/x/{id}']!['get']!;
  t.like(parameters, {
    0: { name: 'id', required: true, schema: { type: 'integer' } },
    1: { name: 'filter', content: { 'application/json': { schema: { type: 'array' } } } },
  });
  t.like(responses, {
    200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Health' } } } },
  });
  t.deepEqual(security, [{ apiToken: [] }]);
  const { $ref } = (responses as Record<string, { $ref: string }>)['404']!;
  const { description } = components.responses[$ref.split('/').at(-1)!]!;
  t.regex(description, /`gone`, `lost`, and what a module/);
});

test('a status that is both an answer and a problem is a fault of the route', (t) => {
  const operation = {
    id: 'x',
    tag: 'x',
    summary: 'X.',
    answers: { 404: { description: 'none' } },
    problems: [{ 404: ['gone'] }],
  };
  t.throws(() => openApiDocument([route(operation)], catalog, '1'), { message: /^404 is an/ });
});

test('a route that only says why it is none is not in the document', (t) => {
  t.deepEqual(openApiDocument([route(null)], catalog, '1')['paths'], {});
});
