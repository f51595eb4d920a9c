/** F1 to F3 of frames.ts. */
import test from 'ava';
import fc from 'fast-check';
import { framesThatFit, packFrames, unpackFrames, type Frame } from '../../src/peers/frames.ts';

const frame = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.option(fc.uint8Array({ minLength: 1, maxLength: 200 }), { nil: undefined }),
  )
  .map(([envelope, body]): Frame => (body === undefined ? { envelope } : { envelope, body }));

const plain = (frames: readonly Frame[]): unknown =>
  frames.map(({ envelope, body }) => [[...envelope], body === undefined ? null : [...body]]);

test('unpacking gives back what was packed (F1)', (t) => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
      const unpacked = unpackFrames(packFrames(frames));
      t.true(typeof unpacked !== 'string');
      t.deepEqual(typeof unpacked === 'string' ? unpacked : plain(unpacked), plain(frames));
    }),
  );
});

test('unpacking copies nothing (F2)', (t) => {
  const packed = packFrames([{ envelope: Buffer.from('e'), body: Buffer.from('body') }]);
  const frames = unpackFrames(packed);
  if (typeof frames === 'string') return t.fail(frames);
  t.is(frames[0]?.body?.buffer, packed.buffer);
});

test('no bytes make unpacking throw, and every cut of a message is found (F2)', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      t.notThrows(() => unpackFrames(Buffer.from(bytes)));
    }),
  );
  const packed = packFrames([{ envelope: Buffer.from('abc'), body: Buffer.from('defg') }]);
  for (let end = 1; end < packed.length; end++) {
    t.is(typeof unpackFrames(packed.subarray(0, end)), 'string', `cut at ${end}`);
  }
  t.is(typeof unpackFrames(Buffer.alloc(8)), 'string', 'an empty envelope');
  t.is(typeof unpackFrames(Buffer.from('ffffffff00000000', 'hex')), 'string', 'a length beyond');
});

test('a message without frames is a heartbeat (F3)', (t) => {
  t.deepEqual(unpackFrames(Buffer.alloc(0)), []);
});

test('messages are filled up to the goal, and a large frame travels alone', (t) => {
  const small: Frame = { envelope: Buffer.alloc(1000) };
  const large: Frame = { envelope: Buffer.alloc(10), body: Buffer.alloc(3 * 1024 * 1024) };
  t.is(framesThatFit([small, small, small], 0), 3);
  t.is(framesThatFit([large, small], 0), 1);
  t.is(framesThatFit([small, large], 0), 1);
  t.is(framesThatFit([small, large], 2), 0);
  t.is(
    framesThatFit(
      Array.from({ length: 5000 }, () => small),
      0,
    ),
    1040,
  );
});
