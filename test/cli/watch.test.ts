/** `althing watch`: a stream that goes on, and how it ends. */
import { spawn } from 'node:child_process';
import test from 'ava';
import { ALTHING } from './program.ts';
import { between, serve, type Serving } from './serving.ts';

interface Event {
  readonly id: string;
  readonly kind: string;
  readonly height: number;
  readonly name?: string;
}

const eventsIn = (text: string): Event[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

async function write({ run }: Serving, key: string): Promise<void> {
  const { code, stderr } = await run([
    'submit',
    'kv',
    'set',
    'namespace=n',
    `key=${key}`,
    'value=v',
  ]);
  if (code !== 0) throw new Error(stderr);
}

/** A watch that runs, with what it has written. */
function watch({ folder, env }: Serving, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [ALTHING, 'watch', ...args], {
    cwd: folder,
    env: { ...env, ...more },
  });
  const seen = { stdout: '', stderr: '' };
  const changed: (() => void)[] = [];
  const add = (name: keyof typeof seen) => (chunk: Buffer) => {
    seen[name] += chunk.toString();
    for (const tell of changed.splice(0)) tell();
  };
  child.stdout.on('data', add('stdout'));
  child.stderr.on('data', add('stderr'));
  return {
    child,
    seen,
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
    /** Resolves when so many lines have come. */
    async lines(count: number): Promise<void> {
      while (seen.stdout.split('\n').length - 1 < count) {
        await new Promise<void>((resolve) => changed.push(resolve));
      }
    },
  };
}

test('one line an event, from a height on, for people and for programs', async (t) => {
  const serving = await serve(t);
  const { run } = serving;
  await write(serving, 'a');
  await write(serving, 'b');
  const text = await run(['watch', '--from', '1', '--limit', '2']);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /^1 {2}kv\.set \{.*"key":"a".*\n2 {2}kv\.set \{.*"key":"b".*\n$/);
  const shown = await run(['watch', '--from', '1', '--limit', '2', '--json']);
  const events = eventsIn(shown.stdout);
  t.like(events[0], { kind: 'event', module: 'kv', name: 'set', height: 1, data: { key: 'a' } });
  const behind = await run(['watch', '--after', events[0]!.id, '--limit', '1', '--json']);
  t.deepEqual(eventsIn(behind.stdout), [events[1]!]);
});

test('modules, topics, blocks and transactions are chosen', async (t) => {
  const serving = await serve(t);
  const { run } = serving;
  await run(['submit', 'ledger', 'issue', 'account=bob', 'amount=1']);
  await write(serving, 'a');
  const from = ['watch', '--from', '1', '--json'];
  const kinds = async (args: readonly string[], limit: number): Promise<string[]> => {
    const { stdout, stderr } = await run([...from, ...args, '--limit', String(limit)]);
    t.is(stderr, '');
    return eventsIn(stdout).map(({ kind, height, name = '' }) =>
      `${height} ${kind} ${name}`.trim(),
    );
  };
  t.deepEqual(await kinds(['--module', 'kv'], 1), ['2 event set']);
  t.deepEqual(await kinds(['--topic', 'kv.*'], 1), ['2 event set']);
  t.deepEqual(await kinds(['--topic', 'kv.deleted,kv.set'], 1), ['2 event set']);
  t.deepEqual(await kinds(['--module', 'kv', '--blocks', '--transactions'], 4), [
    '1 block',
    '2 block',
    '2 transaction',
    '2 event set',
  ]);
  const text = await run(['watch', '--from', '2', '--blocks', '--transactions', '--limit', '2']);
  t.regex(text.stdout, /^2 {2}block \{"time":.*\n2 {2}ok kv set [0-9a-f]{64}-0\n$/);
});

test('what becomes final while it runs is told, and SIGINT ends it with 130', async (t) => {
  const serving = await serve(t);
  await write(serving, 'before');
  const { child, seen, lines, ended } = watch(serving, ['--from', '1']);
  await lines(1);
  await write(serving, 'after');
  await lines(2);
  child.kill('SIGINT');
  t.is(await ended, 130);
  t.regex(seen.stdout, /before.*\n.*after/);
  t.is(seen.stderr.replaceAll(/^.* …\n/gm, ''), '');
});

test('whoever has read enough ends it without a word', async (t) => {
  const serving = await serve(t);
  await write(serving, 'a');
  const { child, seen, lines, ended } = watch(serving, ['--from', '1']);
  await lines(1);
  child.stdout.destroy();
  await write(serving, 'b');
  await write(serving, 'c');
  t.is(await ended, 0);
  t.is(seen.stderr.replaceAll(/^.* …\n/gm, ''), '');
});

test('a stream that breaks goes on where it was, without a gap and nothing twice', async (t) => {
  const serving = await serve(t);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await write(serving, key);
  const asked: string[] = [];
  // Each connection gives one event, and a part of the next.
  const frail = await between(t, serving.url, (request, answer, pass) => {
    if (!request.url?.startsWith('/api/v11/stream')) return pass();
    asked.push(request.url);
    const whole = answer.write.bind(answer);
    let text = '';
    let isOver = false;
    answer.write = ((chunk: Buffer) => {
      text += chunk.toString();
      const [first, second] = [text.indexOf('"kind":"event"'), text.lastIndexOf('"kind":"event"')];
      if (first === second || isOver) return true;
      isOver = true;
      whole(text.slice(0, second + 5));
      setImmediate(() => answer.destroy());
      return true;
    }) as typeof answer.write;
    pass();
  });
  const words = ['watch', '--from', '1', '--limit', '3', '--json'];
  const { code, stdout, stderr } = await serving.run(words, { ALTHING_URL: frail });
  t.is(code, 0, stderr);
  t.deepEqual(
    eventsIn(stdout).map(({ height }) => height),
    [1, 2, 3],
  );
  t.regex(asked[1] ?? '', /after=/);
  t.notRegex(asked[1] ?? '', /from=/);
});

test('with the genesis document events are proved, and a made-up one is not shown', async (t) => {
  const serving = await serve(t);
  const { run, genesis, url } = serving;
  for (const key of ['a', 'b']) await write(serving, key);
  const liar = await between(t, url, (request, answer, pass) => {
    if (!request.url?.startsWith('/api/v11/stream')) return pass();
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const transaction = `${'0'.repeat(64)}-0`;
    const members = { module: 'kv', name: 'set', data: { key: 'lie' }, transaction };
    const event = { kind: 'event', id: '1.1', height: 1, ...members };
    answer.end(`data: ${JSON.stringify(event)}\n\n`);
  });
  const words = ['watch', '--from', '1', '--limit', '2', '--json', '--genesis', genesis];
  for (const urls of [url, `${liar},${url}`]) {
    const { code, stdout, stderr } = await run(words, { ALTHING_URL: urls });
    t.is(code, 0, stderr);
    t.deepEqual(
      eventsIn(stdout).map((event) => (event as { data?: { key?: string } }).data?.key),
      ['a', 'b'],
    );
  }
  const blocks = await run(['watch', '--blocks', '--genesis', genesis]);
  t.is(blocks.code, 2);
  t.regex(blocks.stderr, /^althing: bad_option: blocks: only events are proved/);
});

test('what a node refuses ends with 1, what is no wish with 2', async (t) => {
  const { run } = await serve(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--from', '0'], 2, /--from/],
    [['--from', 'x'], 2, /--from/],
    [['--after', 'x'], 2, /--after/],
    [['--limit', '0'], 2, /--limit/],
    [['--from', '1', '--after', '1.1'], 2, /cannot be used/],
    [['--module', '!'], 1, /^althing: unknown_module, modules: /],
  ];
  for (const [args, expected, said] of cases) {
    const { code, stdout, stderr } = await run(['watch', ...args]);
    t.is(code, expected, `${args.join(' ')}: ${stderr}`);
    t.regex(stderr, said);
    t.is(stdout, '');
  }
});

test('a node that says anything at all moves no cursor', async (t) => {
  const serving = await serve(t);
  const liar = await between(t, serving.url, (request, answer, pass) => {
    if (!request.url?.startsWith('/api/v11/stream')) return pass();
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const members = { module: '\u001b[2J', name: '\u0007', data: { a: '\u009b' } };
    const event = { kind: 'event', id: '1.1', height: 1, ...members };
    answer.end(`data: ${JSON.stringify(event)}\n\ndata: nonsense\n\n`);
  });
  for (const more of [[], ['--json']]) {
    const words = ['watch', '--from', '1', '--limit', '1', ...more];
    const { code, stdout } = await serving.run(words, { ALTHING_URL: liar });
    t.is(code, 0);
    t.notRegex(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});
