/** The verifier as a browser has it: one bundle, and no global but those of the language. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import test from 'ava';
import { build } from 'esbuild';
import { fromHex } from '../../protocols/bytes.ts';
import { trustGenesis, verifyProof } from '../../protocols/proofs/verify.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import type { vectors } from './vectors.ts';
import { genesis } from './world.ts';

const root = new URL('../../../', import.meta.url);
const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('test/golden/proofs.json', root)), 'utf8'),
) as ReturnType<typeof vectors>;

const ENTRY = `
  import { fromHex } from './protocols/bytes.ts';
  import { trustGenesis, verifyProof } from './protocols/proofs/verify.ts';
  import { browserCrypto } from './src/crypto/browser-crypto.ts';
  export const verify = (genesis, proof) =>
    JSON.stringify(verifyProof(trustGenesis(browserCrypto, JSON.parse(genesis)), fromHex(proof)),
      (_, value) => typeof value === 'bigint' ? String(value) : value);`;

async function bundle(): Promise<string> {
  const built = await build({
    stdin: { contents: ENTRY, resolveDir: fileURLToPath(root), loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'proofs',
    target: 'es2023',
    metafile: true,
  });
  const inputs = Object.keys(built.metafile.inputs).filter((path) => path.includes('node_modules'));
  if (inputs.some((path) => !path.includes('node_modules/@noble/'))) {
    throw new Error(`the bundle holds ${inputs.join(', ')}`);
  }
  return built.outputFiles[0]!.text;
}

test('I113: a bundle for browsers finds the same as a node, with nothing of Node or WebCrypto', async (t) => {
  const context = createContext({});
  runInContext('delete globalThis.console; delete globalThis.WebAssembly;', context);
  runInContext(await bundle(), context);
  const missing = runInContext(
    `[typeof process, typeof Buffer, typeof crypto, typeof TextDecoder, typeof require].join()`,
    context,
  ) as string;
  t.is(missing, Array.from({ length: 5 }, () => 'undefined').join());
  const trusted = trustGenesis(nodeCrypto, genesis);
  const proofs = [
    ...Object.values(golden.valid),
    ...Object.values(golden.refused).map(([, proof]) => proof),
  ];
  for (const proof of proofs) {
    const [known, hex] = [JSON.stringify(genesis), proof].map((each) => JSON.stringify(each));
    const found = runInContext(`proofs.verify(${known}, ${hex})`, context) as string;
    const expected = verifyProof(trusted, fromHex(proof));
    t.is((JSON.parse(found) as { ok: boolean }).ok, expected.ok);
    t.deepEqual(JSON.parse(found), JSON.parse(JSON.stringify(expected)));
  }
});
