/** Modules of users in clusters of processes: from the start, by upgrades, and with hostile ones. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { getJson } from '../../bench/cluster.ts';
import { initCluster } from '../../src/init/init.ts';
import { run as althing } from '../cli/program.ts';
import { newFolder } from '../folder.ts';
import { settledJson } from '../node/settled.ts';
import { madeText, moduleFile, RAFFLE } from './files.ts';
import { clusterOf, reach, submit, type Receipt } from './running.ts';

/** A raffle that is open for long enough to enter it, on whatever machine. Resolves with its name. */
async function entered(t: ExecutionContext, first: string, second: string): Promise<string> {
  for (let forMs = 1_000; ; forMs *= 2) {
    const raffle = `spring-${forMs}`;
    t.is((await submit(first, 'raffle', 'open', { raffle, forMs })).status, 'ok');
    const { status, error } = await submit(second, 'raffle', 'enter', { raffle });
    if (status === 'ok') return raffle;
    t.is(error?.code, 'raffle_over');
  }
}

test.serial(
  'a module of a user runs from the start, with all that follows from its declaration',
  async (t) => {
    const cluster = await clusterOf(t, [RAFFLE]);
    const [first, second] = cluster.urls as [string, string];
    const name = await entered(t, first, second);
    t.is(
      (await submit(second, 'raffle', 'enter', { raffle: 'none' })).error?.code,
      'unknown_raffle',
    );
    const wrong = await submit(first, 'raffle', 'open', { raffle: 7 });
    t.is((wrong as unknown as { code: string }).code, 'invalid_args');
    const asked = `${second}/api/v11/raffle/raffle?raffle=${name}`;
    let raffle = await getJson<{ winner: string | null }>(asked);
    while (raffle.winner === null) {
      await pause(100);
      raffle = await getJson(asked);
    }
    t.regex(raffle.winner, /^principal:/);
    const proved = await getJson<{ proof: string }>(`${asked}&proof=1`);
    t.regex(proved.proof, /^[0-9a-f]+$/);
    writeFileSync(join(cluster.folder, 'answer.json'), JSON.stringify(proved));
    const verified = await althing(
      ['proof', 'verify', join(cluster.folder, 'answer.json')].concat(
        '--genesis',
        join(cluster.folder, 'genesis.json'),
      ),
    );
    t.is(verified.code, 0, verified.stderr);
    const document = JSON.stringify(await getJson(`${first}/openapi.json`));
    for (const named of ['/api/v11/raffle/raffle', 'raffle.open', 'raffle.enter']) {
      t.true(document.includes(named), named);
    }
    const stream = await fetch(`${second}/api/v11/stream?topics=raffle.drawn&from=1`, {
      headers: { accept: 'text/event-stream' },
    });
    let heard = '';
    for await (const chunk of stream.body!) {
      heard += Buffer.from(chunk as Uint8Array).toString();
      if (heard.includes('"drawn"') || heard.length > 1_000_000) break;
    }
    t.true(heard.includes('"drawn"'), heard.slice(0, 500));
    // A node that starts anew executes the same again.
    await cluster.end(1, 'SIGTERM');
    await cluster.start([1]);
    t.like(await getJson(asked), { winner: raffle.winner });
  },
);

const VERSION_2 = (text: string): string =>
  text.replace('version: 1', 'version: 2').replace(
    'refusals: {',
    `migrations: { 2: ({ tables }) => {
      for (const [name, row] of tables.raffles.page({ limit: 100 }).rows) tables.raffles.set(name, { ...row, winner: 'of version 2' });
    } },
    refusals: {`,
  );

test.serial(
  'a new version takes over at a height; a node without its file stops, and comes back with it',
  async (t) => {
    const cluster = await clusterOf(t, [RAFFLE]);
    const { urls, folder } = cluster;
    const [url] = urls as [string];
    await submit(url, 'raffle', 'open', { raffle: 'spring', forMs: 600_000 });
    const next = moduleFile(VERSION_2(readFileSync(RAFFLE, 'utf8')), 'raffle.ts');
    const added = await althing(['module', 'add', next, '--data', folder]);
    t.is(added.code, 0, added.stderr);
    // All but the last read it.
    for (const node of [0, 1, 2]) {
      await cluster.end(node, 'SIGTERM');
      await cluster.start([node]);
    }
    const ended = cluster.ended(3);
    const approving = ['module', 'approve', next, '--at', '+60', '--data', folder];
    const approved = await althing([...approving, '--url', urls.join(','), '--json']);
    t.is(approved.code, 0, approved.stdout + approved.stderr);
    const { height } = JSON.parse(approved.stdout) as { height: number };
    const listed = await althing(['module', 'list', '--url', url]);
    t.regex(listed.stdout, new RegExp(`${height}  raffle 2 .*(waiting|active)`));
    t.is(await ended, 2);
    t.regex(readFileSync(cluster.logFile(3), 'utf8'), /name its file with --modules/);
    await reach(urls.slice(0, 3), height + 1);
    const asked = '/api/v11/raffle/raffle?raffle=spring';
    t.like(await getJson(url + asked), { winner: 'of version 2' });
    await cluster.start([3]);
    await reach(urls, height + 1);
    t.like(await getJson(urls[3] + asked), { winner: 'of version 2' });
    t.regex((await althing(['module', 'list', '--url', url])).stdout, /raffle 2 .*active/);
  },
);

const HOSTILE: Readonly<Record<string, string>> = {
  loop: 'for (;;);',
  caught: 'for (;;) try { for (;;); } catch {}',
  recursion: 'const f = () => f(); return f();',
  text: 'let s = "x"; for (;;) s += s;',
  list: 'const l = []; for (;;) l.push([l]);',
  rows: "for (let i = 0; ; i++) tables.rows.set('k' + i, 'x'.repeat(5000));",
  hugeRow: "tables.rows.set('k', 'x'.repeat(900000));",
  events: "for (;;) emit('said', 'x'.repeat(1000));",
  result: "return 'x'.repeat(500000);",
  pages:
    "for (let i = 0; i < 200; i++) tables.rows.set('p' + i, 'y'); for (;;) tables.rows.page({ limit: 1000 });",
  badIndex: "tables.indexed.set('k', 'endless');",
  pattern: "tables.patterned.set('k', 'a'.repeat(5000) + '!');",
  calls: "for (;;) call('made', 'pass', {});",
  cycle: "return call('made', 'cycle', {});",
  thrown: 'throw { toString: 5 };',
  faulty: 'return null.x;',
  symbols: 'return [].constructor;',
};

const hostileText = (): string => {
  const commands = Object.entries(HOSTILE)
    .filter(([name]) => name !== 'symbols')
    .map(([name, body]) => {
      return `${name}: command({ description: 'x', args: Type.Object({}), result: AnyValue }, ({ tables, emit, call }) => { ${body} }),`;
    });
  return madeText(
    `tables: {
      rows: table('x', AnyValue),
      indexed: table('x', AnyValue, { by: (row) => spin(row) }),
      patterned: table('x', Type.String({ pattern: '^(a+)+$' })),
    },
    events: { said: event('x', AnyValue) },
    commands: ({ command }) => ({
      pass: command({ description: 'x', args: Type.Object({}) }, () => {}),
      ${commands.join('\n')}
    }),
    queries: ({ query }) => ({
      loop: query({ description: 'x', args: Type.Object({}), result: AnyValue }, () => { for (;;); }),
      matched: query({ description: 'x', args: Type.Object({ text: Type.String({ pattern: '^(a+)+$' }) }), result: AnyValue }, () => 1),
    })`,
    'const spin = (row) => { if (row === "endless") for (;;); return "x"; };',
  );
};

test.serial(
  'whatever a module does, every node has the same receipt for it and goes on',
  async (t) => {
    const cluster = await clusterOf(t, [moduleFile(hostileText())]);
    const { urls } = cluster;
    const names = Object.keys(HOSTILE).filter((name) => name !== 'symbols');
    const receipts: Receipt[] = [];
    for (const [at, name] of names.entries()) {
      receipts.push(await submit(urls[at % 4]!, 'made', name, {}));
    }
    const codes = Object.fromEntries(names.map((name, at) => [name, receipts[at]!.error?.code]));
    t.deepEqual(codes, {
      ...Object.fromEntries(names.map((name) => [name, 'too_expensive'])),
      pattern: 'invalid_row',
      cycle: 'calls_too_deep',
      thrown: 'module_fault',
      faulty: 'module_fault',
    });
    const last = Math.max(...receipts.map(({ height }) => height));
    await reach(urls, last);
    for (const { id } of receipts) {
      const answers = await Promise.all(
        urls.map((url) => settledJson<object>(`${url}/api/v11/transactions/${id}`)),
      );
      t.is(new Set(answers.map((each) => JSON.stringify(each))).size, 1, id);
    }
    const answer = await fetch(`${urls[0]}/api/v11/made/loop`);
    t.is(answer.status, 422);
    t.is(((await answer.json()) as { code: string }).code, 'too_expensive');
    const text = `${'a'.repeat(5000)}!`;
    const matched = await fetch(`${urls[0]}/api/v11/made/matched?text=${text}`);
    t.is(matched.status, 422);
    t.is((await submit(urls[1]!, 'made', 'pass', {})).status, 'ok');
  },
);

test('a node says which file it lacks, which is another one, and what is wrong with it', async (t) => {
  const data = newFolder('user-modules');
  await initCluster({ data, nodes: 1, nowMs: Date.now(), modules: [RAFFLE] });
  const { loadConfig, ConfigError } = await import('../../src/config/load.ts');
  const load = (...more: string[]) => {
    try {
      loadConfig(['--id', 'validator-1', '--data', data, ...more], {}, '/');
      return '';
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  t.is(load(), '');
  const other = moduleFile(VERSION_2(readFileSync(RAFFLE, 'utf8')));
  t.regex(
    load('--modules', other),
    /genesis names module raffle, version 1, with digest [0-9a-f]{64}, but .*made\.ts is version 2 with digest [0-9a-f]{64}/,
  );
  t.is(load('--modules', `${other},${RAFFLE}`), '');
  t.regex(load('--modules', '/nowhere/x.ts'), /\/nowhere\/x\.ts cannot be read/);
  const broken = moduleFile('export default {');
  t.regex(load('--modules', broken), /made\.ts:1:17: /);
});
