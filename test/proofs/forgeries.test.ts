/** Whatever is changed about a proof, it proves nothing; whatever comes in, nothing throws. */
import test from 'ava';
import fc from 'fast-check';
import { fromHex, toHex } from '../../protocols/bytes.ts';
import {
  decodeProof,
  decodeProofHex,
  encodeProof,
  HEADERS_MAX,
  type Claim,
  type Proof,
  type ReceiptsClaim,
} from '../../protocols/proofs/format.ts';
import { verifyProof, verifyReceiptProof, verifyRowProof } from '../../protocols/proofs/verify.ts';
import { ZERO_DIGEST, type Digest } from '../../protocols/types.ts';
import { testSigner } from '../transaction/crypto.ts';
import { put } from '../transaction/modules.ts';
import { certificateOf, headersFor, proofOf, row, ROWS, trusted, World } from './world.ts';

/** Three claims of every kind under one checkpoint, and the id whose receipts are among them. */
function everything(): { world: World; proof: Proof; id: Digest } {
  const world = new World();
  const [, id] = world.run([put('a', 1)], [put('b', 2), put('c', 3)], [put('d', 4)]);
  world.put(...Array.from({ length: 20 }, (_, at) => `k${at}`));
  world.checkpoint();
  const { executed, claims } = world.proved(row('b'));
  const absent = world.proved(row('nobody')).claims;
  const receipts = world.proved({ kind: 'submission', id: id! }).claims;
  return { world, proof: proofOf(executed, [...claims, ...absent, ...receipts]), id: id! };
}

const { proof, id, world } = everything();
const bytes = encodeProof(proof);
const codeOf = (changed: Proof): string => {
  const verified = verifyProof(trusted, encodeProof(changed));
  return verified.ok ? 'ok' : verified.code;
};
const withClaim = (at: number, over: object): Proof => ({
  ...proof,
  claims: proof.claims.map(
    (claim, place) => (place === at ? { ...claim, ...over } : claim) as Claim,
  ),
});

test('what was not changed is proved', (t) => {
  t.like(verifyProof(trusted, bytes), { ok: true, facts: { length: 3 } });
  t.like(verifyRowProof(trusted, bytes, { table: ROWS, key: 'b' }), { ok: true, row: 2 });
  t.like(verifyRowProof(trusted, bytes, { table: ROWS, key: 'nobody' }), {
    ok: true,
    row: undefined,
  });
  t.like(verifyReceiptProof(trusted, bytes, id), { ok: true, receipts: { length: 2 } });
  t.like(verifyRowProof(trusted, bytes, { table: ROWS, key: 'a' }), { code: 'not_claimed' });
  t.like(verifyRowProof(trusted, bytes, { table: 'other', key: 'b' }), { code: 'not_claimed' });
  t.like(verifyReceiptProof(trusted, bytes, ZERO_DIGEST), { code: 'not_claimed' });
});

test('I114: with any one bit flipped it is no proof', (t) => {
  const all = verifyProof(trusted, bytes);
  const unchanged = all.ok ? all.facts : [];
  for (let bit = 0; bit < bytes.length * 8; bit += 7) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const verified = verifyProof(trusted, flipped);
    if (!verified.ok) continue;
    // It may say that another key, or table, has no row, where that is so.
    const { facts } = verified;
    const [absent] = facts.filter((fact) => fact.kind === 'absence');
    t.deepEqual(facts, [unchanged[0]!, absent!, unchanged[2]!]);
    t.notDeepEqual(absent, unchanged[1]);
    if (absent?.table !== ROWS) continue;
    t.is((world.proved(row(absent.key)).result as { value: unknown }).value, null);
  }
  t.pass();
});

test('I114: cut off or with something behind it, it is no proof', (t) => {
  for (let end = 0; end < bytes.length; end += 13) {
    t.like(verifyProof(trusted, bytes.subarray(0, end)), { code: 'malformed' });
  }
  t.like(verifyProof(trusted, Uint8Array.of(...bytes, 0)), { code: 'malformed' });
});

test('I114: decoding never throws, and what it takes it gives back byte for byte', (t) => {
  const mutated = fc
    .tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.boolean())
    .map(([at, junk, shifts]) => {
      const rest = bytes.subarray(at + (shifts ? 0 : junk.length));
      return Uint8Array.of(...bytes.subarray(0, at), ...junk, ...rest);
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (input) => {
      const decoded = decodeProof(input);
      if (decoded.ok) t.is(toHex(encodeProof(decoded.value)), toHex(input));
      verifyProof(trusted, input);
    }),
    { numRuns: 3000 },
  );
  for (const hex of ['', '0', 'zz', toHex(bytes).toUpperCase(), `${toHex(bytes)}0`]) {
    t.false(decodeProofHex(hex).ok);
  }
});

test('I113: only q votes of different validators of the genesis certify', (t) => {
  const { headers } = proof.certification;
  const last = headers.at(-1)!;
  const strangers = [1, 2, 3, 4].map((seed) => testSigner(seed + 50));
  const votes = (certificate: Proof['certification']['certificate']): string =>
    codeOf({ ...proof, certification: { headers, certificate } });
  t.is(votes(certificateOf(last, { voters: [1, 2, 3] })), 'ok');
  t.is(votes(certificateOf(last, { voters: [0, 1, 2, 3] })), 'ok');
  t.is(votes(certificateOf(last, { voters: [] })), 'bad_certificate');
  t.is(votes(certificateOf(last, { voters: [0, 1] })), 'bad_certificate');
  t.is(votes(certificateOf(last, { voters: [1, 1, 1] })), 'bad_certificate');
  t.is(votes(certificateOf(last, { signers: strangers })), 'bad_certificate');
  const three = certificateOf(last);
  const [first, ...others] = three.votes;
  const renamed = [{ ...first!, voter: 1 }, ...others];
  t.is(votes({ ...three, votes: renamed }), 'bad_certificate');
  t.is(votes({ ...three, votes: [...three.votes, { ...first!, voter: 9 }] }), 'bad_certificate');
  for (const over of [{ kind: 'prepare' }, { epoch: 1 }, { block: ZERO_DIGEST }] as const) {
    t.is(votes(certificateOf(last, { over })), 'bad_certificate', JSON.stringify(over));
  }
  t.is(votes({ ...three, height: three.height + 1 }), 'bad_certificate');
});

test('I113: the votes are for the last header, and every header follows the one before it', (t) => {
  const { executed } = proof.certification.headers[0]!;
  const chain = (headers: Proof['certification']['headers']): string =>
    codeOf({ ...proof, certification: { headers, certificate: certificateOf(headers.at(-1)!) } });
  t.is(chain(headersFor(executed, 1)), 'ok');
  t.is(chain(headersFor(executed, HEADERS_MAX)), 'ok');
  t.is(chain(headersFor(executed, HEADERS_MAX + 1)), 'malformed');
  const [one, two, three] = headersFor(executed, 3);
  t.is(chain([one!, three!]), 'broken_chain');
  t.is(chain([one!, { ...two!, parent: ZERO_DIGEST }]), 'broken_chain');
  t.is(chain([two!]), 'broken_chain');
  t.is(chain([{ ...one!, epoch: 1 }]), 'unknown_epoch');
  t.is(chain([one!, { ...two!, epoch: 1 }]), 'broken_chain');
  const { certificate } = proof.certification;
  t.is(codeOf({ ...proof, certification: { headers: [], certificate } }), 'broken_chain');
});

test('I113: a proof of another cluster is refused, and so is this one elsewhere', (t) => {
  t.is(codeOf({ ...proof, clusterId: ZERO_DIGEST }), 'other_cluster');
  const renamed = { ...trusted, cluster: { ...trusted.cluster, id: ZERO_DIGEST } };
  t.like(verifyProof(renamed, bytes), { code: 'other_cluster' });
  // Votes that name a cluster are not those of another one that has the same keys.
  const [header] = proof.certification.headers;
  const certification = { headers: [header!], certificate: certificateOf(header!) };
  const moved = { ...proof, certification };
  t.true(verifyProof(trusted, encodeProof(moved)).ok);
  const there = encodeProof({ ...moved, clusterId: ZERO_DIGEST });
  t.like(verifyProof(renamed, there), { code: 'bad_certificate' });
});

test('I112: receipts are those of this submission, at this height and place', (t) => {
  const at = 2;
  const claim = proof.claims[at] as ReceiptsClaim;
  t.true(claim.blockSteps.length > 0 && claim.heightSteps.length > 0);
  for (const over of [
    { id: ZERO_DIGEST },
    { height: claim.height + 1 },
    { index: claim.index + 1 },
    { txCount: claim.txCount + 1 },
    { outcomes: Uint8Array.of(0, 0, 1) },
    { blockSteps: claim.blockSteps.slice(1) },
    { heightSteps: claim.heightSteps.toReversed() },
    { blockSteps: [...claim.blockSteps, ...claim.heightSteps], heightSteps: [] },
  ]) {
    t.is(codeOf(withClaim(at, over)), 'wrong_root', JSON.stringify(over));
  }
});

test('I112: a step is one inner node with two children, cut nowhere else', (t) => {
  const at = 2;
  const { blockSteps } = proof.claims[at] as ReceiptsClaim;
  const [{ prefix, suffix }, ...rest] = blockSteps as [ReceiptsClaim['blockSteps'][0]];
  const none = new Uint8Array(0);
  for (const step of [
    { prefix: none, suffix },
    { prefix: Uint8Array.of(0, ...prefix.subarray(1)), suffix },
    { prefix: Uint8Array.of(...prefix, 0), suffix },
    { prefix, suffix: Uint8Array.of(...suffix, 0) },
    { prefix: Uint8Array.of(1, ...new Uint8Array(10)), suffix: new Uint8Array(22) },
  ]) {
    t.is(codeOf(withClaim(at, { blockSteps: [step, ...rest] })), 'malformed');
  }
});

test('I112: what is hashed in four bytes has no second form in eight', (t) => {
  const { index, txCount } = proof.claims[2] as ReceiptsClaim;
  for (const over of [{ index: index + 2 ** 32 }, { txCount: txCount + 2 ** 32 }]) {
    t.is(codeOf(withClaim(2, over)), 'malformed');
  }
});

test('I111: rows and absences are those of this table and key, and of this checkpoint', (t) => {
  for (const at of [0, 1]) {
    for (const over of [{ key: 'a' }, { table: 'scratch/row' }]) {
      t.not(codeOf(withClaim(at, over)), 'ok');
    }
    const { steps } = proof.claims[at] as Extract<Claim, { kind: 'row' }>;
    for (const changed of [
      [],
      steps.slice(1),
      steps.slice(0, -1),
      steps.toReversed(),
      [...steps, steps[0]!],
      steps.map(({ prefix, suffix }) => ({ prefix: suffix, suffix: prefix })),
    ]) {
      t.not(codeOf(withClaim(at, { steps: changed })), 'ok');
    }
  }
  t.is(codeOf(withClaim(0, { row: Uint8Array.of(9) })), 'wrong_root');
  const { claims } = world.proved(row('b'));
  world.put('b', 'more');
  world.checkpoint();
  const { executed } = world.proved(row('b'));
  t.is(codeOf(proofOf(executed, claims)), 'wrong_root');
});

test('I114: a proof in hex is that proof', (t) => {
  t.deepEqual(decodeProofHex(toHex(bytes)), decodeProof(fromHex(toHex(bytes))));
});
