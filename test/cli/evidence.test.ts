/** `althing get evidence` and `althing evidence verify`, as people and scripts use them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { EvidenceDocument } from '../../protocols/voting/evidence-document.ts';
import { evidenceBy } from '../http/evidence.ts';
import { signers } from '../http/test-node.ts';
import { answered, serve, type Serving } from './serving.ts';

interface Listed {
  readonly evidence: readonly EvidenceDocument[];
  readonly next: string | null;
}

/** Validator 4 has voted twice and put two batches at one place. */
function accuse({ port: { cluster, found } }: Serving): void {
  const by = { cluster, signer: signers[3]!, index: 3 };
  found.shelves[0]!.push(evidenceBy(by), evidenceBy(by, 'hiddenCommit'));
  found.shelves[4]!.push(evidenceBy(by, 'doubleBatch'));
}

test('lists what there is, in pages, and verifies it where a genesis document is given', async (t) => {
  const node = await serve(t);
  const none = await node.run(['get', 'evidence']);
  t.is(none.stdout, 'This node has no evidence against anybody.\n');
  accuse(node);
  const { stdout } = await node.run(['get', 'evidence', '--limit', '2']);
  const [first, second, more] = stdout.split('\n');
  t.regex(
    first!,
    /^validator-4 \(validator 3, key [0-9a-f]{64}\) voted for two blocks .*height 7\)$/,
  );
  t.regex(second!, /hiddenCommit/);
  t.is(more, 'There is more: --cursor 4.0');
  const rest = await node.run(['get', 'evidence', '--cursor', '4.0', '--json']);
  t.like(JSON.parse(rest.stdout), { evidence: [{ kind: 'doubleBatch', seq: 5 }], next: null });
  const verified = await node.run(['get', 'evidence', '--genesis', node.genesis]);
  t.is(verified.code, 0);
  t.is(verified.stderr, 'verified: each piece proves what it says\n');
  const wrong = await node.run(['get', 'evidence', '--cursor', 'x']);
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /malformed, cursor/);
});

test('a node that accuses without proof is not believed where a genesis document is given', async (t) => {
  const node = await serve(t);
  const { cluster, found } = node.port;
  found.shelves[0]!.push(evidenceBy({ cluster, signer: signers[2]!, index: 3 }));
  const get = ['get', 'evidence', '--genesis', node.genesis, '--timeout', '2'];
  const { code, stderr } = await answered(() => node.run(get));
  t.is(code, 1);
  t.regex(stderr, /not_proved/);
});

test('what was listed is checked offline: 0 and the guilty one, 1 for anything changed, 2 for nothing', async (t) => {
  const node = await serve(t);
  accuse(node);
  const { stdout } = await node.run(['get', 'evidence', '--json']);
  const listed = JSON.parse(stdout) as Listed;
  t.is(listed.evidence.length, 3);
  const verify = async (content: unknown, ...more: string[]) => {
    const file = join(node.folder, 'evidence.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const args = ['evidence', 'verify', file, '--genesis', node.genesis, ...more];
    return node.run(args, { ALTHING_URL: 'http://127.0.0.1:1' });
  };
  const whole = await verify(stdout);
  t.is(whole.code, 0, whole.stdout + whole.stderr);
  t.is(whole.stdout.match(/^Proved: validator-4 \(validator 3, /gm)?.length, 3);
  const one = await verify(listed.evidence[2], '--json');
  t.like(JSON.parse(one.stdout), {
    valid: true,
    evidence: [{ kind: 'doubleBatch', accused: { index: 3 } }],
  });
  const [piece] = listed.evidence;
  const flipped = stdout.replace(
    /"signature": "(.)/,
    (_, digit) => `"signature": "${digit === '0' ? 1 : 0}`,
  );
  const other = {
    ...piece,
    accused: { index: 0, id: 'validator-1', publicKey: signers[0]!.publicKey },
  };
  const foreign = { ...piece, clusterId: '0'.repeat(64) };
  for (const [code, changed] of [
    ['not_evidence', flipped],
    ['altered', other],
    ['other_cluster', foreign],
  ] as const) {
    const refused = await verify(changed);
    t.is(refused.code, 1);
    t.true(refused.stdout.includes(`Not proved (${code}): `), refused.stdout);
  }
  for (const nothing of ['{', '{}', '{"evidence":[]}']) t.is((await verify(nothing)).code, 2);
  const noGenesis = [
    'evidence',
    'verify',
    join(node.folder, 'evidence.json'),
    '--genesis',
    'missing',
  ];
  t.is((await node.run(noGenesis)).code, 2);
  t.true(readFileSync(node.genesis).length > 0);
});
