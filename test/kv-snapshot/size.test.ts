/**
 * A namespace of some size goes out and in again. ALTHING_KV_MEGABYTES=100 node_modules/.bin/ava
 * dist/test/kv-snapshot/size.test.js measures a large one, and prints what it took.
 */
import { statSync } from 'node:fs';
import test from 'ava';
import { importNamespace } from '../../src/kv-snapshot/import.ts';
import { exported, fill, startNode } from './filled.ts';

const MEGABYTES = Number(process.env['ALTHING_KV_MEGABYTES'] ?? 2);
const VALUE_BYTES = 1000;
const PER_SUBMISSION = 900;

test(`exports and imports ${MEGABYTES} MB`, async (t) => {
  t.timeout(600_000);
  const { client } = await startNode(t);
  const count = Math.ceil((MEGABYTES * 1_000_000) / VALUE_BYTES);
  const took = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    const started = performance.now();
    const result = await work();
    t.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return result;
  };
  const text = 'x'.repeat(VALUE_BYTES - 40);
  await took('fill', async () => {
    for (let from = 0; from < count; from += PER_SUBMISSION) {
      const size = Math.min(PER_SUBMISSION, count - from);
      const entries = Array.from({ length: size }, (_, n) => [`key-${from + n}`, text] as const);
      await fill(client, 'from', entries);
    }
  });
  const file = await took('export', () => exported(client, 'from'));
  t.true(statSync(file).size > MEGABYTES * 1_000_000);
  const result = await took('import', () => importNamespace(client, file, { namespace: 'to' }));
  t.is(result.written, count);
  const asked = (namespace: string) => client.query('kv', 'namespace', { namespace });
  const [from, to] = await Promise.all([asked('from'), asked('to')]);
  const size = (answer: { result: unknown }) => {
    const { keys, bytes } = answer.result as { keys: number; bytes: number };
    return { keys, bytes };
  };
  t.deepEqual(size(to), size(from));
});
