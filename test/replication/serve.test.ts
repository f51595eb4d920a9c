import { Buffer } from 'node:buffer';
import test from 'ava';
import { OWNER, sized } from './forked.ts';
import { faults, hash, Lab, Seat, sent, tipOf } from './lab.ts';

const seqs = (effects: Parameters<typeof sent>[0]) =>
  sent(effects, 'batch').map(({ message }) => message.header.seq);

test('serves a range from memory, and from the log after a restart', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  const batches = lab.batches(1, 5);
  seat.batches(batches);
  const fetch = { kind: 'fetchBatches', lane: 1, fromSeq: 1, toSeq: 9 } as const;
  const answers = sent(seat.from(2, fetch), 'batch');
  t.deepEqual(
    answers.map(({ to }) => to),
    [2, 2, 2, 2],
  );
  t.deepEqual(answers.map(({ body }) => Buffer.from(body!).toString())[0], 'batch 1/1');
  t.deepEqual(seqs(seat.restarted().from(2, fetch)), [1, 2, 3, 4]);
});

test('serves one batch by digest: first version, second version, and nothing else', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const [first, second] = ['first', 'second'].map((name) => lab.batch(1, undefined, name));
  seat.batch(first!);
  seat.holdCut('block', lab.cut({ 1: tipOf(second) }));
  seat.batch(second!, 2);
  for (const asked of [seat, seat.restarted()]) {
    for (const { digest } of [first!, second!]) {
      const answers = sent(asked.from(3, { kind: 'fetchBatch', lane: 1, seq: 0, digest }), 'batch');
      t.deepEqual(
        answers.map(({ message }) => message.header.payloadDigest),
        [(digest === first!.digest ? first! : second!).header.payloadDigest],
      );
    }
    const { id } = lab.cluster;
    t.deepEqual(seqs(asked.from(3, { kind: 'fetchBatch', lane: 1, seq: 0, digest: id })), []);
  }
});

test('answers nothing to ranges that make no sense', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.batches(lab.batches(1, 2));
  const ask = (lane: number, fromSeq: number, toSeq: number) =>
    seat.from(2, { kind: 'fetchBatches', lane, fromSeq, toSeq });
  t.deepEqual(seqs([...ask(1, 1, 0), ...ask(1, 2, 9), ...ask(2, 0, 0)]), []);
  t.deepEqual(faults(ask(9, 0, 0)), ['fetch_malformed']);
  const { id } = lab.cluster;
  t.deepEqual(faults(seat.from(2, { kind: 'fetchBatch', lane: 9, seq: 0, digest: id })), [
    'fetch_malformed',
  ]);
  t.deepEqual(faults(seat.from(2, { kind: 'fetchBlock', digest: id })), ['misrouted']);
});

test('I68: a peer has one read under way and one range waiting for each lane', (t) => {
  const lab = new Lab();
  const first = new Seat(lab);
  first.batches(lab.batches(1, 70));
  const seat = first.restarted();
  seat.answering = false;
  for (let fromSeq = 0; fromSeq < 50; fromSeq++) {
    seat.from(2, { kind: 'fetchBatches', lane: 1, fromSeq, toSeq: 69 });
  }
  t.is(seat.reads.length, 1);
  seat.from(3, { kind: 'fetchBatches', lane: 1, fromSeq: 6, toSeq: 69 });
  t.is(seat.reads.length, 2);
  seat.answering = true;
  const answers = seqs(seat.answer(seat.reads[0]!));
  t.deepEqual(
    answers.slice(0, 64),
    Array.from({ length: 64 }, (_, seq) => seq),
  );
  t.deepEqual(
    answers.slice(64),
    Array.from({ length: 21 }, (_, at) => 49 + at),
  );
});

test('I68: searches of one peer in one lane put off neither each other nor a range', (t) => {
  const lab = new Lab();
  const first = new Seat(lab);
  const batches = lab.batches(1, 30);
  first.batches([...batches, ...lab.batches(2, 1)]);
  const seat = first.restarted();
  seat.answering = false;
  seat.from(2, { kind: 'fetchBatches', lane: 2, fromSeq: 0, toSeq: 0 });
  const ask = (seq: number) =>
    seat.from(2, { kind: 'fetchBatch', lane: 1, seq, digest: batches[seq]!.digest });
  const range = () => seat.from(2, { kind: 'fetchBatches', lane: 1, fromSeq: 28, toSeq: 29 });
  const answer = () => {
    seat.answering = true;
    const answers = seqs(seat.answer(seat.reads.shift()!));
    seat.answering = false;
    return answers;
  };
  ask(3);
  range();
  ask(7);
  ask(3);
  t.deepEqual(answer(), [0, 3, 28, 29, 7]);

  seat.from(2, { kind: 'fetchBatches', lane: 2, fromSeq: 0, toSeq: 0 });
  range();
  for (let seq = 0; seq < 20; seq++) ask(seq);
  t.is(seat.reads.length, 1);
  t.deepEqual(answer(), [0, 28, 29, 12, 13, 14, 15, 16, 17, 18, 19], 'the newest of too many');
});

test('I68: an answer stays within 4 MiB, and a peer within its rate', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  const megabyte = 'x'.repeat(1024 * 1024);
  const first = lab.batch(1, undefined, megabyte);
  const batches = [1, 2, 3, 4, 5].reduce(
    (made) => [...made, lab.batch(1, made.at(-1), megabyte)],
    [first],
  );
  seat.batches(batches);
  const ask = (peer: number) =>
    seqs(seat.from(peer, { kind: 'fetchBatches', lane: 1, fromSeq: 0, toSeq: 5 })).length;
  t.is(ask(2), 4);
  const served = Array.from({ length: 100 }, () => ask(2)).reduce((sum, each) => sum + each, 4);
  t.is(served, 32);
  t.is(ask(3), 4);
  seat.now += 1000;
  t.is(ask(2), 4);
});

test('I68: what is read for a peer and not found costs it as much as what is sent', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab, 3);
  const [batch] = sized(lab, undefined, 'large', 900_000, 1);
  seat.batches([batch!]);
  const after = seat.restarted();
  const reads = Array.from({ length: 200 }, (_, i) =>
    after.from(2, { kind: 'fetchBatch', lane: OWNER, seq: 0, digest: hash(`none ${i}`) }),
  ).filter((effects) => effects.some(({ kind }) => kind === 'findLog'));
  t.true(reads.length > 8 && reads.length < 50, `${reads.length} reads`);
  t.is(seqs(after.from(3, { kind: 'fetchBatches', lane: OWNER, fromSeq: 0, toSeq: 0 })).length, 1);
});
