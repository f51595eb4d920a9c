/** Documents of evidence: proved as they are written, and not with anything else in them. */
import test from 'ava';
import { clusterOf } from '../../protocols/genesis.ts';
import {
  evidenceDocument,
  verifyEvidence,
  type EvidenceDocument,
} from '../../protocols/voting/evidence-document.ts';
import { isEvidenceValid, type EvidenceKind } from '../../protocols/voting/evidence.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { evidenceBy, voteOf } from '../http/evidence.ts';
import { signers, testCluster } from '../http/test-node.ts';

const KINDS: readonly EvidenceKind[] = ['doubleVote', 'doubleFirst', 'hiddenCommit', 'doubleBatch'];
const cluster = testCluster();
const verifier = { cluster, crypto: nodeCrypto };
const by = { cluster, signer: signers[3]!, index: 3 };
const written = (kind: EvidenceKind): string =>
  JSON.stringify(evidenceDocument(verifier, evidenceBy(by, kind)));
const verdictOf = (document: unknown) => verifyEvidence(verifier, document);

test('evidence of every kind is proved from its document alone, by either library (I142)', (t) => {
  for (const kind of KINDS) {
    const document = JSON.parse(written(kind)) as EvidenceDocument;
    for (const crypto of [nodeCrypto, browserCrypto]) {
      const verdict = verifyEvidence({ cluster, crypto }, document);
      t.true(verdict.ok, kind);
      if (verdict.ok) t.deepEqual(verdict.evidence, evidenceBy(by, kind));
    }
    const { accused } = document;
    t.deepEqual(accused, { index: 3, id: 'validator-4', publicKey: signers[3]!.publicKey });
    for (const { signed, signature } of document.statements) {
      const bytes = (hex: unknown) => new Uint8Array(Buffer.from(String(hex), 'hex'));
      t.true(nodeCrypto.verify(signers[3]!.publicKey, bytes(signed), bytes(signature)));
    }
  }
});

test('a document with any one character changed is proof of nothing (I142)', (t) => {
  for (const kind of KINDS) {
    const text = written(kind);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === '1' ? '2' : '1';
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      const document = parsed(changed);
      if (document !== undefined) t.false(verdictOf(document).ok, `${kind}: ${changed}`);
    }
  }
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

test('evidence of another cluster is refused, also where it is passed off as ours (I142)', (t) => {
  const other = clusterOf({ ...cluster.genesis, name: 'other' }, nodeCrypto);
  for (const kind of KINDS) {
    const foreign = evidenceDocument(
      { cluster: other },
      evidenceBy({ ...by, cluster: other }, kind),
    );
    t.like(verdictOf(foreign), { ok: false, code: 'other_cluster' });
    const relabelled = { ...foreign, clusterId: cluster.id };
    t.like(verdictOf(relabelled), { ok: false, code: 'not_evidence' });
  }
});

test('an honest validator is accused by no document (I142)', (t) => {
  const honest = { index: 0, id: 'validator-1', publicKey: signers[0]!.publicKey };
  const document = JSON.parse(written('doubleVote')) as EvidenceDocument;
  t.like(verdictOf({ ...document, accused: honest }), { ok: false, code: 'altered' });
  const framed = document.statements.map((each) => ({ ...each, voter: 0 }));
  const both = { ...document, accused: honest, statements: framed };
  t.like(verdictOf(both), { ok: false, code: 'not_evidence' });
  const mine = voteOf({ ...by, signer: signers[0]!, index: 0 }, {});
  const first = { kind: 'doubleVote', first: mine, second: mine } as const;
  t.like(verdictOf(evidenceDocument(verifier, first)), { ok: false, code: 'not_evidence' });
  // Another place is no contradiction, and one statement proves nothing.
  const elsewhere = {
    ...first,
    second: voteOf({ ...by, signer: signers[0]!, index: 0 }, { height: 8 }),
  };
  t.like(verdictOf(evidenceDocument(verifier, elsewhere)), { ok: false, code: 'not_evidence' });
  const alone = { ...document, statements: document.statements.slice(0, 1) };
  t.like(verdictOf(alone), { ok: false, code: 'malformed' });
});

test('what is no evidence at all is said to be none', (t) => {
  for (const value of [null, 1, 'x', [], {}, { kind: 'toString', statements: [] }, { kind: 1 }]) {
    t.like(verdictOf(value), { ok: false, code: 'malformed' });
  }
});

test('two headers prove something only for one place, and in two contents (I84)', (t) => {
  const item = evidenceBy(by, 'doubleBatch');
  if (item.kind !== 'doubleBatch') return t.fail();
  t.true(isEvidenceValid(verifier, item));
  t.false(isEvidenceValid(verifier, { ...item, second: item.first }));
  t.false(isEvidenceValid(verifier, { ...item, second: { ...item.second, seq: 6 } }));
});
