/** Work on what comes next while what came first is not done. */

/**
 * `work` of every item, in their order, of at most `max` at the same time: nothing more is taken from the
 * source than is worked on. `work` must not reject.
 */
export async function* ahead<Item, Done>(
  source: AsyncGenerator<Item, void, undefined>,
  work: (item: Item) => Promise<Done>,
  max: number,
): AsyncGenerator<Done, void, undefined> {
  const working: Promise<Done>[] = [];
  let next = taking(source);
  try {
    for (;;) {
      const [first] = working;
      const isFull = working.length >= max;
      if (first === undefined || !isFull) {
        const came = await Promise.race([
          next,
          ...(first === undefined ? [] : [first.then(() => null)]),
        ]);
        if (came !== null && 'item' in came) {
          working.push(work(came.item));
          next = taking(source);
          continue;
        }
        if (came !== null) {
          for (const each of working) yield await each;
          if ('error' in came) throw came.error;
          return;
        }
      }
      yield await working.shift()!;
    }
  } finally {
    // Not awaited: it waits for what is being taken, which may never come.
    source.return().catch(() => undefined);
  }
}

type Came<Item> = { readonly item: Item } | { readonly error: unknown } | { readonly isOver: true };

/** Never rejects, for nobody may be waiting when it fails. */
async function taking<Item>(source: AsyncGenerator<Item, void, undefined>): Promise<Came<Item>> {
  try {
    const { done, value } = await source.next();
    return done === true ? { isOver: true } : { item: value };
  } catch (error) {
    return { error };
  }
}
