/** Commands whose results nobody reads to their end, as in `althing … | head -n 1`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { runInto } from './program.ts';
import { serve, type Serving } from './serving.ts';

const issue = (account: string): string =>
  JSON.stringify({ module: 'ledger', command: 'issue', args: { account, amount: 1 } });

/** With a transaction of which every call but the last succeeds, and enough to fill a pipe. */
function writeCalls({ folder }: Serving, last: string): void {
  const calls = [...Array.from({ length: 2_500 }, () => issue('bob')), issue(last)];
  writeFileSync(join(folder, 'calls.jsonl'), calls.join('\n'));
}

async function balance({ run }: Serving): Promise<unknown> {
  const { stdout } = await run(['get', 'ledger', 'account', 'account=bob', '--json']);
  return (JSON.parse(stdout) as { result: { balance: unknown } }).result.balance;
}

test('what sends goes on to its end', async (t) => {
  const serving = await serve(t);
  const { folder: cwd, env } = serving;
  writeCalls(serving, 'bob');
  const submit = ['submit', '--file', 'calls.jsonl', '--save', 'sent.jsonl'];
  const sent = await runInto(submit, 'head -n 1', { cwd, env });
  t.regex(sent.stdout, /^ok \S+ at height \d+\n$/);
  t.is(sent.code, 0, sent.stderr);
  t.is(await balance(serving), '2501');
  const again = await runInto(['submit', '--resend', 'sent.jsonl'], 'head -n 1', { cwd, env });
  t.is(again.code, 0, again.stderr);
});

test('that a transaction failed is told by the code, read or not', async (t) => {
  const serving = await serve(t);
  writeCalls(serving, 'nobody');
  const { folder: cwd, env } = serving;
  const sent = await runInto(['submit', '--file', 'calls.jsonl'], 'head -n 1', { cwd, env });
  t.is(sent.code, 1, sent.stderr);
  t.is(await balance(serving), '2500');
});

test('what reads ends when nobody wants more, and that is no failure', async (t) => {
  const { run, folder: cwd, env } = await serve(t);
  let isOver = false;
  const watching = runInto(['watch', '--from', '1', '--json'], 'head -n 1', { cwd, env }).finally(
    () => (isOver = true),
  );
  while (!isOver) await run(['kv', 'set', '--namespace', 'n', '--key', 'k', '--value', 'v']);
  const watched = await watching;
  t.is(watched.code, 0, watched.stderr);
  t.is(watched.stdout.split('\n').length, 2);
});

test('a result that a full disk did not take is a failure', async (t) => {
  const { folder: cwd, env } = await serve(t);
  const get = ['get', 'ledger', 'account', 'account=bob'];
  const { code, stderr } = await runInto(get, 'true', { cwd, env }, '/dev/full');
  t.is(code, 1, stderr);
});
