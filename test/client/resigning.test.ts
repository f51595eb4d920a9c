/** Which seqs one client signs under while others of its submissions are still on their way. */
import test from 'ava';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { Submission, SubmissionReader } from '../../protocols/transaction/submission-reader.ts';
import { WINDOW } from '../../protocols/transaction/windows.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { Signing } from '../../src/client/signing.ts';
import { client as signer, testCluster } from '../http/test-node.ts';

const { id: clusterId } = testCluster();
const reader = new SubmissionReader(clusterId, DEFAULT_LIMITS);
const calls = [{ module: 'kv', command: 'set', args: { namespace: 'n', key: 'a', value: 1 } }];
const signing = (): Signing => new Signing({ clusterId, signer, validityMs: 60_000 });

function seqOf(bytes: Uint8Array): number {
  const submission = reader.parse(bytes);
  if (submission instanceof Submission && submission.kind === 'client') return submission.seq;
  throw new Error('no submission of a client');
}

const { now } = Date;
test.afterEach.always(() => {
  Date.now = now;
});

test.serial('X10: what is on its way keeps its place among what is signed later', async (t) => {
  let time = 1_000_000_000_000;
  Date.now = () => time;
  const signer = signing();
  let arrive = (): void => undefined;
  let first = 0;
  const slow = signer.send(
    calls,
    (bytes) => {
      first = seqOf(bytes);
      return new Promise<void>((resolve) => (arrive = resolve));
    },
    true,
  );
  t.is(first, time);
  time += 3_600_000;
  await signer.send(
    calls,
    (bytes) => Promise.resolve(t.is(seqOf(bytes), first + WINDOW - 1)),
    true,
  );
  arrive();
  await slow;
  await signer.send(calls, (bytes) => Promise.resolve(t.is(seqOf(bytes), time)), true);
});

test.serial('X10: whoever refuses every seq is not asked for ever', async (t) => {
  const seqs: number[] = [];
  const refusing = signing().send(
    calls,
    (bytes) => {
      seqs.push(seqOf(bytes));
      return Promise.reject(new AlthingError('seq_too_old', 'no', 409));
    },
    true,
  );
  await t.throwsAsync(refusing, { code: 'seq_too_old' });
  t.is(seqs.length, 24);
  t.is(new Set(seqs).size, 24);
  t.true(seqs.every(Number.isSafeInteger));
});

for (const error of [
  new AlthingError('expired', 'too late', 409),
  new AlthingError('malformed', 'no submission', 400),
  new Error('seq_too_old'),
]) {
  test.serial(`X10: nothing is signed anew for ${error.message}`, async (t) => {
    let sent = 0;
    const failing = signing().send(calls, () => Promise.reject((sent++, error)), true);
    t.is(await t.throwsAsync(failing), error);
    t.is(sent, 1);
  });
}
