/** What is sent: nothing where there is no time to send it. */
import test from 'ava';
import { Sending } from '../../src/cli/sending.ts';

const call = { module: 'kv', command: 'set', args: {} };

async function* calls() {
  yield call;
}

test('nothing is signed once the time is over, nor after an interruption', async (t) => {
  const over = AbortSignal.abort(new Error('the time is over'));
  let signed = 0;
  const sign = (): never => {
    signed++;
    throw new Error('signed');
  };
  const limits = { transactionsPerSubmissionMax: 1, submissionBytesMax: 1024 };
  const client = { sign, submit: sign, cluster: { limits } };
  const sending = new Sending({ client, signal: over, interrupted: over } as never, null);
  await t.throwsAsync(sending.accept([call]), { message: 'the time is over' });
  await t.throwsAsync(sending.send(calls()).next(), { message: 'the time is over' });
  t.is(signed, 0);
});
