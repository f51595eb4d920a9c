/** Work ahead of whoever takes its results: bounded, in order, and whole. */
import test from 'ava';
import { ahead } from '../../src/client/ahead.ts';

async function* numbers(count: number, taken: number[]): AsyncGenerator<number, void, undefined> {
  for (let each = 0; each < count; each++) {
    taken.push(each);
    yield await Promise.resolve(each);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('X3: no more is worked on, or taken, than the bound', async (t) => {
  const taken: number[] = [];
  const release: (() => void)[] = [];
  const work = (item: number): Promise<number> =>
    new Promise((resolve) => release.push(() => resolve(item)));
  const results = ahead(numbers(100, taken), work, 4);
  const first = results.next();
  for (let each = 0; each < 50; each++) await turn();
  t.is(release.length, 4);
  t.true(taken.length <= 5);
  release.shift()!();
  t.is((await first).value, 0);
  await results.return();
});

test('results come in the order of their items, also those that were begun when the source ended', async (t) => {
  // The first takes longest, and the source is over before it.
  const work = async (item: number): Promise<number> => {
    for (let each = item; each < 20; each++) await turn();
    return item;
  };
  const all: number[] = [];
  for await (const each of ahead(numbers(6, []), work, 8)) all.push(each);
  t.deepEqual(all, [0, 1, 2, 3, 4, 5]);
});

test('what a source throws comes after what it gave', async (t) => {
  async function* breaking(): AsyncGenerator<number, void, undefined> {
    yield* numbers(3, []);
    throw new Error('broken');
  }
  const all: number[] = [];
  const read = async (): Promise<void> => {
    for await (const each of ahead(breaking(), (item) => turn().then(() => item), 8)) {
      all.push(each);
    }
  };
  await t.throwsAsync(read(), { message: 'broken' });
  t.deepEqual(all, [0, 1, 2]);
});
