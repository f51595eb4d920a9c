/** Evidence for tests of what shows it. */
import type { Signer } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import { batchBytes, timeoutBytes, voteBytes } from '../../protocols/structures.ts';
import { ZERO_DIGEST, type BatchHeader, type Digest, type Vote } from '../../protocols/types.ts';
import type { Evidence, EvidenceKind } from '../../protocols/voting/evidence.ts';
import type { EvidencePage, EvidencePlace } from '../../src/edge/port.ts';

/** What a node has found, by shelf: of votes, then of each lane. */
export class TestEvidence {
  readonly shelves: Evidence[][] = [[], [], [], [], []];

  page(from: EvidencePlace, limit: number): EvidencePage {
    const all = this.shelves.flatMap((items, shelf) =>
      items.map((item, position) => ({ item, place: { shelf, position } })),
    );
    const ahead = all.filter(
      ({ place: { shelf, position } }) =>
        shelf > from.shelf || (shelf === from.shelf && position >= from.position),
    );
    const evidence = ahead.slice(0, limit).map(({ item }) => item);
    return { evidence, next: ahead[limit]?.place ?? null };
  }
}

interface By {
  readonly cluster: Pick<Cluster, 'id'>;
  readonly signer: Signer;
  readonly index: number;
}

const digestOf = (byte: number): Digest => byte.toString(16).padStart(64, '0') as Digest;

export function voteOf({ cluster, signer, index }: By, more: Partial<Vote>): Vote {
  const content = {
    kind: 'prepare',
    epoch: 0,
    term: 3,
    height: 7,
    block: digestOf(1),
    first: false,
    ...more,
  } as const;
  return { ...content, voter: index, signature: signer.sign(voteBytes(cluster.id, content)) };
}

function batchOf({ cluster, signer, index }: By, payload: number): BatchHeader {
  const content = {
    epoch: 0,
    lane: index,
    seq: 5,
    parentDigest: ZERO_DIGEST,
    payloadDigest: digestOf(payload),
    txCount: 1,
    bytes: 9,
  };
  return { ...content, signature: signer.sign(batchBytes(cluster.id, content)) };
}

/** Valid evidence of that kind. */
export function evidenceBy(by: By, kind: EvidenceKind = 'doubleVote'): Evidence {
  const other = { block: digestOf(2) };
  switch (kind) {
    case 'doubleVote':
      return { kind, first: voteOf(by, {}), second: voteOf(by, other) };
    case 'doubleFirst':
      return {
        kind,
        first: voteOf(by, { first: true }),
        second: voteOf(by, { first: true, height: 8, ...other }),
      };
    case 'hiddenCommit': {
      const claim = { epoch: 0, term: 4, highTerm: -1, highHeight: -1, highBlock: ZERO_DIGEST };
      const signature = by.signer.sign(timeoutBytes(by.cluster.id, claim));
      const timeout = { ...claim, voter: by.index, signature };
      return { kind, vote: voteOf(by, { kind: 'commit' }), timeout };
    }
    case 'doubleBatch':
      return { kind, first: batchOf(by, 1), second: batchOf(by, 2) };
  }
}
