/** The outcomes of a submission have one form, whoever reads them: this code, and a stranger's. */
import test from 'ava';
import fc from 'fast-check';
import { decodeReceipts } from '../../protocols/transaction/receipts.ts';
import { fromHex } from '../../protocols/bytes.ts';
import type { Digest } from '../../protocols/types.ts';
import { checkOutcomes } from './independent.ts';

const base = { id: 'cd'.repeat(32) as Digest, height: 1, index: 0 };

const isRead = (encoded: Uint8Array, txCount: number): boolean =>
  decodeReceipts({ ...base, txCount, encoded }) !== null;

function isReadByOthers(encoded: Uint8Array, txCount: number): boolean {
  try {
    checkOutcomes(encoded, txCount);
    return true;
  } catch {
    return false;
  }
}

const event = '036d2e65 00000001 07';
const cases: readonly (readonly [string, string, number, boolean])[] = [
  ['one that is plain', '000001', 1, true],
  ['no outcome', '', 0, true],
  ['a full run and the next', '00ffff 000001', 65_536, true],
  ['two full runs', '00ffff 00ffff', 131_070, true],
  ['runs with one between that failed', '000001 8100 0000 000001', 3, true],
  ['a result', '82 00000001 07', 1, true],
  ['an event', `84 0001 ${event}`, 1, true],
  ['a result and an event', `86 00000001 07 0001 ${event}`, 1, true],
  ['an empty run', '000000', 0, false],
  ['an empty run before another', '000000 000001', 1, false],
  ['two runs that are one', '000001 000001', 2, false],
  ['a run that is not full before another', '00fffe 000001', 65_535, false],
  ['an empty run behind a full one', '00ffff 000000', 65_535, false],
  ['a plain one in the form of those that said something', '80', 1, false],
  ['one that failed and has a result', '83 00 0000 00000001 07', 1, false],
  ['one that failed and has events', `85 00 0000 0001 ${event}`, 1, false],
  ['events that are none', '84 0000', 1, false],
  ['an event of no module', '84 0001 0165 00000001 07', 1, false],
  ['a flag that means nothing', '88', 1, false],
  ['a tag without its mark', '01 00 0000', 1, false],
  ['a code of 65 bytes', `81 41 ${'61'.repeat(65)} 0000`, 1, false],
  ['a message of 1,025 bytes', `81 00 0401 ${'61'.repeat(1025)}`, 1, false],
  ['fewer', '000001', 2, false],
  ['more', '000002', 1, false],
  ['one more that failed', '000001 81000000', 1, false],
  ['bytes behind', '000001 00', 1, false],
  ['a part that is cut off', '82 00000002 07', 1, false],
];

for (const [what, hex, txCount, isRight] of cases) {
  test(`I52: outcomes with ${what} are ${isRight ? 'read' : 'refused'}`, (t) => {
    const encoded = fromHex(hex.replaceAll(' ', ''));
    t.is(isRead(encoded, txCount), isRight);
    t.is(isReadByOthers(encoded, txCount), isRight);
  });
}

test('I52: whoever reads outcomes refuses the same ones', (t) => {
  const pieces = fc.constantFrom(
    [0, 0, 0],
    [0, 0, 1],
    [0, 255, 255],
    [0x80],
    [0x81, 0, 0, 0],
    [0x82, 0, 0, 0, 1, 7],
    [0x84, 0, 1, 3, 0x6d, 0x2e, 0x65, 0, 0, 0, 1, 7],
    [0x84, 0, 0],
    [0x83],
    [1],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), fc.nat(4), (parts, txCount) => {
      const encoded = Uint8Array.from(parts.flat());
      t.is(isRead(encoded, txCount), isReadByOthers(encoded, txCount));
    }),
    { numRuns: 3000 },
  );
});

test('I52: no memory is taken for more outcomes than were asked for', (t) => {
  const runs = Uint8Array.from({ length: 65_537 * 3 }, (_, at) => (at % 3 === 0 ? 0 : 255));
  const before = process.memoryUsage().heapUsed;
  t.false(isRead(runs, 1));
  t.true(process.memoryUsage().heapUsed - before < 16 * 1024 * 1024);
});
