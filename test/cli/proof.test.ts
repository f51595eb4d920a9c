/** `althing proof verify`, as people and scripts use it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { fromHex } from '../../protocols/bytes.ts';
import { decodeProofHex, encodeProof, type Proof } from '../../protocols/proofs/format.ts';
import { newFolder } from '../folder.ts';
import { vectors } from '../proofs/vectors.ts';
import { run, type Ended } from './program.ts';

const { genesis, valid, refused } = vectors();
const folder = newFolder('proof');
const known = write('genesis.json', JSON.stringify(genesis));
const good = valid['a row, an absence and receipts']!;
const decoded = (decodeProofHex(good) as { readonly value: Proof }).value;

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const verify = (file: string, ...more: string[]): Promise<Ended> =>
  run(['proof', 'verify', file, '--genesis', known, ...more]);

test('says what is proved, from an answer or from the bytes', async (t) => {
  const answer = write('answer.json', JSON.stringify({ height: 12, proof: good }));
  const { code, stdout, stderr } = await verify(answer);
  t.is(stderr, '');
  t.is(code, 0);
  t.regex(stdout, /^Proved, as of height 12:$/m);
  t.regex(stdout, /^ {2}scratch\/rows has "é\/ключ": \["x",null,\{"deep":1\}\]$/m);
  t.regex(stdout, /^ {2}scratch\/rows has no "nobody"$/m);
  t.regex(stdout, /^ {2}submission [0-9a-f]{64} was executed at height 9: \[\{"id"/m);
  t.regex(stdout, /^Certified by block 15 \([0-9a-f]{64}\) of 20/m);
  t.false(stdout.includes('result in the file'));
  const raw = await verify(write('proof.bin', fromHex(good)), '--json');
  t.is(raw.code, 0);
  t.like(JSON.parse(raw.stdout), {
    valid: true,
    executed: { height: 12 },
    block: { height: 15 },
    facts: [{ kind: 'row' }, { kind: 'absence' }, { kind: 'receipts', receipts: { length: 2 } }],
  });
});

test('claims nothing of a result that does not say of what it is', async (t) => {
  const proof = valid['the only row']!;
  const { code, stdout } = await verify(
    write('query.json', JSON.stringify({ result: 'a lie', proof })),
  );
  t.is(code, 0);
  t.false(stdout.includes('a lie'));
  const unchecked =
    'The result in the file is not checked: it does not say of which of these it is.';
  t.true(stdout.split('\n').includes(unchecked), stdout);
});

test('says which check failed, and ends with 1', async (t) => {
  for (const [name, [code, proof]] of Object.entries(refused)) {
    const file = write('refused.json', JSON.stringify({ proof }));
    const text = await verify(file);
    t.is(text.code, 1, name);
    t.true(text.stdout.startsWith(`Not proved (${code}): `), text.stdout);
    t.regex(
      text.stdout,
      /\n(The file was changed or damaged, .*fetch the answer again|The file, or)/,
    );
    const json = await run(['--json', 'proof', 'verify', file, '--genesis', known]);
    t.is(json.code, 1);
    t.like(JSON.parse(json.stdout), { valid: false, code });
  }
  const other = write('other.json', JSON.stringify({ ...genesis, name: 'other' }));
  const elsewhere = await run([
    'proof',
    'verify',
    write('p.bin', fromHex(good)),
    '--genesis',
    other,
  ]);
  t.is(elsewhere.code, 1);
  t.true(elsewhere.stdout.startsWith('Not proved (other_cluster)'));
});

test('says whether what somebody wants to know is proved', async (t) => {
  const file = write('wanted.bin', fromHex(good));
  const { stdout } = await verify(file);
  const [, id = ''] = /submission ([0-9a-f]{64})/.exec(stdout) ?? [];
  const rows = 'scratch/rows';
  for (const [code, ...wanted] of [
    [0, '--row', rows, 'é/ключ'],
    [1, '--row', rows, 'nobody'],
    [1, '--row', 'scratch/others', 'é/ключ'],
    [0, '--absence', rows, 'nobody'],
    [1, '--absence', rows, 'é/ключ'],
    [0, '--transaction', id],
    [0, '--transaction', `${id}-1`, '--row', rows, 'é/ключ', '--absence', rows, 'nobody'],
    [1, '--transaction', `${id}-2`],
    [1, '--transaction', '0'.repeat(64)],
  ] as const) {
    const ended = await verify(file, ...wanted);
    t.is(ended.code, code, wanted.join(' '));
    if (code === 1) t.regex(ended.stdout, /^Not proved \(not_claimed\): it does not say that /);
  }
});

test('ends with 2 where there is nothing to check, and says what to do', async (t) => {
  const fine = write('fine.json', JSON.stringify({ proof: good }));
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[join(folder, 'none'), '--genesis', known], /cannot read .*none \(ENOENT\)/],
    [[fine, '--genesis', join(folder, 'none')], /cannot read .*none \(ENOENT\)/],
    [[fine, '--genesis', fine], /fine\.json: /],
    [[fine], /--genesis/],
    [[write('text', 'hello'), '--genesis', known], /neither JSON nor/],
    [[write('null.json', 'null'), '--genesis', known], /no member "proof"/],
    [[write('plain.json', '{"result":1}'), '--genesis', known], /\?proof=1/],
    [[write('empty.bin', encodeProof({ ...decoded, claims: [] })), '--genesis', known], /no claim/],
    [[fine, '--genesis', known, '--row', 'scratch/rows'], /--row takes a table and a key/],
    [[fine, '--genesis', known, '--transaction', 'x'], /"x" is no id/],
    [[write('hex.json', '{"proof":"xyz"}'), '--genesis', known], /lower-case hex/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await run(['proof', 'verify', ...args]);
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, message);
  }
});
