import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { importNamespace } from '../../src/kv-snapshot/import.ts';
import { run } from '../cli/program.ts';
import { problem } from '../client/cluster.ts';
import { API_TOKEN } from '../http/test-node.ts';
import { connect, contents, exported, fill, folder, pem, startNode } from './filled.ts';

const values = [
  null,
  true,
  0,
  -7,
  2 ** 40,
  '',
  'text',
  '\u{1F600}',
  [],
  [1, [2]],
  {},
  { a: { b: 'c' } },
  2n ** 60n,
  Uint8Array.of(0, 255),
  { deep: [Uint8Array.of(1)], big: 2n ** 63n },
];
const odd = values.map((value, n) => [`k/${n}`, value] as const);
const many = Array.from(
  { length: 700 },
  (_, n) => [`k${n}`, { n, text: 'x'.repeat(300) }] as const,
);

const byKey = (a: readonly unknown[], b: readonly unknown[]): number =>
  Buffer.compare(Buffer.from(a[0] as string), Buffer.from(b[0] as string));
const once = (entries: readonly (readonly [string, unknown])[]) =>
  entries.map(([key, value]) => [key, value, 1] as const).toSorted(byKey);

test('what is exported is imported as it was, whatever the values', async (t) => {
  const { client } = await startNode(t);
  await fill(client, 'from', odd);
  const file = await exported(client, 'from');
  const result = await importNamespace(client, file, { namespace: 'to' });
  t.deepEqual(result, { namespace: 'to', written: odd.length, before: 0, leased: 0 });
  t.deepEqual(await contents(client, 'to'), await contents(client, 'from'));
  const [first, second] = readFileSync(file, 'utf8').split('\n');
  t.like(JSON.parse(first!), { format: 'althing-kv', version: 1, namespace: 'from' });
  t.like(JSON.parse(second!), { key: 'k/0', createRevision: 1, modRevision: 1, version: 1 });
});

test('R12: an import that is cut off goes on where it was, and writes each entry once', async (t) => {
  let left = Infinity;
  const failing = ((input: string, init?: RequestInit) => {
    if (init?.method === 'POST' && left-- <= 0) return Promise.resolve(problem(403, 'cut_off'));
    return fetch(input, init);
  }) as typeof fetch;
  const { client, url } = await startNode(t, failing);
  const large = many.map(([key, value]) => [key, { ...value, text: 'x'.repeat(3000) }] as const);
  for (let from = 0; from < large.length; from += 100) {
    await fill(client, 'from', large.slice(from, from + 100));
  }
  const file = await exported(client, 'from');
  left = 2;
  await t.throwsAsync(importNamespace(client, file, { namespace: 'to' }), { message: /cut_off/ });
  const partly = (await contents(client, 'to')).length;
  t.true(partly > 1 && partly < large.length, `${partly} entries`);
  const result = await importNamespace(await connect(url), file, { namespace: 'to' });
  t.is(result.before, partly - 1, 'one key says how far it got');
  t.is(result.written + result.before, large.length);
  t.deepEqual(await contents(client, 'to'), once(large) as never);
});

test('R12: an import refuses to go on beside another one', async (t) => {
  const { client } = await startNode(t);
  await fill(client, 'from', many);
  const file = await exported(client, 'from');
  const both = await Promise.allSettled([
    importNamespace(client, file, { namespace: 'to' }),
    importNamespace(client, file, { namespace: 'to' }),
  ]);
  const refused = both.filter(({ status }) => status === 'rejected');
  for (const each of refused) {
    t.regex(String((each as PromiseRejectedResult).reason), /another import/);
  }
  t.true(refused.length < 2);
  const held = await contents(client, 'to');
  t.deepEqual(
    held.map(([key]) => key),
    once(many).map(([key]) => key),
  );
});

test('R13: nothing is written of a file that is not what was exported', async (t) => {
  const { client } = await startNode(t);
  await fill(client, 'from', many.slice(0, 20));
  const text = readFileSync(await exported(client, 'from'), 'utf8');
  const lines = text.split('\n');
  const altered: readonly (readonly [string, string, RegExp])[] = [
    ['cut', lines.slice(0, 10).join('\n'), /ends too early/],
    ['cut in a line', text.slice(0, text.length / 2), /no JSON|ends too early/],
    ['changed', text.replace('"n":7', '"n":8'), /checksum/],
    ['shortened', [...lines.slice(0, 5), ...lines.slice(6)].join('\n'), /checksum/],
    ['other', '{"a":1}\n', /no export/],
    ['newer', text.replace('"version":1', '"version":2'), /version 2/],
    ['empty', '', /ends too early/],
    ['broken', [lines[0], '{"key":1}', ...lines.slice(1)].join('\n'), /line 2 is no entry/],
  ];
  for (const [what, content, message] of altered) {
    const file = join(folder, `${what}.jsonl`);
    writeFileSync(file, content);
    await t.throwsAsync(importNamespace(client, file, { namespace: 'to' }), { message }, what);
  }
  t.deepEqual(await contents(client, 'to'), []);
});

test('R15: an export is what the namespace held when it began, whatever is written meanwhile', async (t) => {
  let pages = 0;
  const changing = (async (input: string, init?: RequestInit) => {
    if (input.includes('/kv/list') && ++pages > 1) {
      await fill(client, 'from', [
        [`new${pages}`, 1],
        [`k${600 + pages}`, 'changed'],
      ]);
      await client.call('kv', 'delete', { namespace: 'from', key: `k${690 - pages}` });
    }
    return fetch(input, init);
  }) as typeof fetch;
  const { client } = await startNode(t, changing);
  await fill(client, 'from', many);
  const file = await exported(client, 'from');
  t.true(pages > 3);
  t.is((await importNamespace(client, file, { namespace: 'to' })).written, many.length);
  t.deepEqual(await contents(client, 'to'), once(many) as never);
  const { revision } = JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!) as {
    revision: number;
  };
  t.is(revision, many.length);
});

test('R15: an export whose height nodes forget says what to do', async (t) => {
  const forgetting = ((input: string, init?: RequestInit) =>
    input.includes('atHeight=')
      ? Promise.resolve(problem(410, 'height_pruned'))
      : fetch(input, init)) as typeof fetch;
  const { client } = await startNode(t, forgetting);
  await fill(client, 'from', [['a', 1]]);
  await t.throwsAsync(exported(client, 'from'), { message: /export again when less is written/ });
});

test('keys with a lease are exported, and left out by an import', async (t) => {
  const { client } = await startNode(t);
  const args = { namespace: 'from', key: 'session', value: 1, ttlMs: 3_600_000 };
  await client.call('kv', 'set', args);
  await fill(client, 'from', [['a', 1]]);
  const file = await exported(client, 'from');
  t.regex(readFileSync(file, 'utf8'), /"lease":"from\/session"/);
  t.like(await importNamespace(client, file, { namespace: 'to' }), { written: 1, leased: 1 });
  t.deepEqual(await contents(client, 'to'), [['a', 1, 1]]);
});

test('an import into a namespace of another is refused, and of an empty one is done', async (t) => {
  const { client, url } = await startNode(t);
  const file = await exported(client, 'nothing');
  t.like(await importNamespace(client, file), { namespace: 'nothing', written: 0 });
  await fill(client, 'from', [['a', 1]]);
  const claimed = await fetch(`${url}/api/v11/transactions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ module: 'kv', command: 'claim', args: { namespace: 'to' } }),
  });
  t.is(claimed.status, 200);
  const into = importNamespace(client, await exported(client, 'from'), { namespace: 'to' });
  t.like(await t.throwsAsync(into), { code: 'not_writer' });
});

test('althing kv export and import', async (t) => {
  const { client, url } = await startNode(t);
  await fill(client, 'from', odd);
  const [file, key] = [join(folder, 'cli.jsonl'), join(folder, 'client.pem')];
  writeFileSync(key, pem, { mode: 0o600 });
  const args = ['kv', 'export', '--url', url, '--namespace', 'from'];
  const written = await run([...args, '--output', file, '--json']);
  t.is(written.code, 0, written.stderr);
  t.deepEqual(JSON.parse(written.stdout), { namespace: 'from', entries: odd.length, output: file });
  const printed = await run(args);
  t.is(printed.stdout.split('\n').length, odd.length + 3);
  const read = await run(['kv', 'import', file, '--url', url, '--key', key, '--namespace', 'to']);
  t.is(read.code, 0, read.stderr);
  t.is(read.stdout, `Imported ${odd.length} entries into to.\n`);
  t.deepEqual(await contents(client, 'to'), await contents(client, 'from'));
});

const failures: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['no namespace', ['export', '--url', 'http://127.0.0.1:1'], 2, /--namespace/],
  ['an address that is none', ['export', '--url', 'x', '--namespace', 'n'], 2, /x is no address/],
  [
    'a key that is not there',
    ['import', import.meta.filename, '--url', 'http://127.0.0.1:1', '--key', '/no'],
    2,
    /\/no/,
  ],
  ['a file that is not there', ['import', 'f', '--key', '/no'], 2, /cannot read f \(ENOENT\)/],
];

for (const [what, args, code, message] of failures) {
  test(`althing kv says what is wrong with ${what}`, async (t) => {
    const ended = await run(['kv', ...args]);
    t.is(ended.code, code);
    t.regex(ended.stderr, message);
    t.is(ended.stdout, '');
  });
}
