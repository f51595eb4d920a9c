/** Peers that die or stop without a word, as real processes. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { createTestCluster, type TestCluster } from './cluster.ts';
import type { VictimOptions } from './victim.ts';

const script = fileURLToPath(new URL('victim.js', import.meta.url));

/** Starts validator `index` as a process that knows the addresses of those started before. */
async function startVictim(
  t: ExecutionContext,
  cluster: TestCluster,
  index: number,
): Promise<ChildProcess> {
  const { key, crt } = cluster.pems[index] ?? { key: '', crt: '' };
  const options: VictimOptions = {
    cluster: cluster.cluster,
    index,
    signerPemPath: cluster.write(`victim-${index}.pem`, key),
    tlsCrt: cluster.write(`victim-${index}.crt`, crt),
    caCrt: cluster.write('victim-ca.crt', cluster.ca.certificatePem),
    addresses: Array.from({ length: cluster.cluster.n }, (_, peer) => {
      const port = cluster.ports[peer];
      return port === undefined ? null : `127.0.0.1:${port}`;
    }),
  };
  const child = fork(script, [cluster.write(`victim-${index}.json`, JSON.stringify(options))]);
  t.teardown(() => child.kill('SIGKILL'));
  const [message] = (await once(child, 'message')) as [{ readonly port: number }];
  cluster.ports[index] = message.port;
  return child;
}

for (const [which, self, other] of [
  ['that we dialled', 0, 1],
  ['that dialled us', 1, 0],
] as const) {
  test(`a peer ${which} is missed at once when it is killed`, async (t) => {
    const cluster = await createTestCluster(2);
    t.teardown(cluster.close);
    const node = self === 1 ? await cluster.start(self) : null;
    const victim = await startVictim(t, cluster, other);
    const { network, events, log } = node ?? (await cluster.start(self));
    // One that stood still for long was given up before, and met again.
    while (network.connected().length === 0) {
      const seen = events.entries.length;
      await events.next((e) => events.entries.indexOf(e) >= seen && e.kind === 'connected');
    }
    const [seen, said] = [events.entries.length, log.entries.length];
    victim.kill('SIGKILL');
    await events.next((e) => events.entries.indexOf(e) >= seen && e.kind === 'disconnected');
    const { fields } = await log.next(
      (line) => log.entries.indexOf(line) >= said && line.message === 'peer disconnected',
    );
    t.notRegex(String(fields['reason']), /silent/, 'the closed connection told, not the silence');
  });
}

test('a peer that is stopped is given up after a while, and met again when it goes on (K3)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const victim = await startVictim(t, cluster, 1);
  const { events, log } = await cluster.start(0);
  await events.next((e) => e.kind === 'connected');
  victim.kill('SIGSTOP');
  await events.next((e) => e.kind === 'disconnected');
  const { fields } = await log.next(({ message }) => message === 'peer disconnected');
  t.regex(String(fields['reason']), /silent/);
  victim.kill('SIGCONT');
  await events.next((e) => events.entries.indexOf(e) > 1 && e.kind === 'connected');
  // A machine on which it stands still by itself has it come and go more often, in turn (W1).
  events.entries.forEach((e, at) => t.is(e.kind, at % 2 === 0 ? 'connected' : 'disconnected'));
});
