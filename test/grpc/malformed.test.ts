/** Whatever bytes come as a request, the answer is a status, and the node goes on. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import { frame, openSession, RawCall } from './raw-call.ts';
import { start, TestClient } from './start.ts';

const METHODS = [
  'Stream/Subscribe',
  'Voting/SubmitRound',
  'Voting/SubmitVote',
  'Voting/GetRound',
  'Voting/WatchRounds',
  'State/Query',
  'State/ProveRow',
  'Transactions/Get',
].map((name) => `/althing.v1.${name}`);

for (const method of METHODS) {
  test(`${method}: what is no message is the client's mistake`, async (t) => {
    const { address, port } = await start(t, true);
    const session = openSession(t, address);
    const call = new RawCall(session, method);
    call.stream.end(frame(Uint8Array.of(0x0a, 0xff)));
    const malformed = { status: status.INVALID_ARGUMENT, code: 'malformed' };
    t.deepEqual(await call.status, malformed);
    const anything = fc.uint8Array({ maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(anything, async (bytes) => {
        const fuzzed = new RawCall(session, method);
        fuzzed.stream.end(frame(bytes));
        // Streams that such bytes happen to ask for begin, and are left.
        const begun = new Promise<null>((resolve) =>
          fuzzed.stream.once('data', () => resolve(null)),
        );
        const ended = await Promise.race([fuzzed.status, begun]);
        fuzzed.cancel();
        t.not(ended?.status, status.INTERNAL);
        t.not(ended?.status, status.UNKNOWN);
      }),
      { numRuns: 60 },
    );
    const state = new TestClient(t, address, 'althing.v1.State');
    t.like(await state.call('Modules', {}), { modules: { length: 5 } });
    while (port.streams.figures().subscribers > 0) await new Promise(setImmediate);
  });
}
