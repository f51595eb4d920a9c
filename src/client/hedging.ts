/**
 * Node after node, without waiting long for one that is silent: it may be frozen, while others would answer
 * at once.
 *
 * X11. A node that is silent delays an answer by most of a second, however long its attempt may last: the next is
 *      asked as well, and the first is not given up. So several nodes may do the same at once: it is for
 *      reads, and for what is signed and so executes once (X1). Where the next one's answers take long of late,
 *      since nodes have much to do, it is asked later, and each further one twice as late: more work would not
 *      help them. What counts is the next one's pace, or a slow node would win time by being slow; and two
 *      seconds is the most.
 * X12. A node that refuses what is sent for now, and says for how long (Retry-After), is not sent it again
 *      before, within a bound.
 */
import type { Method, Nodes } from './nodes.ts';
import { pause, pauseMs } from './waiting.ts';

export interface Ended<T> {
  readonly node: number;
  readonly result: T;
  /** It took so long. */
  readonly ms: number;
}

/** Longer than what answers takes: that the next checkpoint certifies what was asked for. */
const SILENCE_MS = 800;
const SILENCE_MS_MAX = 2_000;
/** Times what answers of the next one take of late. */
const SILENCE_FACTOR = 4;

/** After which the next node is asked, when so many that were asked before it are silent. */
export function silenceMs(usualMs: number, silent: number): number {
  const first = Math.max(SILENCE_MS, SILENCE_FACTOR * usualMs);
  return Math.min(SILENCE_MS_MAX, first * 2 ** silent);
}

/**
 * What `attempt` ends with at one node and another, as it comes, until the signal or until nobody reads on:
 * then those that are under way are aborted. After all were tried they are tried again, with growing pauses.
 */
export async function* attempts<T>(
  nodes: Nodes,
  method: Method,
  signal: AbortSignal,
  attempt: (node: number, signal: AbortSignal) => Promise<T>,
): AsyncGenerator<Ended<T>, void, undefined> {
  const ends = new AbortController();
  const end = (): void => ends.abort();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const pending = new Map<number, Attempt<T>>();
  const order = nodes.order();
  try {
    for (let round = 0; !ends.signal.aborted; round++) {
      for (const [at, node] of order.entries()) {
        if (pending.has(node) || nodes.restMs(node, method) > 0) continue;
        const next = order.slice(at + 1).find((each) => !pending.has(each)) ?? node;
        const silentMs = silenceMs(nodes.usualMs(next, method), pending.size);
        pending.set(
          node,
          begin(node, () => attempt(node, ends.signal)),
        );
        yield* endedWithin(silentMs, pending, ends.signal, () => !pending.has(node));
        if (ends.signal.aborted) return;
        if (pending.has(node)) nodes.distrust(node);
      }
      const restMs = Math.min(...order.map((node) => nodes.restMs(node, method)));
      yield* endedWithin(Math.max(pauseMs(round), restMs), pending, ends.signal, () => false);
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
    const now = performance.now();
    for (const [node, { begun }] of pending) nodes.takesAtLeast(node, method, now - begun);
  }
}

interface Attempt<T> {
  /** On the clock of `performance`. */
  readonly begun: number;
  readonly ended: Promise<Ended<T>>;
}

function begin<T>(node: number, attempt: () => Promise<T>): Attempt<T> {
  const begun = performance.now();
  const ended = attempt().then((result) => ({ node, result, ms: performance.now() - begun }));
  // One that fails when another was enough has nobody who waits for it.
  ended.catch(() => undefined);
  return { begun, ended };
}

/** What ends within `ms`, unless it `isOver` before. */
async function* endedWithin<T>(
  ms: number,
  pending: Map<number, Attempt<T>>,
  signal: AbortSignal,
  isOver: () => boolean,
): AsyncGenerator<Ended<T>, void, undefined> {
  // Of its own, so that no timer waits on when this is over.
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const time = pause(ms, over.signal).then(() => null);
  try {
    while (!isOver()) {
      const answers = [...pending.values()].map((each) => each.ended);
      const ended = await Promise.race([time, ...answers]);
      if (ended === null) return;
      pending.delete(ended.node);
      yield ended;
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/**
 * Asks all nodes at the same time, each until it tells, and resolves when they are enough, when all have told,
 * or when the signal ends. `question` gives undefined where the node is to be asked again.
 */
export async function askAll<T>(
  nodes: Nodes,
  signal: AbortSignal,
  question: (node: number, signal: AbortSignal) => Promise<T | undefined>,
  areEnough: (told: ReadonlyMap<number, T>) => boolean,
): Promise<ReadonlyMap<number, T>> {
  const told = new Map<number, T>();
  const done = new AbortController();
  const end = (): void => done.abort();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const askOne = async (node: number): Promise<void> => {
    for (let round = 0; !done.signal.aborted; round++) {
      const answer = await question(node, done.signal);
      if (done.signal.aborted) return;
      if (answer === undefined) {
        await pause(pauseMs(round), done.signal);
        continue;
      }
      told.set(node, answer);
      if (areEnough(told)) end();
      return;
    }
  };
  try {
    await Promise.all(nodes.urls.map((_, node) => askOne(node)));
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
  return told;
}
