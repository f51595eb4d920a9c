/**
 * Which frames of one port its actors have taken, all of them, so that the sender may have its credit
 * back: oldest first, as the sender counts them.
 */
import type { Receipt } from './mailbox.ts';

export class FramesTaken {
  readonly #acknowledge: () => void;
  #frames: FrameReceipt[] = [];

  constructor(acknowledge: () => void) {
    this.#acknowledge = acknowledge;
  }

  /** A frame arrived. Every input that it brings is `expected` now and `taken` once. */
  arrived(): FrameReceipt {
    const frame = new FrameReceipt(() => this.#completed());
    this.#frames.push(frame);
    return frame;
  }

  #completed(): void {
    while (this.#frames[0]?.isTaken === true) {
      this.#frames.shift();
      this.#acknowledge();
    }
  }
}

export class FrameReceipt implements Receipt {
  readonly #completed: () => void;
  /** The frame counts as one input of its own until all of it was delivered. */
  #left = 1;

  constructor(completed: () => void) {
    this.#completed = completed;
  }

  get isTaken(): boolean {
    return this.#left === 0;
  }

  expected(): void {
    this.#left++;
  }

  taken(): void {
    this.#left--;
    if (this.#left === 0) this.#completed();
  }
}
