/** A genesis document, and nodes of another cluster than it makes. */
import test from 'ava';
import type { AlthingError } from '../../src/client/errors.ts';
import { kv } from '../../src/modules/kv/kv.ts';
import { addressed, known, type Addressed } from './cluster.ts';

/** Never waited for: the end of a test that fails. */
const patienceMs = 60_000;
const set = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'a', value: 1 } };

/** The same validators under another name. */
function otherGenesis({ port }: Addressed) {
  const { genesis } = port.cluster;
  return { ...genesis, createdAt: 'at another time' } as typeof genesis;
}

const reads = {
  'a row': (client: Client) => client.row('kv', 'entries', 'n/a', { patienceMs }),
  'a query': (client: Client) =>
    client.query('kv', 'get', { namespace: 'n', key: 'a' }, { patienceMs }),
  events: async (client: Client) => {
    for await (const event of client.subscribe({
      from: 1,
      signal: AbortSignal.timeout(patienceMs),
    }))
      return event;
    return null;
  },
};
type Client = Awaited<ReturnType<Addressed['connect']>>;

for (const [what, run] of Object.entries(reads)) {
  test(`X2: when f + 1 nodes prove ${what} of another cluster, no patience is lost`, async (t) => {
    const cluster = await addressed(t, [null, null, null, null]);
    const writer = await cluster.connect(known(cluster.port));
    await writer.submit([set]);
    const genesis = otherGenesis(cluster);
    const client = await cluster.connect({ genesis, modules: [kv] });
    const error = await t.throwsAsync<AlthingError>(run(client));
    t.is(error.code, 'other_cluster');
    const { clusterId } = writer.cluster;
    t.not(client.cluster.clusterId, clusterId);
    t.true(error.message.includes(`these nodes are of cluster ${clusterId};`), error.message);
    t.true(error.message.includes(`genesis document is of ${client.cluster.clusterId}:`));
  });
}
