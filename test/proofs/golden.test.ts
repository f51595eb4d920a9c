/** One set of proofs, and three who check them: this code with either crypto port, and a stranger's. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { fromHex, toHex } from '../../protocols/bytes.ts';
import { decodeProof, decodeProofHex, encodeProof } from '../../protocols/proofs/format.ts';
import { trustGenesis, verifyProof, type Fact } from '../../protocols/proofs/verify.ts';
import { encodeValue } from '../../protocols/transaction/values.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { verifyIndependently, type Claim } from './independent.ts';
import { vectors } from './vectors.ts';
import { genesis } from './world.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/proofs.json', import.meta.url));
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as ReturnType<typeof vectors>;

test('the committed proofs are those that this code makes', (t) => {
  t.deepEqual(JSON.parse(JSON.stringify(vectors())), golden);
});

/** A fact as the independent verifier has it. */
function asClaim(fact: Fact): Claim {
  if (fact.kind === 'row') return { ...fact, row: toHex(encodeValue(fact.row)) };
  if (fact.kind === 'absence') return fact;
  const { id, height, encoded } = fact.submission;
  return { kind: 'receipts', id, height, outcomes: toHex(encoded) };
}

for (const [name, proof] of Object.entries(golden.valid)) {
  test(`I111, I112, I113: ${name} is proved, whoever checks it`, (t) => {
    const bytes = fromHex(proof);
    const shown = verifyIndependently(golden.genesis, bytes);
    for (const crypto of [nodeCrypto, browserCrypto]) {
      const verified = verifyProof(trustGenesis(crypto, genesis), bytes);
      if (!verified.ok) return t.fail(verified.message);
      t.deepEqual(verified.facts.map(asClaim), shown.claims as Claim[]);
      t.is(verified.certified.executed.height, shown.height);
    }
    const decoded = decodeProofHex(proof);
    t.is(decoded.ok && toHex(encodeProof(decoded.value)), proof);
    t.deepEqual(decoded, decodeProof(bytes));
  });
}

for (const [name, [code, proof]] of Object.entries(golden.refused)) {
  test(`${name} is refused, whoever checks it`, (t) => {
    const bytes = fromHex(proof);
    t.throws(() => verifyIndependently(golden.genesis, bytes));
    for (const crypto of [nodeCrypto, browserCrypto]) {
      t.like(verifyProof(trustGenesis(crypto, genesis), bytes), { ok: false, code });
    }
  });
}
