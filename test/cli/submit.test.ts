/** `althing submit`, as people and scripts use it. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ALTHING } from './program.ts';
import { between, serve } from './serving.ts';

interface Receipt {
  readonly id: string;
  readonly height: number;
  readonly status: string;
  readonly error?: { readonly code: string };
}

const json = (text: string): unknown => JSON.parse(text);
const lines = (text: string): Receipt[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Receipt);

test('a transaction is sent, and its receipt shown when it is final', async (t) => {
  const { run } = await serve(t);
  const words = ['submit', 'kv', 'set', 'namespace=demo', 'key=greeting', 'value=hello'];
  const text = await run(words);
  t.is(text.stderr, '');
  t.is(text.code, 0);
  t.regex(text.stdout, /^ok [0-9a-f]{64}-0 at height 1\n/);
  t.regex(text.stdout, /^ {2}event kv\.set \{.*"key":"greeting"/m);
  const shown = await run([...words, '--json']);
  t.like(json(shown.stdout), { status: 'ok', height: 2 });
});

test('arguments are text, JSON, or an object, by the schema of the command', async (t) => {
  const { run } = await serve(t);
  const set = ['submit', 'kv', 'set', '--args', '{"namespace":"n","key":"k"}'];
  for (const [word, value] of [
    ['value=42', '42'],
    ['value:=42', 42],
    ['value:={"a":[1,null]}', { a: [1, null] }],
    ['value=', ''],
    ['value=a=b', 'a=b'],
  ] as const) {
    t.is((await run([...set, word])).code, 0, word);
    const { stdout } = await run(['get', 'kv', 'get', 'namespace=n', 'key=k', '--json']);
    t.like(json(stdout), { result: { value } }, word);
  }
  const paid = await run(['submit', 'ledger', 'transfer', 'from=alice', 'to=bob', 'amount=5']);
  t.is(paid.code, 0, paid.stderr);
});

test('a transaction that fails ends with 1 and its code', async (t) => {
  const { run } = await serve(t);
  const words = ['submit', 'ledger', 'transfer', 'from=alice', 'to=nobody', 'amount=5'];
  const text = await run(words);
  t.is(text.code, 1);
  t.regex(text.stdout, /^failed [0-9a-f]{64}-0 at height 1: credit_account_not_found: /);
  const shown = await run([...words, '--json']);
  t.is(shown.code, 1);
  t.like(json(shown.stdout), { status: 'failed', error: { code: 'credit_account_not_found' } });
});

test('what cannot be sent ends with 2, says what is wrong, and sends nothing', async (t) => {
  const { run, port, folder } = await serve(t);
  writeFileSync(join(folder, 'bad.jsonl'), '\n{"module":"kv","command":"sett"}\n');
  writeFileSync(join(folder, 'none.jsonl'), 'hello\n');
  writeFileSync(join(folder, 'key.pem'), 'SECRET');
  const set = ['submit', 'kv', 'set'];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['submit'], /name a module and a command/],
    [['submit', 'kv'], /althing kv --help/],
    [['submit', 'kv', 'set', '--file', 'x'], /name a module and a command/],
    [['submit', 'kvv', 'set'], /there is no module kvv; there are .*kv/],
    [['submit', 'kv', 'sett'], /kv has no command sett; it has set, /],
    [['submit', 'kv', 'toString'], /kv has no command toString/],
    [[...set, 'namespace=n', 'kei=k', 'value=1'], /argument kei: unknown; expected namespace, key/],
    [[...set, 'namespace=n', 'value=1'], /argument key: missing/],
    [[...set, 'namespace=a b', 'key=k', 'value=1'], /argument namespace: expected 1 to 64/],
    [[...set, 'namespace'], /"namespace" is no argument: write name=value/],
    [[...set, 'key=a', 'key=b'], /key is given twice/],
    [[...set, '--args', '{"key":'], /--args is not JSON/],
    [[...set, '--args', '[]'], /--args takes a JSON object/],
    [[...set, '--args', '{"__proto__":{"key":1}}'], /__proto__/],
    [[...set, 'value:=1.5'], /integer of 53 bits/],
    [[...set, 'value:=9007199254740993'], /integer of 53 bits/],
    [['submit', 'ledger', 'transfer', 'from=alice', 'to=bob', 'amount=-1'], /argument amount/],
    [['submit', '--file', 'missing.jsonl'], /cannot read missing\.jsonl \(ENOENT\)/],
    [['submit', '--file', 'bad.jsonl'], /bad\.jsonl, line 2: kv has no command sett/],
    [['submit', '--file', 'none.jsonl'], /none\.jsonl, line 1: it is not JSON/],
    [['submit', '--resend', 'none.jsonl'], /none\.jsonl, line 1: no submission/],
    [[...set, '--key', 'missing.pem'], /cannot read the private key missing\.pem/],
    [[...set, '--key', 'key.pem'], /key\.pem/],
    [[...set, '--timeout', '0'], /--timeout/],
    [[...set, '--genesis', 'none.jsonl'], /none\.jsonl: not JSON/],
  ];
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 2, `${args.join(' ')}: ${stderr}`);
    t.regex(stderr, said);
    t.notRegex(stderr, /SECRET| at .*\.js:/);
    t.is(stdout, '');
  }
  const unsigned = await run(set, { ALTHING_KEY: undefined });
  t.is(unsigned.code, 2);
  t.regex(unsigned.stderr, /--key or ALTHING_KEY .*openssl genpkey/);
  t.is(port.submitted, 0);
});

test('an address that is none, and one where nobody answers, say so', async (t) => {
  const { run } = await serve(t);
  const none = await run(['submit', 'kv', 'set'], { ALTHING_URL: 'nonsense' });
  t.is(none.code, 2);
  t.regex(none.stderr, /nonsense is no address such as http/);
  const down = await run(['submit', 'kv', 'set', '--timeout', '0.2'], {
    ALTHING_URL: 'http://127.0.0.1:1',
  });
  t.is(down.code, 1);
  t.regex(
    down.stderr,
    /^althing: no answer within 0\.2 s from http:\/\/127\.0\.0\.1:1: does a node run there/m,
  );
});

test('a file of transactions is sent in order, each with its receipt', async (t) => {
  const { run, folder } = await serve(t);
  const calls = Array.from({ length: 2500 }, (_, at) => ({
    module: 'kv',
    command: 'set',
    args: { namespace: 'many', key: `k${at}`, value: at },
  }));
  const bad = { module: 'kv', command: 'revokeLease', args: { lease: 'none' } };
  const text = [...calls, bad].map((call) => JSON.stringify(call)).join('\r\n');
  writeFileSync(join(folder, 'calls.jsonl'), text);
  const { code, stdout, stderr } = await run(['submit', '--file', 'calls.jsonl', '--json']);
  t.is(stderr, '');
  t.is(code, 1);
  const receipts = lines(stdout);
  t.is(receipts.length, 2501);
  t.is(new Set(receipts.map(({ id }) => id.slice(0, 64))).size, 3);
  t.deepEqual(
    receipts.filter(({ status }) => status !== 'ok').map(({ error }) => error?.code),
    ['lease_not_found'],
  );
  t.true(receipts.every(({ height }, at) => height >= (receipts[at - 1]?.height ?? 0)));
});

test('interrupted, it ends with 130 and says how to find out', async (t) => {
  const { port, folder, env, run } = await serve(t);
  port.hold();
  const arrived = port.submitting();
  const words = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7'];
  const child = spawn(process.execPath, [ALTHING, ...words], { cwd: folder, env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await arrived;
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  t.is(code, 130, said);
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.resend'));
  t.true(said.includes(`althing submit --resend ${file}`), said);
  port.release();
  const again = await run(['submit', '--resend', file!]);
  t.is(again.code, 0, again.stderr);
  t.regex(again.stdout, /^ok /);
});

test('without waiting it tells the ids, by which the receipts are found', async (t) => {
  const { run } = await serve(t);
  const words = ['submit', 'kv', 'set', 'namespace=n', 'key=k', 'value=v', '--no-wait'];
  const sent = await run([...words, '--json']);
  t.is(sent.code, 0, sent.stderr);
  const { id, ids } = json(sent.stdout) as { id: string; ids: string[] };
  t.deepEqual(ids, [`${id}-0`]);
  t.regex((await run(words)).stdout, /^accepted [0-9a-f]{64}\n$/);
  const found = await run(['get', 'transaction', id]);
  t.is(found.code, 0, found.stderr);
  t.true(found.stdout.startsWith(`ok ${id}-0`));
  t.false(existsSync('sent.jsonl'));
});

test('transactions that are large are sent in as many submissions as they take', async (t) => {
  const { run, folder } = await serve(t);
  const value = 'x'.repeat(60_000);
  const calls = Array.from({ length: 40 }, (_, at) => ({
    module: 'kv',
    command: 'set',
    args: { namespace: 'large', key: `k${at}`, value },
  }));
  const text = calls.map((call) => JSON.stringify(call)).join('\n');
  writeFileSync(join(folder, 'large.jsonl'), text);
  const sent = await run(['submit', '--file', 'large.jsonl', '--json']);
  t.is(sent.code, 0, sent.stderr);
  t.is(new Set(lines(sent.stdout).map(({ id }) => id.slice(0, 64))).size, 3);
});

test('a refusal is told, and one of a node alone passed over, also without waiting', async (t) => {
  const { run, url } = await serve(t);
  let asked = 0;
  const refusing = await between(t, url, (question, answer, pass) => {
    if (question.method !== 'POST') return pass();
    asked++;
    answer.writeHead(422, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ code: 'bad_word', detail: 'no' }));
  });
  const words = ['submit', 'kv', 'set', 'namespace=n', 'key=k', 'value=v', '--no-wait'];
  const sent = await run(words, { ALTHING_URL: `${refusing},${url}` });
  t.is(sent.code, 0, sent.stderr);
  t.true(asked > 0);
  const refused = await run(words, { ALTHING_URL: refusing });
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^althing: bad_word: no/);
});

test('interrupted before a node has answered, it keeps what was signed, also without waiting', async (t) => {
  const { url, folder, env, run } = await serve(t);
  let arrived = (): void => {};
  const arriving = new Promise<void>((resolve) => (arrived = resolve));
  const silent = await between(t, url, (asked, _, pass) => {
    if (asked.method === 'POST') arrived();
    else pass();
  });
  const words = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--no-wait'];
  const options = { cwd: folder, env: { ...env, ALTHING_URL: silent } };
  const child = spawn(process.execPath, [ALTHING, ...words], options);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await arriving;
  child.kill('SIGINT');
  t.is(await new Promise((resolve) => child.once('exit', resolve)), 130, said);
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.resend'));
  t.true(said.includes(`althing submit --resend ${file}`), said);
  const again = await run(['submit', '--resend', file!]);
  t.regex(again.stdout, /^ok /, again.stderr);
});

test('X11: a frozen node is not waited for, also without waiting', async (t) => {
  const { run, url } = await serve(t);
  let isHeld = false;
  const frozen = await between(t, url, (asked, answer, pass) => {
    if (asked.method !== 'POST') return pass();
    isHeld = true;
    answer.on('close', () => (isHeld = false));
  });
  let wasHeld = false;
  const next = await between(t, url, (asked, _, pass) => {
    if (asked.method === 'POST') wasHeld = isHeld;
    pass();
  });
  const words = ['submit', 'kv', 'set', 'namespace=n', 'key=k', 'value=v', '--no-wait'];
  const sent = await run(words, { ALTHING_URL: `${frozen},${next}` });
  t.is(sent.code, 0, sent.stderr);
  t.true(wasHeld);
});
