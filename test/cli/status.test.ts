import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { between, serve } from './serving.ts';

const json = (text: string): unknown => JSON.parse(text);

test('each node says of itself what it is, in a table or as JSON', async (t) => {
  const { run, url } = await serve(t);
  const text = await run(['status']);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /^node +health +state +term +final +executed +peers +tps .*url\n/);
  t.regex(text.stdout, /^validator-1 +UP +LEADER +\d+ +0 +0 +3 /m);
  const shown = await run(['status', '--json']);
  t.like(json(shown.stdout), [
    { url, consensus: { nodeId: 'validator-1' }, health: { status: 'UP' } },
  ]);
});

test('a node that does not answer, or is not ready, ends it with 1', async (t) => {
  const { run, url, port } = await serve(t);
  const down = 'http://127.0.0.1:1';
  const both = await run(['status', '--url', url, '--url', down]);
  t.is(both.code, 1);
  t.regex(both.stdout, /^validator-1 +UP .*\nhttp:\/\/127\.0\.0\.1:1 +no answer\n$/m);
  port.peersConnected = [];
  const alone = await run(['status']);
  t.is(alone.code, 0, 'DEGRADED is still up');
  t.regex(alone.stdout, /quorum DEGRADED/);
  port.writable = false;
  const unwell = await run(['status', '--json']);
  t.is(unwell.code, 1);
  t.like(json(unwell.stdout), [{ health: { status: 'DOWN' } }]);
});

test('a node that says anything at all moves no cursor', async (t) => {
  const { run, url } = await serve(t);
  const liar = await between(t, url, (asked, answer) => {
    answer.end(asked.url?.endsWith('/health') ? 'null' : '{"nodeId":"\\u001b[2J","peers":5}');
  });
  const { code, stdout } = await run(['status'], { ALTHING_URL: liar });
  t.is(code, 1);
  t.notRegex(stdout, /\u001b/);
});

test('without --url the nodes of the data folder are asked', async (t) => {
  const { run, folder, url } = await serve(t);
  const none = { ALTHING_URL: undefined };
  const configure = (id: string, config: string): void => {
    mkdirSync(join(folder, 'data', id), { recursive: true });
    writeFileSync(join(folder, 'data', id, 'config.json'), config);
  };
  configure('a', JSON.stringify({ http: Number(new URL(url).port), host: '0.0.0.0' }));
  configure('b', JSON.stringify({ http: 1, host: '::1' }));
  const both = await run(['status', '--json'], none);
  t.like(json(both.stdout), [{ url }, { url: 'http://[::1]:1', consensus: null }]);
  const one = await run(['status', '--id', 'a', '--json'], none);
  t.like(json(one.stdout), [{ url }]);
  const elsewhere = await run(['status', '--data', join(folder, 'data'), '--id', 'c'], none);
  t.is(elsewhere.code, 2);
  t.regex(elsewhere.stderr, /c holds no configuration of a node/);
  configure('b', '{');
  const broken = await run(['status'], none);
  t.is(broken.code, 2);
  t.regex(broken.stderr, /b\/config\.json: /);
});
