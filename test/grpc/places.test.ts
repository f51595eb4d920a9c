import test from 'ava';
import { Places } from '../../src/grpc/places.ts';

const from = (address: string, port: number) => ({ address, connection: `${address}:${port}` });

test('G5: a connection has a quarter, an address three quarters, and all have all', (t) => {
  const places = new Places(16);
  const taken: number[] = [];
  for (let port = 0; port < 6; port++) {
    let count = 0;
    while (places.take(from('10.0.0.1', port))) count++;
    taken.push(count);
  }
  t.deepEqual(taken, [4, 4, 4, 0, 0, 0]);
  for (let port = 0; port < 4; port++) t.true(places.take(from('10.0.0.2', port)));
  t.false(places.take(from('10.0.0.3', 1)));
  places.give(from('10.0.0.1', 2));
  t.true(places.take(from('10.0.0.3', 1)));
});

test('G5: what is given back is there again, for the same and for others', (t) => {
  const places = new Places(4);
  for (let times = 0; times < 100; times++) {
    const callers = [1, 2, 3].map((port) => from('a', port));
    for (const caller of callers) t.true(places.take(caller));
    t.false(places.take(from('a', 4)));
    for (const caller of callers) places.give(caller);
  }
  t.true(new Places(1).take(from('a', 1)));
});
