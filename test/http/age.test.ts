/** How old an answer is, and what is said where writes cannot become final. */
import test from 'ava';
import { Edge } from '../../src/edge/edge.ts';
import { headOf } from '../../src/grpc/unary.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { set, signed } from './posting.ts';
import { BINDINGS, start } from './start.ts';
import { API_TOKEN, client, TestPort } from './test-node.ts';

const AGE = 'x-althing-age-ms';

for (const binding of BINDINGS) {
  test(`${binding}: every answer says how long ago the block of its height was made`, async (t) => {
    const { url, port } = await start(t, binding);
    const result = await port.submit(signed(port, 0, [set('k', 1)]));
    t.true(result.ok);
    const made = port.timeOf(1)!;
    const before = Date.now();
    for (const path of ['/api/v11/kv/n/k', '/api/v11/kv/n/nothing', '/nowhere']) {
      const { headers } = await fetch(url + path);
      const age = Number(headers.get(AGE) ?? 'none');
      t.is(headers.get('x-althing-height'), '1');
      t.true(age >= before - made && age <= Date.now() - made, `${path}: ${age}`);
    }
    const past = await fetch(`${url}/api/v11/kv/n/k?atHeight=0`);
    t.is(past.headers.get('x-althing-height'), '0');
    t.true(Number(past.headers.get(AGE)) >= before, 'since the genesis, which was made in 1970');
  });
}

test('an age follows the clock of the node, is never negative, and absent where it is not at hand', (t) => {
  let now = 0;
  const port = new TestPort(false);
  const edge = new Edge({
    port,
    cluster: port.cluster,
    catalog: new ModuleCatalog(builtInModules),
    nodeKey: client.publicKey,
    crypto: nodeCrypto,
    auth: { apiToken: API_TOKEN },
    now: () => now,
  });
  t.teardown(() => edge.close());
  port.timeOf = (height) => (height === 7 ? 5_000 : null);
  now = 8_000;
  t.is(edge.ageMs(7), 3_000);
  t.is(edge.ageMs(8), null);
  now = 4_000;
  t.is(edge.ageMs(7), 0, 'a clock that is behind that of the leader');
  const head = headOf(edge);
  t.deepEqual([head.get('x-althing-height')[0], head.get(AGE)[0]], ['0', '4000']);
});
