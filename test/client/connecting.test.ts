import test from 'ava';
import { faultyMax } from '../../protocols/quorum.ts';
import type { Digest } from '../../protocols/types.ts';
import { Client } from '../../src/client/client.ts';
import { agreedBy, type ClusterFacts } from '../../src/client/cluster.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { Nodes } from '../../src/client/nodes.ts';
import { client as signer } from '../http/test-node.ts';
import { addressed, isWrite, known, problem } from './cluster.ts';

const otherCluster = async (_path: string, ask: () => Promise<Response>): Promise<Response> => {
  const text = await (await ask()).text();
  return new Response(text.replace(/"clusterId":"../, '"clusterId":"ff'));
};

test('a client learns its cluster from nodes that agree, past one that lies', async (t) => {
  const { connect, port } = await addressed(t, [otherCluster, null, null, null]);
  const client = await connect();
  t.is(client.cluster.clusterId, port.cluster.id);
  t.is(client.cluster.faultyMax, 1);
});

/** Of a cluster of so many validators, as nodes with these numbers tell it. */
function told(...by: readonly (readonly [node: number, validators: number])[]) {
  const facts = (validators: number): ClusterFacts => ({
    clusterId: (validators % 2 === 0 ? 'ab' : 'cd').repeat(32) as Digest,
    validators: Array.from({ length: validators }, (_, at) => `validator-${at + 1}`),
    faultyMax: faultyMax(validators),
    limits: { transactionsPerSubmissionMax: 1, submissionBytesMax: 1, transactionBytesMax: 1 },
  });
  return new Map(by.map(([node, validators]) => [node, facts(validators)]));
}

test('X2: as many nodes as can lie, and one more, have to tell the same; two at least', (t) => {
  const cases = [
    { known: 1, by: [[0, 1]], agreed: 1 },
    { known: 1, by: [[0, 4]], agreed: 4 },
    { known: 2, by: [[0, 1]], agreed: null },
    { known: 2, by: [[1, 4]], agreed: null },
    {
      known: 2,
      by: [
        [0, 1],
        [1, 4],
      ],
      agreed: null,
    },
    {
      known: 2,
      by: [
        [0, 2],
        [1, 2],
      ],
      agreed: 2,
    },
    { known: 3, by: [[0, 1]], agreed: null },
    {
      known: 3,
      by: [
        [0, 1],
        [1, 4],
        [2, 4],
      ],
      agreed: 4,
    },
    { known: 4, by: [[0, 1]], agreed: null },
    {
      known: 4,
      by: [
        [2, 4],
        [3, 4],
      ],
      agreed: 4,
    },
    {
      known: 7,
      by: [
        [0, 1],
        [1, 1],
      ],
      agreed: null,
    },
    {
      known: 7,
      by: [
        [0, 7],
        [1, 7],
      ],
      agreed: null,
    },
    {
      known: 7,
      by: [
        [0, 7],
        [1, 7],
        [2, 1],
        [3, 7],
      ],
      agreed: 7,
    },
    {
      known: 4,
      by: [
        [0, 7],
        [1, 7],
      ],
      agreed: null,
    },
  ] as const;
  for (const { known, by, agreed } of cases) {
    const facts = agreedBy(told(...by), known, undefined);
    t.is(facts?.validators.length ?? null, agreed, JSON.stringify({ known, by }));
  }
  t.is(agreedBy(told([0, 4], [1, 4]), 4, 'cd'.repeat(32) as Digest), null);
});

for (const [what, validators] of Object.entries({
  'what is no name': '[{"toString":1,"valueOf":1}]',
  'nothing but brackets': `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
})) {
  test(`a client learns its cluster past a node that tells of ${what}`, async (t) => {
    const liar = async (path: string, ask: () => Promise<Response>): Promise<Response> => {
      const text = await (await ask()).text();
      return new Response(text.replace(/"validators":\[[^\]]*\]/, `"validators":${validators}`));
    };
    const { connect, port } = await addressed(t, [liar, liar, null, null]);
    const { cluster } = await connect();
    t.is(cluster.validators.length, port.cluster.n);
  });
}

test('nodes that do not belong together are named', async (t) => {
  const { connect } = await addressed(t, [otherCluster, null]);
  const error = await t.throwsAsync(connect(), { instanceOf: AlthingError });
  t.is(error.code, 'nodes_disagree');
  t.regex(error.message, /node-0\.test is of ff.*node-1\.test is of/);
});

test('a client that knows its cluster refuses another one', async (t) => {
  const { connect, port } = await addressed(t, [otherCluster]);
  const error = await t.throwsAsync(connect({ clusterId: port.cluster.id }), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'other_cluster');
});

test('a client that knows its cluster learns of it from the nodes that are of it', async (t) => {
  const { connect, port } = await addressed(t, [otherCluster, otherCluster, null, null]);
  const client = await connect({ clusterId: port.cluster.id });
  t.is(client.cluster.clusterId, port.cluster.id);
});

test('a genesis document of another cluster than the one that is meant is refused', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const meant = connect({ ...known(port), clusterId: 'ab'.repeat(32) as Digest });
  t.is((await t.throwsAsync(meant, { instanceOf: AlthingError })).code, 'other_cluster');
  await connect({ ...known(port), clusterId: port.cluster.id });
});

test('X3: what a node says of its cluster without end is not read', async (t) => {
  let most = 0;
  const endless = (): Response => {
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        most = Math.max(most, ++pieces);
        controller.enqueue(new Uint8Array(64 * 1024).fill(32));
      },
    });
    return new Response(body);
  };
  const { connect, port } = await addressed(t, [endless, null, null]);
  t.is((await connect()).cluster.clusterId, port.cluster.id);
  t.true(most < 64, `${most} pieces of 64 KiB`);
});

test('a client without a signer reads, and says why it does not submit', async (t) => {
  const { urls, fetch: given } = await addressed(t, [null]);
  const client = await Client.connect({ urls, fetch: given, crypto: nodeCrypto });
  t.is((await client.query('ledger', 'supply')).height, 0);
  const error = await t.throwsAsync(client.call('kv', 'set', {}), { instanceOf: AlthingError });
  t.is(error.code, 'no_signer');
});

for (const urls of [[], ['nonsense'], ['ftp://127.0.0.1'], ['http://127.0.0.1:1/path']]) {
  test(`the address ${JSON.stringify(urls)} is refused by name`, async (t) => {
    const error = await t.throwsAsync(Client.connect({ urls, crypto: nodeCrypto }), {
      instanceOf: AlthingError,
    });
    t.true(['no_node', 'bad_address'].includes(error.code));
  });
}

test('one node that is named several times counts once', async (t) => {
  const urls = ['http://a.test', 'http://a.test/', 'http://A.test:80', 'http://b.test'];
  const nodes = new Nodes({ urls });
  t.deepEqual(nodes.urls, ['http://a.test', 'http://b.test']);
  t.is(nodes.count, 2);
});

test('X2: one node that is named f + 1 times does not have its refusal believed', async (t) => {
  const {
    port,
    urls,
    fetch: given,
  } = await addressed(t, [(path) => (isWrite(path) ? problem(409, 'seq_reused') : null), null]);
  const named = [urls[0]!, `${urls[0]}/`, urls[1]!];
  const { genesis } = port.cluster;
  const options = { urls: named, fetch: given, crypto: nodeCrypto, signer, genesis };
  const client = await Client.connect(options);
  const args = { namespace: 'n', key: 'a', value: 1 };
  let signatures = 0;
  const signed = (): void => void signatures++;
  const { receipts } = await client.submit([{ module: 'kv', command: 'set', args }], { signed });
  t.is(receipts[0]!.status, 'ok');
  t.is(signatures, 1);
});

test('a query that its module refuses throws the code', async (t) => {
  const { connect } = await addressed(t, [null]);
  const error = await t.throwsAsync(
    (await connect()).query('ledger', 'account', { account: 'nobody' }),
    { instanceOf: AlthingError },
  );
  t.deepEqual([error.code, error.status], ['account_not_found', 404]);
});
