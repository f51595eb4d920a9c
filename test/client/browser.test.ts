/** The client as a browser has it: one bundle, and few globals, against a real node. */
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import test from 'ava';
import { build } from 'esbuild';
import { BINDINGS, start } from '../http/start.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const ENTRY = `
  import { connect, generateKey } from 'althing/client';
  import { kv } from 'althing/modules/kv';

  export async function run(url, genesis) {
    const client = await connect({ urls: [url], genesis, signer: generateKey() });
    const keys = client.module(kv);
    const { receipt } = await keys.send.set({ namespace: 'n', key: 'a', value: 7n });
    const { result } = await keys.ask.get({ namespace: 'n', key: 'a' });
    const { result: row } = await client.row('kv', 'entries', 'n/nothing');
    for await (const event of client.subscribe({ from: 1, modules: ['kv'] })) {
      const { name, transaction } = event;
      return JSON.stringify([receipt.status, result.value, row === undefined, name, transaction === receipt.id]);
    }
  }`;

/** What a page has, of all that Node has. */
const page = {
  fetch,
  URL,
  TextEncoder,
  TextDecoder,
  AbortController,
  setTimeout,
  clearTimeout,
  performance: { now: () => performance.now() },
  crypto: { getRandomValues: crypto.getRandomValues.bind(crypto) },
};

test('a bundle for browsers submits, reads and follows, all of it verified, with nothing of Node', async (t) => {
  const built = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'browser',
    conditions: ['browser'],
    format: 'iife',
    globalName: 'app',
    target: 'es2023',
    metafile: true,
    // The package's own name leads to what was built.
    absWorkingDir: root,
  });
  const inputs = Object.keys(built.metafile.inputs);
  t.true(inputs.includes('dist/src/client/browser.js'));
  const packages = inputs.flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  t.deepEqual([...new Set(packages)].sort(), [
    '@noble/curves',
    '@noble/hashes',
    '@sinclair/typebox',
  ]);

  const { url, port } = await start(t, BINDINGS[0]!);
  const context = createContext(page);
  runInContext(built.outputFiles[0]!.text, context);
  t.is(
    runInContext('typeof process + typeof Buffer + typeof require', context),
    'undefined'.repeat(3),
  );
  const [address, genesis] = [url, JSON.stringify(port.cluster.genesis)].map((each) =>
    JSON.stringify(each),
  );
  const found = (await runInContext(`app.run(${address}, ${genesis})`, context)) as string;
  t.deepEqual(JSON.parse(found), ['ok', 7, true, 'set', true]);
});
