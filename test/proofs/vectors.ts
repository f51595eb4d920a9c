/** What test/golden/proofs.json holds: made from fixed keys, so always the same. */
import { toHex } from '../../protocols/bytes.ts';
import { encodeProof, type Claim, type Proof } from '../../protocols/proofs/format.ts';
import { put } from '../transaction/modules.ts';
import { certificateOf, genesis, proofOf, row, World } from './world.ts';

const hex = (proof: Proof): string => toHex(encodeProof(proof));

export function vectors(): {
  genesis: object;
  valid: Record<string, string>;
  refused: Record<string, readonly [string, string]>;
} {
  const world = new World();
  world.checkpoint();
  const empty = world.proof(row('a'));
  world.put('a');
  world.checkpoint();
  const single = world.proof(row('a'));
  const beside = world.proof(row('b'));
  const ids = world.run(
    [put('é/ключ', ['x', null, { deep: 1 }])],
    [{ module: 'scratch', command: 'look', args: null }, put('k', 1)],
    [put('l', -1)],
  );
  world.put(...Array.from({ length: 40 }, (_, at) => `key-${at}`));
  world.checkpoint();
  const { executed, claims } = world.proved(row('é/ключ'));
  const [id = ''] = ids.slice(1);
  const receipts = world.proved({ kind: 'submission', id: id as never });
  const absence = world.proved(row('nobody'));
  const all: Claim[] = [...claims, ...absence.claims, ...receipts.claims];
  const bundle = proofOf(executed, all);
  const { certification } = bundle;
  const last = certification.headers.at(-1)!;
  const certified = (certificate: Proof['certification']['certificate']): string =>
    hex({ ...bundle, certification: { ...certification, certificate } });
  return {
    genesis,
    valid: {
      'absence in an empty tree': hex(empty),
      'the only row': hex(single),
      'absence beside the only row': hex(beside),
      'a row, an absence and receipts': hex(bundle),
    },
    refused: {
      'too few votes': ['bad_certificate', certified(certificateOf(last, { voters: [0, 2] }))],
      'a vote twice': ['bad_certificate', certified(certificateOf(last, { voters: [0, 2, 2] }))],
      'a prepare certificate': [
        'bad_certificate',
        certified(certificateOf(last, { over: { kind: 'prepare' } })),
      ],
      'a certificate of the first header only': [
        'bad_certificate',
        certified(certificateOf(certification.headers[0]!)),
      ],
      'another row': [
        'wrong_root',
        hex({
          ...bundle,
          claims: claims.map((each) => ({ ...each, row: Uint8Array.of(1) })) as Claim[],
        }),
      ],
      'another key': [
        'malformed',
        hex({ ...bundle, claims: claims.map((each) => ({ ...each, key: 'other' })) as Claim[] }),
      ],
    },
  };
}
