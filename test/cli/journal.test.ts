/** `althing submit --save` and `--resend`: the file in which what was signed is kept. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { toHex } from '../../protocols/bytes.ts';
import { signSubmission } from '../../protocols/transaction/submission.ts';
import { lineOf } from '../../src/cli/journal.ts';
import { SUBMISSION_TYPE } from '../../src/client/submitter.ts';
import { loadSigner } from '../../src/crypto/signer.ts';
import { ALTHING } from './program.ts';
import { between, serve, type Serving } from './serving.ts';

const json = (text: string): unknown => JSON.parse(text);

/** Leaves in sent.jsonl what an earlier run has signed with seq 1: 7 for bob, valid for `validMs` from now. */
function saveBefore({ folder, key, port }: Serving, validMs: number): void {
  const signer = loadSigner(key);
  const content = {
    kind: 'client',
    clusterId: port.cluster.id,
    key: signer.publicKey,
    seq: 1,
    validUntil: Date.now() + validMs,
    transactions: [{ module: 'ledger', command: 'issue', args: { account: 'bob', amount: 7 } }],
  } as const;
  const submission = toHex(signSubmission(content, signer));
  const line = JSON.stringify({ from: 0, transactions: 1, submission });
  writeFileSync(join(folder, 'sent.jsonl'), `${line}\n`);
}

test('what was saved and is sent again executes once', async (t) => {
  const { run, folder } = await serve(t);
  const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
  const first = await run(issue);
  t.is(first.code, 0, first.stderr);
  t.deepEqual(await run(issue), first);
  t.is((await run(['submit', '--resend', 'sent.jsonl'])).stdout, first.stdout);
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  t.like(json(stdout), { result: { balance: '7' } });
  const other = await run([...issue.slice(0, 4), 'amount=8', '--save', 'sent.jsonl']);
  t.is(other.code, 2);
  t.regex(other.stderr, /sent\.jsonl was saved of other transactions/);
  const [line] = readFileSync(join(folder, 'sent.jsonl'), 'utf8').split('\n');
  writeFileSync(join(folder, 'torn.jsonl'), `${line}\n${line?.slice(0, 50)}`);
  t.is((await run(['submit', '--resend', 'torn.jsonl'])).stdout, first.stdout);
});

for (const words of [
  ['submit', 'ledger', 'issue', 'account=bob', 'amount=7'],
  ['ledger', 'issue', '--account', 'bob', '--amount', '7'],
]) {
  test(`what "${words.join(' ')}" saved without waiting is told of when it runs again`, async (t) => {
    const { run, folder } = await serve(t);
    const issue = [...words, '--no-wait', '--save', 'sent.jsonl', '--json'];
    const sent = await run(issue);
    t.is(sent.code, 0, sent.stderr);
    const { ids } = json(sent.stdout) as { ids: string[] };
    const again = await run(issue);
    t.is(again.code, 0, again.stderr);
    t.like(json(again.stdout), { id: ids[0], status: 'ok' });
    t.is(readFileSync(join(folder, 'sent.jsonl'), 'utf8').split('\n').length, 2);
    const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
    t.like(json(stdout), { result: { balance: '7' } });
    const other = words.map((word) => word.replace(/7$/, '8'));
    const refused = await run([...other, '--no-wait', '--save', 'sent.jsonl']);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /sent\.jsonl was saved of other transactions/);
  });
}

test('what was saved and is expired is handed over anew without waiting', async (t) => {
  const serving = await serve(t);
  const { run } = serving;
  saveBefore(serving, -60_000);
  const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
  const accepted = await run([...issue, '--no-wait', '--json']);
  t.is(accepted.code, 0, accepted.stderr);
  const { ids } = json(accepted.stdout) as { ids: string[] };
  const told = await run(issue);
  t.true(told.stdout.startsWith(`ok ${ids[0]} `), told.stdout);
});

/** Another process with the same key, so far ahead that what it does not wait for is passed by. */
async function passBy({ key, port, url }: Serving): Promise<void> {
  const signer = loadSigner(key);
  const call = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'a', value: 1 } };
  const content = {
    kind: 'client',
    clusterId: port.cluster.id,
    key: signer.publicKey,
    seq: Date.now() + 60_000,
    validUntil: Date.now() + 60_000,
    transactions: [call],
  } as const;
  const body = signSubmission(content, signer) as Uint8Array<ArrayBuffer>;
  const headers = { 'content-type': SUBMISSION_TYPE };
  await fetch(`${url}/api/v11/transactions`, { method: 'POST', headers, body });
}

for (const [code, validMs] of [
  ['expired', -60_000],
  ['seq_too_old', 60_000],
] as const) {
  test(`what was saved and is ${code} unexecuted is signed anew`, async (t) => {
    const serving = await serve(t);
    const { run } = serving;
    await passBy(serving);
    saveBefore(serving, validMs);
    const resent = await run(['submit', '--resend', 'sent.jsonl']);
    t.is(resent.code, 1);
    t.true(resent.stderr.startsWith(`althing: ${code}`), resent.stderr);
    const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
    const sent = await run(issue);
    t.is(sent.code, 0, sent.stderr);
    t.deepEqual(await run(issue), sent);
  });
}

test('what another command of the same key passes by is signed anew, and executes once', async (t) => {
  const serving = await serve(t);
  const { run, folder, url } = serving;
  const call = { module: 'ledger', command: 'issue', args: { account: 'bob', amount: '1' } };
  const calls = Array.from({ length: 1500 }, () => JSON.stringify(call)).join('\n');
  writeFileSync(join(folder, 'calls.jsonl'), calls);
  let posts = 0;
  const meanwhile = await between(t, url, (asked, _, pass) => {
    if (asked.method !== 'POST' || ++posts !== 2) return pass();
    void passBy(serving).then(pass);
  });
  const submit = ['submit', '--file', 'calls.jsonl', '--save', 'sent.jsonl'];
  const sent = await run(submit, { ALTHING_URL: meanwhile });
  t.is(sent.code, 0, sent.stderr);
  t.true(posts > 2, 'the second submission was sent under another seq');
  t.deepEqual((await run(submit)).stdout, sent.stdout);
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  t.like(json(stdout), { result: { balance: '1500' } });
});

test('a file of transactions goes on where it was interrupted', async (t) => {
  const { run, folder, url } = await serve(t);
  const calls = Array.from({ length: 2000 }, () => ({
    module: 'ledger',
    command: 'issue',
    args: { account: 'bob', amount: '1' },
  }));
  writeFileSync(join(folder, 'calls.jsonl'), calls.map((call) => JSON.stringify(call)).join('\n'));
  let posts = 0;
  const flaky = await between(t, url, (asked, answer, pass) => {
    if (asked.method !== 'POST' || ++posts < 2) return pass();
    answer.writeHead(422, { 'content-type': 'application/json' });
    answer.end('{"code":"refused_here","detail":"\\u001b[2Jno"}');
  });
  const submit = ['submit', '--file', 'calls.jsonl', '--save', 'sent.jsonl'];
  const stopped = await run(submit, { ALTHING_URL: flaky });
  t.is(stopped.code, 1);
  t.is(stopped.stderr, 'althing: refused_here: ?[2Jno\n');
  t.is(
    stopped.stdout
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('ok')).length,
    1000,
  );
  const resumed = await run(submit);
  t.is(resumed.code, 0, resumed.stderr);
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  t.like(json(stdout), { result: { balance: '2000' } });
});

/** So many transactions of `bob`, in a file that is named after their number. */
function writeCalls({ folder }: Serving, count: number): readonly string[] {
  const call = { module: 'ledger', command: 'issue', args: { account: 'bob', amount: '1' } };
  const calls = Array.from({ length: count }, () => JSON.stringify(call));
  writeFileSync(join(folder, `${count}.jsonl`), calls.join('\n'));
  return ['submit', '--file', `${count}.jsonl`, '--save', 'sent.jsonl'];
}

test('what was sent in parts of another size goes on in the same parts', async (t) => {
  const serving = await serve(t);
  const { run, folder, port } = serving;
  const key = loadSigner(serving.key);
  const call = { module: 'ledger', command: 'issue', args: { account: 'bob', amount: 1 } };
  /** As a cluster took them that took fewer in one submission. */
  const signed = (from: number, seq: number) => {
    const content = {
      kind: 'client',
      clusterId: port.cluster.id,
      key: key.publicKey,
      seq,
      validUntil: Date.now() + 60_000,
      transactions: [call, call],
    } as const;
    return lineOf({ from, transactions: 2, bytes: signSubmission(content, key) });
  };
  // In another order than that of their places, and one of them twice: the last one is what counts.
  const lines = [
    signed(2, 3),
    signed(0, 2).replace(/.{64}"\}$/, `${'0'.repeat(64)}"}`),
    signed(0, 2),
  ];
  writeFileSync(join(folder, 'sent.jsonl'), lines.map((line) => `${line}\n`).join(''));
  const fewer = await run(writeCalls(serving, 2));
  t.is(fewer.code, 2, 'there are more in it');
  const submit = writeCalls(serving, 5);
  const sent = await run(submit);
  t.is(sent.code, 0, sent.stderr);
  t.is((await run(submit)).stdout, sent.stdout);
  t.is((await run(['submit', '--resend', 'sent.jsonl'])).stdout, sent.stdout);
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  t.like(json(stdout), { result: { balance: '5' } });
});

test('what was saved of more transactions than are given is of others', async (t) => {
  const serving = await serve(t);
  const { run } = serving;
  t.is((await run(writeCalls(serving, 1500))).code, 0);
  const fewer = await run(writeCalls(serving, 1000));
  t.is(fewer.code, 2);
  t.regex(fewer.stderr, /sent\.jsonl was saved of other transactions/);
});

test('what is not known to be unexecuted is not signed anew', async (t) => {
  const serving = await serve(t);
  const { run, folder, url } = serving;
  const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
  t.is((await run(issue)).code, 0);
  const [before] = readFileSync(join(folder, 'sent.jsonl'), 'utf8').split('\n');
  const refusing = await between(t, url, (asked, answer, pass) => {
    if (asked.method !== 'POST') return pass();
    answer.writeHead(422, { 'content-type': 'application/json' });
    answer.end('{"code":"refused_here","detail":"no"}');
  });
  const again = await run(issue, { ALTHING_URL: refusing });
  t.is(again.code, 1);
  t.regex(again.stderr, /refused_here/);
  t.is(readFileSync(join(folder, 'sent.jsonl'), 'utf8'), `${before}\n`);
});

const locksIn = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.includes('.lock'));

test('a line that is no submission of ours is told by its number, and nothing is sent', async (t) => {
  const { run, folder, port } = await serve(t);
  const lines = [
    '{"from":"0","transactions":1,"submission":"00"}',
    '{"from":0,"transactions":1.5,"submission":"00"}',
    '{"from":0,"transactions":1,"submission":"0"}',
    '{"from":0,"transactions":1,"submission":"zz"}',
    '{"from":0,"transactions":1,"submission":null}',
    'null',
  ];
  for (const line of lines) {
    const whole = JSON.stringify({ from: 0, transactions: 1, submission: '00' });
    writeFileSync(join(folder, 'sent.jsonl'), `${whole}\n${line}\n`);
    const { code, stderr } = await run(['submit', '--resend', 'sent.jsonl']);
    t.is(code, 2, line);
    t.regex(stderr, /sent\.jsonl, line 2: no submission that --save wrote/);
  }
  t.is(port.submitted, 0);
});

test('two commands at once use one file one after the other', async (t) => {
  const { port, folder, env, run } = await serve(t);
  const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
  port.hold();
  const arrived = port.submitting();
  const first = spawn(process.execPath, [ALTHING, ...issue], { cwd: folder, env });
  const ended = new Promise((resolve) => first.once('exit', resolve));
  await arrived;
  const second = await run(issue);
  t.is(second.code, 2);
  t.regex(second.stderr, new RegExp(`^althing: process ${first.pid} uses sent\\.jsonl: wait`));
  t.is(locksIn(folder).length, 1, 'of the first alone');
  const words = ['ledger', 'issue', '--account', 'bob', '--amount', '7', '--save', 'sent.jsonl'];
  t.is((await run(words)).code, 2);
  port.release();
  t.is(await ended, 0);
  // What a killed process left is in nobody's way.
  writeFileSync(join(folder, `sent.jsonl.lock.${first.pid}.1`), '');
  const third = await run(issue);
  t.is(third.code, 0, third.stderr);
  t.deepEqual(locksIn(folder), []);
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  t.like(json(stdout), { result: { balance: '7' } });
});

test('a line that was not written to its end is no line, and what follows begins one', async (t) => {
  const { run, folder } = await serve(t);
  const issue = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7', '--save', 'sent.jsonl'];
  for (const torn of ['{"from":0,"transactions":1,"submission":"616c', '{"fr', '{']) {
    writeFileSync(join(folder, 'sent.jsonl'), torn);
    const first = await run(issue);
    t.is(first.code, 0, first.stderr);
    t.deepEqual(await run(issue), first, torn);
    t.regex(readFileSync(join(folder, 'sent.jsonl'), 'utf8'), /^\{"from":0,.*"\}\n$/);
  }
  // A file that is something else is left as it is.
  for (const words of [issue, [...issue, '--no-wait']]) {
    writeFileSync(join(folder, 'sent.jsonl'), 'my diary');
    const refused = await run(words);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /sent\.jsonl: its last line is none that --save wrote/);
    t.is(readFileSync(join(folder, 'sent.jsonl'), 'utf8'), 'my diary');
  }
});

test('where no file can be written, what would be in it is told', async (t) => {
  const { port, folder, env, run } = await serve(t);
  port.hold();
  const arrived = port.submitting();
  const words = ['submit', 'ledger', 'issue', 'account=bob', 'amount=7'];
  // A folder in which nobody can make a file.
  const child = spawn(process.execPath, [ALTHING, ...words], { cwd: '/proc/self', env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await arrived;
  child.kill('SIGINT');
  t.is(await new Promise((resolve) => child.once('close', resolve)), 130, said);
  t.regex(said, /What became of submission [0-9a-f]{64} is not known\./);
  const [line] = /^\{"from":0,.*\}$/m.exec(said) ?? [];
  writeFileSync(join(folder, 'told.resend'), `${line}\n`);
  port.release();
  const again = await run(['submit', '--resend', 'told.resend']);
  t.is(again.code, 0, again.stderr);
});
