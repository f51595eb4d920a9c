/** `althing get` and what it verifies. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pack } from 'msgpackr';
import { submissionId } from '../../protocols/transaction/submission.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { answered, between, serve, type Serving } from './serving.ts';

const json = (text: string): unknown => JSON.parse(text);
type Members = Readonly<Record<string, unknown>>;

async function filled(serving: Serving): Promise<string> {
  const words = ['submit', 'kv', 'set', 'namespace=n', 'key=k', 'value:={"a":1}', '--json'];
  const { stdout, stderr } = await serving.run(words);
  if (stdout === '') throw new Error(stderr);
  return (json(stdout) as { id: string }).id;
}

test('queries, rows, receipts and blocks are read, for people and for programs', async (t) => {
  const serving = await serve(t);
  const { run } = serving;
  const id = await filled(serving);
  const cases: readonly (readonly [readonly string[], RegExp, object])[] = [
    [
      ['kv', 'get', 'namespace=n', 'key=k'],
      /^namespace +n\nkey +k\nvalue +\{"a":1\}\n/,
      { height: 1, result: { value: { a: 1 } } },
    ],
    [['query', 'kv', 'exists', 'namespace=n', 'key=k'], /^exists +true\n$/, { height: 1 }],
    [
      ['ledger', 'accounts', 'limit=1'],
      /^accounts\n {2}account +owner.*\n {2}alice +key:/,
      { result: { accounts: [{ account: 'alice', balance: '1000' }] } },
    ],
    [['row', 'kv', 'entries', 'n/k'], /^value +\{"a":1\}$/m, { result: { value: { a: 1 } } }],
    [['row', 'kv', 'entries', 'n/none'], /^null\n$/, { result: null }],
    [['transaction', id], new RegExp(`^ok ${id} at height 1\n`), { id, status: 'ok' }],
    [['transaction', id.slice(0, 64)], /^ok /, { receipts: { length: 1 } }],
    [['block', '1'], /^height +1\ndigest +[0-9a-f]{64}\n/, { height: 1, txCount: 1 }],
    [['block', 'latest'], /^votes +3$/m, { epoch: 0 }],
  ];
  for (const [words, text, members] of cases) {
    const human = await run(['get', ...words]);
    t.is(human.code, 0, human.stderr);
    t.regex(human.stdout, text, words.join(' '));
    t.like(json((await run(['get', ...words, '--json'])).stdout), members, words.join(' '));
  }
});

test('with the genesis document the same is verified, and says so', async (t) => {
  const serving = await serve(t);
  const { run, genesis } = serving;
  const id = await filled(serving);
  const cases: readonly (readonly [readonly string[], object])[] = [
    [['kv', 'get', 'namespace=n', 'key=k'], { verified: true, result: { value: { a: 1 } } }],
    [['ledger', 'account', 'account=alice'], { verified: true, result: { balance: '1000' } }],
    [['row', 'kv', 'entries', 'n/k'], { verified: true, result: { value: { a: 1 } } }],
    [['row', 'kv', 'entries', 'n/none'], { verified: true, result: null }],
    [['transaction', id], { id, status: 'ok' }],
  ];
  for (const [words, members] of cases) {
    const { code, stdout, stderr } = await run(['get', ...words, '--genesis', genesis, '--json']);
    t.is(code, 0, stderr);
    t.like(json(stdout), members, words.join(' '));
  }
  const absent = await run(['get', 'kv', 'get', 'namespace=n', 'key=x', '--genesis', genesis]);
  t.is(absent.code, 1);
  t.regex(absent.stderr, /^althing: key_not_found: /);
});

const LIES: Readonly<Record<string, (of: Buffer) => Buffer>> = {
  'the proof of something else': (other) => other,
  'an answer without a proof': () => pack({ height: 1, result: { value: 2 } }),
  nonsense: () => Buffer.from('{'),
};

for (const [name, lie] of Object.entries(LIES)) {
  test.serial(`a node that answers ${name} is not believed`, async (t) => {
    const serving = await serve(t);
    const { run, url, genesis } = serving;
    const id = await filled(serving);
    const other = await fetch(`${url}/api/v11/state/kv/entries/n%2Fk?proof=1`, {
      headers: { accept: 'application/msgpack' },
    });
    const lied = lie(Buffer.from(await other.arrayBuffer()));
    const liar = await between(t, url, (asked, answer, pass) => {
      if (!asked.url?.includes('proof=1')) return pass();
      answer.setHeader('content-type', 'application/msgpack');
      answer.end(lied);
    });
    for (const words of [
      ['kv', 'get', 'namespace=n', 'key=other'],
      ['row', 'kv', 'entries', 'n/none'],
      ['transaction', id],
    ]) {
      const get = ['get', ...words, '--genesis', genesis, '--timeout', '5'];
      const { code, stdout, stderr } = await answered(() => run(get, { ALTHING_URL: liar }));
      t.is(code, 1, stderr);
      t.is(stdout, '');
      t.regex(stderr, /^althing: (not_proved|bad_answer)/);
    }
    const get = ['get', 'row', 'kv', 'entries', 'n/none', '--genesis', genesis];
    const both = await run(get, { ALTHING_URL: `${liar},${url}` });
    t.is(both.code, 0, both.stderr);
  });
}

test('a receipt that a node made up is not shown as final', async (t) => {
  const { run, url, genesis } = await serve(t);
  let sent = 0;
  const liar = await between(t, url, (asked, answer, pass) => {
    if (asked.method !== 'POST') return pass();
    sent++;
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    // As if it had succeeded: the id is right, and nothing was executed.
    asked.on('end', () => answer.end(made(Buffer.concat(chunks))));
  });
  const submit = ['submit', 'kv', 'set', 'namespace=n', 'key=k', 'value=v'];
  const believed = await run(submit, { ALTHING_URL: liar });
  t.is(believed.code, 0, believed.stderr);
  // The document tells which cluster it is and the command what it sends: nobody is asked in that second.
  const checking = [...submit, '--genesis', genesis, '--timeout', '1'];
  // Where the machine is slow it may be over before anything was sent.
  while (sent < 2) {
    const checked = await run(checking, { ALTHING_URL: liar });
    t.is(checked.code, 1);
    t.is(checked.stdout, '');
  }
});

function made(submission: Buffer): Buffer {
  const id = submissionId(nodeCrypto, submission.subarray(0, -64));
  const head = Buffer.alloc(16);
  head.writeUInt32BE(1, 4);
  head.writeUInt32BE(1, 12);
  return Buffer.concat([Buffer.from(id, 'hex'), head, Buffer.from([0, 0, 1])]);
}

test('nodes of another cluster than the genesis document makes are refused', async (t) => {
  const [one, other] = [await serve(t), await serve(t)];
  const words = ['get', 'kv', 'exists', 'namespace=n', 'key=k', '--timeout', '5'];
  const { code, stderr } = await one.run([...words, '--genesis', other.genesis]);
  t.is(code, 1, stderr);
  t.regex(stderr, /^althing: other_cluster: these nodes are of cluster/);
});

test('nodes that are not of the cluster in the data folder are refused', async (t) => {
  const [one, other] = [await serve(t), await serve(t)];
  const data = join(one.folder, 'data');
  mkdirSync(join(data, 'node-1'), { recursive: true });
  const { port } = new URL(one.url);
  writeFileSync(join(data, 'node-1', 'config.json'), JSON.stringify({ http: Number(port) }));
  const words = ['get', 'kv', 'exists', 'namespace=n', 'key=k', '--data', data, '--timeout', '5'];
  for (const [genesis, expected] of [
    [one.genesis, 0],
    [other.genesis, 1],
  ] as const) {
    copyFileSync(genesis, join(data, 'genesis.json'));
    const { code, stderr } = await one.run(words, { ALTHING_URL: undefined });
    t.is(code, expected, stderr);
    if (code !== 0) t.regex(stderr, /^althing: other_cluster/);
  }
});

test('what was kept with its proof is verified without a node', async (t) => {
  const serving = await serve(t);
  const { run, genesis, http } = serving;
  const id = await filled(serving);
  const wanted = [
    ['kv', 'get', 'namespace=n', 'key=k'],
    ['row', 'kv', 'entries', 'n/k'],
    ['transaction', id],
  ];
  for (const [at, words] of wanted.entries()) {
    const { code, stderr } = await run(['get', ...words, '--proof', `${at}.json`]);
    t.is(code, 0, stderr);
  }
  await http.close(1_000);
  for (const at of wanted.keys()) {
    const { code, stdout } = await run(['proof', 'verify', `${at}.json`, '--genesis', genesis]);
    t.is(code, 0);
    t.regex(stdout, /^Proved, as of height/);
  }
});

test('an answer that says another row or receipt than its proof does not pass', async (t) => {
  const serving = await serve(t);
  const { run, genesis, folder } = serving;
  const id = await filled(serving);
  const cases: readonly (readonly [readonly string[], RegExp, RegExp])[] = [
    [['row', 'kv', 'entries', 'n/k'], /"a":\s*1/, /the file says .*99.*, proved is /],
    [['transaction', id], /"status":\s*"ok"/, /the file says .*99.*, proved is /],
    [['row', 'kv', 'entries', 'n/none'], /"result":\s*null/, /the file says 99, proved is null/],
    [['row', 'ledger', 'accounts', 'bob'], /"key":\s*"bob"/, /of \[.*99\], proved is nothing/],
    [
      ['row', 'kv', 'entries', 'n/k'],
      /"height":\s*\d+/,
      /the file says height 99, proved is height/,
    ],
  ];
  for (const [words, found, said] of cases) {
    await run(['get', ...words, '--proof', 'kept.json']);
    const verify = ['proof', 'verify', 'kept.json', '--genesis', genesis];
    const kept = await run(verify);
    t.regex(kept.stdout, /^The result in the file is what is proved\.$/m, kept.stderr);
    const file = join(folder, 'kept.json');
    const text = readFileSync(file, 'utf8');
    const changed = text.replace(found, (each) => each.replace(/:\s*("\w+"|\w+)/, ':99'));
    t.not(changed, text, text.slice(0, 300));
    writeFileSync(file, changed);
    const lie = await run(verify);
    t.is(lie.code, 1, lie.stderr);
    t.regex(lie.stdout, /^Not proved \(other_result\): .*\nThe file was changed or damaged/);
    t.regex(lie.stdout, said);
  }
});

/** Rows `k` and `next`, of one submission; its transactions. */
async function filledTwice({ run, folder }: Serving): Promise<readonly [string, string]> {
  const calls = ['k', 'next'].map((key) => {
    return { module: 'kv', command: 'set', args: { namespace: 'n', key, value: { a: 1 } } };
  });
  const text = calls.map((call) => JSON.stringify(call)).join('\n');
  writeFileSync(join(folder, 'calls.jsonl'), text);
  const { stdout, stderr } = await run(['submit', '--file', 'calls.jsonl', '--json']);
  if (stdout === '') throw new Error(stderr);
  const [id, next] = stdout.split('\n', 2).map((line) => (json(line) as { id: string }).id);
  return [id!, next!];
}

const NOT_COMPARED = 'not verified: the result is as a node says it, beside rows that are proved\n';

test('with the genesis document a proof is checked before it is kept', async (t) => {
  const serving = await serve(t);
  const { run, url, genesis, folder } = serving;
  const [id, next] = await filledTwice(serving);
  const proved = async (path: string) => (await fetch(`${url}/api/v11/${path}proof=1`)).text();
  const other = await proved('state/ledger/accounts/alice?');
  // Of the key that is asked for, and yet nothing about it: there is none in this table.
  const elsewhere = await proved('state/kv/leases/n%2Fk?');
  const { table, key, ...row } = json(await proved('state/kv/entries/n%2Fk?')) as Members;
  const changed = JSON.stringify({ ...row, table, key, result: { value: 99 } });
  const nameless = JSON.stringify({ ...row, result: { value: 99 } });
  // True, of what was not asked, and with a proof that is also of what was.
  const list = json(await proved('kv/list?namespace=n&')) as Members;
  const { result } = json(await proved('state/kv/entries/n%2Fnext?')) as Members;
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const beside: Readonly<Record<string, string>> = {
    kv: JSON.stringify({ ...list, height: 0 }).replace('"height":0', `"height":${deep}`),
    row: JSON.stringify({ ...list, table, key: 'n/next', result }),
    transaction: await proved(`transactions/${next}?`),
  };
  const kept: Readonly<Record<string, object>> = {
    kv: { result: { key: 'k' } },
    row: { key: 'n/k' },
    transaction: { result: { id } },
  };
  let lie = '';
  const liar = await between(t, url, (asked, answer, pass) => {
    if (!asked.url?.includes('proof=1')) return pass();
    answer.setHeader('content-type', 'application/json');
    answer.end(lie);
  });
  for (const words of [
    ['kv', 'get', 'namespace=n', 'key=k'],
    ['row', 'kv', 'entries', 'n/k'],
    ['transaction', id],
  ]) {
    const lies = [other, '{"height":1,"result":"lie","proof":"00"}', '{"height":1}', '{'];
    if (words[0] === 'row') lies.push(elsewhere, changed, nameless);
    const get = ['get', ...words, '--genesis', genesis, '--proof', 'kept.json', '--timeout', '3'];
    for (const each of lies) {
      lie = each;
      const { code, stdout, stderr } = await answered(() => run(get, { ALTHING_URL: liar }));
      t.is(code, 1);
      t.is(stdout, '');
      t.regex(stderr, /^althing: not_proved: /);
      t.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('kept')),
        [],
      );
    }
    lie = beside[words[0]!]!;
    const both = await run(get, { ALTHING_URL: `${liar},${url}` });
    t.is(both.code, 0, both.stderr);
    t.is(both.stderr, words[0] === 'kv' ? NOT_COMPARED : '');
    t.like(json(readFileSync(join(folder, 'kept.json'), 'utf8')), kept[words[0]!]!);
    const verified = await run(['proof', 'verify', 'kept.json', '--genesis', genesis]);
    t.is(verified.code, 0, verified.stderr);
    t.false(verified.stdout.includes('alice'));
    rmSync(join(folder, 'kept.json'));
  }
});

test('what cannot be read ends with 2 before a node is asked, or with 1 and its code', async (t) => {
  const { run, folder } = await serve(t);
  writeFileSync(join(folder, 'file'), '');
  const get = ['kv', 'get', 'namespace=n', 'key=k'];
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['kv', 'gett', 'key=k'], 2, /kv has no query gett; it has get/],
    [['kw', 'get', 'key=k'], 2, /there is no module kw; there are .*kv/],
    [['kv'], 2, /missing required argument 'query'/],
    [[], 2, /missing required argument|Usage/],
    [['kv', 'get', 'key=k'], 2, /argument namespace: missing/],
    [['kv', 'list', 'namespace=n', 'limit=x'], 2, /argument limit/],
    [['kv', 'get', 'namespace=n', 'key=k'], 1, /^althing: key_not_found: /],
    [['kv', 'get', 'namespace=n', 'key=k', '--proof', 'file/x'], 1, /key_not_found/],
    [['row', 'kv', 'entries', 'n', '--proof', 'file/x'], 2, /cannot write file\/x \(ENOTDIR\)/],
    [['row', 'kv', 'none', 'n'], 1, /unknown_table|none/],
    [['transaction', 'abc'], 2, /"abc" is no id/],
    [['transaction', '0'.repeat(64)], 1, /unknown_transaction/],
    [['block', '0x1'], 2, /takes a height/],
    [['block', '99'], 1, /unknown_block/],
    [['kv', 'get', 'namespace=n', 'key=k', '--at-height', '-1'], 2, /--at-height/],
    [[...get, '--proof', 'f.json', '--at-height', '1'], 2, /cannot be used with/],
    [[...get, '--proof', 'f.json', '--linearizable'], 2, /cannot be used with/],
    [
      ['kv', 'get', 'namespace=n', 'key=k', '--at-height', '1', '--linearizable'],
      2,
      /cannot be used/,
    ],
  ];
  for (const [words, expected, said] of cases) {
    const { code, stdout, stderr } = await run(['get', ...words]);
    t.is(code, expected, `${words.join(' ')}: ${stderr}`);
    t.regex(stderr, said);
    t.is(stdout, '');
  }
});

test('what a node says reaches a terminal without control characters', async (t) => {
  const serving = await serve(t);
  const { run, url } = serving;
  const liar = await between(t, url, (asked, answer, pass) => {
    if (!asked.url?.startsWith('/api/v11/kv/')) return pass();
    answer.setHeader('x-althing-height', '1');
    answer.setHeader('content-type', 'application/msgpack');
    const list = [{ '\u0007': '\u001b' }];
    answer.end(pack({ value: '\u001b[2J\u009b', '\u001b]0;x': '\r', key: list }));
  });
  const get = ['get', 'kv', 'get', 'namespace=n', 'key=k'];
  for (const words of [get, [...get, '--json']]) {
    const { code, stdout } = await run(words, { ALTHING_URL: liar });
    t.is(code, 0);
    t.notRegex(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});
