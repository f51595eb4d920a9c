import test from 'ava';
import type { MissingProgram } from '../../protocols/status.ts';
import type { Digest } from '../../protocols/types.ts';
import { BINDINGS, start } from './start.ts';

interface Report {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

const ALL = ['/q/health', '/health', '/api/v11/health'];
const LIVE = ['/q/health/live', '/health/live', '/livez'];
const READY = ['/q/health/ready', '/health/ready', '/readyz'];

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

for (const binding of BINDINGS) {
  test(`${binding}: every health route says yes on a healthy node, to HEAD as to GET`, async (t) => {
    const { url } = await start(t, binding);
    for (const path of [...ALL, ...LIVE, ...READY, '/readyz?for=writes', '/startupz']) {
      t.is(await statusOf(url + path), 200, path);
      const head = await fetch(url + path, { method: 'HEAD' });
      t.is(head.status, 200, path);
      t.true(Number(head.headers.get('content-length')) > 0, path);
      t.is(await head.text(), '');
    }
  });

  test(`${binding}: health is MicroProfile JSON with its checks by name`, async (t) => {
    const { url } = await start(t, binding);
    const report = (await (await fetch(`${url}/q/health`)).json()) as Report;
    t.is(report.status, 'UP');
    const names = report.checks.map(({ name }) => name);
    for (const name of ['process', 'log', 'applied', 'quorum']) t.true(names.includes(name), name);
  });

  // N5
  test(`${binding}: a missing quorum degrades health and closes only readiness for writes`, async (t) => {
    const { url, port } = await start(t, binding);
    port.peersConnected = [1];
    for (const path of [...ALL, ...LIVE, ...READY]) t.is(await statusOf(url + path), 200, path);
    t.is(await statusOf(`${url}/readyz?for=writes`), 503);
    const report = (await (await fetch(`${url}/health`)).json()) as Report;
    t.is(report.status, 'UP');
    t.is(report.checks.find(({ name }) => name === 'quorum')?.status, 'DEGRADED');
  });

  test(`${binding}: N7: a module that an upgrade needs and the node lacks degrades health, and no readiness`, async (t) => {
    const { url, port } = await start(t, binding);
    const programs = async () => {
      const report = (await (await fetch(`${url}/health`)).json()) as Report;
      return report.checks.find(({ name }) => name === 'programs');
    };
    t.like(await programs(), { status: 'UP' });
    const digest = 'ab'.repeat(32) as Digest;
    const missingPrograms: MissingProgram[] = [
      { name: 'raffle', version: 2, digest, height: 500 },
      { name: 'kv', version: 2, digest: '', height: 600 },
    ];
    port.pretended = { missingPrograms };
    for (const path of [...ALL, ...LIVE, ...READY, '/readyz?for=writes']) {
      t.is(await statusOf(url + path), 200, path);
    }
    t.like(await programs(), {
      status: 'DEGRADED',
      data: {
        'height 500': `lacks raffle 2 with digest ${digest}`,
        'height 600': 'lacks kv 2 of a newer release',
      },
    });
  });

  test(`${binding}: N6: a cache that is away degrades health, and no readiness`, async (t) => {
    const { url, port } = await start(t, binding);
    const figures = { hits: 0, misses: 0, errors: 0 };
    port.cache = [
      { store: 'memory', isUp: true, ...figures },
      { store: 'redis', isUp: false, ...figures },
    ];
    for (const path of [...ALL, ...LIVE, ...READY, '/readyz?for=writes']) {
      t.is(await statusOf(url + path), 200, path);
    }
    const report = (await (await fetch(`${url}/health`)).json()) as Report;
    t.is(report.status, 'UP');
    const check = report.checks.find(({ name }) => name === 'cache');
    t.like(check, { status: 'DEGRADED', data: { memory: 'used', redis: 'away' } });
  });

  // N4
  test(`${binding}: a log that takes no writes makes the node not ready, but alive`, async (t) => {
    const { url, port } = await start(t, binding);
    port.writable = false;
    for (const path of [...ALL, ...READY]) t.is(await statusOf(url + path), 503, path);
    for (const path of LIVE) t.is(await statusOf(url + path), 200, path);
  });

  test(`${binding}: a draining node is not ready, but alive`, async (t) => {
    const { url, port } = await start(t, binding);
    port.draining = true;
    for (const path of READY) t.is(await statusOf(url + path), 503, path);
    for (const path of LIVE) t.is(await statusOf(url + path), 200, path);
  });

  test(`${binding}: startup is remembered once the node was ready`, async (t) => {
    const { url, port } = await start(t, binding);
    port.writable = false;
    t.is(await statusOf(`${url}/startupz`), 503);
    port.writable = true;
    t.is(await statusOf(`${url}/startupz`), 200);
    port.writable = false;
    t.is(await statusOf(`${url}/startupz`), 200);
  });

  test(`${binding}: a quorum that makes nothing final for long counts as missing`, async (t) => {
    const { url, port } = await start(t, binding);
    port.silentMs = 60_000;
    t.is(await statusOf(`${url}/readyz?for=writes`), 503);
    t.is(await statusOf(`${url}/readyz`), 200);
  });

  test(`${binding}: roles answer 200 where they hold and 503 where they do not`, async (t) => {
    const { url, port } = await start(t, binding);
    t.is(await statusOf(`${url}/leader`), 200);
    t.is(await statusOf(`${url}/follower`), 503);
    port.state = 'FOLLOWER';
    t.is(await statusOf(`${url}/leader`), 503);
    t.is(await statusOf(`${url}/follower?lag=0`), 200);
    port.behind = 5;
    t.is(await statusOf(`${url}/follower?lag=4`), 503);
    t.is(await statusOf(`${url}/follower?lag=5`), 200);
    t.is(await statusOf(`${url}/follower?lag=many`), 400);
  });

  test(`${binding}: a parameter that a health route does not know is refused`, async (t) => {
    const { url } = await start(t, binding);
    const paths = [...ALL, ...LIVE, ...READY, '/startupz', '/leader', '/follower'];
    for (const path of paths) t.is(await statusOf(`${url}${path}?fro=writes`), 400, path);
    t.is(await statusOf(`${url}/readyz?for=writes&verbose`), 200);
    t.is(await statusOf(`${url}/livez?verbose`), 200);
    t.is(await statusOf(`${url}/livez?for=writes`), 400);
  });

  test(`${binding}: verbose shows each check in a line, and what is down is always shown`, async (t) => {
    const { url, port } = await start(t, binding);
    const verbose = await (await fetch(`${url}/readyz?verbose`)).text();
    t.regex(verbose, /^\[\+\]log UP/m);
    t.regex(verbose, /\nok\n$/);
    port.writable = false;
    const down = await (await fetch(`${url}/readyz`)).text();
    t.regex(down, /^\[-\]log DOWN/m);
    t.is(await statusOf(`${url}/readyz?for=lunch`), 400);
  });
}
