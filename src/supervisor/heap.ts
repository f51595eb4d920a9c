/** How the garbage collector works in a node. What each line is worth, `npm run bench -- peak` shows. */
import { setFlagsFromString } from 'node:v8';
import type { ResourceLimits } from 'node:worker_threads';

/**
 * Lets a heap double before all of it is marked again.
 *
 * V8 counts the bytes that come from peers as if they were part of the heap. After an idle time, in which it
 * shrinks what the main thread's heap may be, some 30 MB of them, half a second under load, made it mark
 * everything again and again: a seventh of all CPU. The flag is read whenever a heap has been marked,
 * so to set it in a running process is early enough.
 */
export function tuneHeap(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

/** V8 takes a third of it for what is new: with room for a block's work less of it survives and is copied. */
export const ACTOR_HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 96 };
