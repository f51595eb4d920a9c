/** althing.v1.Consensus: what HTTP says, over gRPC. */
import { status, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import { verifyEvidence } from '../../protocols/voting/evidence-document.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { evidenceBy } from '../http/evidence.ts';
import { signers } from '../http/test-node.ts';
import { start, TestClient } from './start.ts';

interface Piece {
  readonly kind: string;
  readonly accused: { readonly id: string; readonly publicKey: string };
  readonly height?: number;
  readonly seq?: number;
  readonly statements: readonly { readonly signed: Uint8Array; readonly signature: Uint8Array }[];
  readonly document: string;
}
interface Page {
  readonly evidence: readonly Piece[];
  readonly next?: string;
}

test('tells evidence in pages, as signed bytes and as the document that is verified', async (t) => {
  const started = await start(t);
  const { cluster, found } = started.port;
  const by = { cluster, signer: signers[2]!, index: 2 };
  found.shelves[0]!.push(evidenceBy(by), evidenceBy(by, 'hiddenCommit'));
  found.shelves[3]!.push(evidenceBy(by, 'doubleBatch'));
  const client = new TestClient(t, started.address, 'althing.v1.Consensus');
  const ask = (request: object): Promise<Page> => client.call('Evidence', request);
  const all = await ask({});
  t.deepEqual(
    all.evidence.map(({ kind }) => kind),
    ['doubleVote', 'hiddenCommit', 'doubleBatch'],
  );
  t.is(all.next, undefined);
  for (const { accused, statements, document } of all.evidence) {
    t.is(accused.id, 'validator-3');
    t.is(statements.length, 2);
    for (const { signed, signature } of statements) {
      t.true(nodeCrypto.verify(signers[2]!.publicKey, signed, signature));
    }
    t.true(verifyEvidence({ cluster, crypto: nodeCrypto }, JSON.parse(document)).ok);
  }
  const first = await ask({ limit: 2 });
  t.is(first.next, '3.0');
  t.like(await ask({ limit: 2, cursor: '3.0' }), { evidence: [{ seq: 5 }] });
  for (const wrong of [{ cursor: 'x' }, { cursor: '' }, { limit: 0 }, { limit: 501 }]) {
    const error = (await t.throwsAsync(ask(wrong))) as unknown as ServiceError;
    t.is(error.code, status.INVALID_ARGUMENT, JSON.stringify(wrong));
  }
});
