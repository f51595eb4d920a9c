/**
 * A worker_threads port as a crossing: frames are objects, acknowledgements are counts. What arrives
 * before somebody takes frames waits, so that a thread may open its logs first.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { CrossingPort } from './actor-thread.ts';
import type { CrossingFrame } from './frame.ts';

export function crossingPort(port: MessagePort | Worker): CrossingPort {
  const early: CrossingFrame[] = [];
  let takeFrame: (frame: CrossingFrame) => void = (frame) => void early.push(frame);
  let takeAcknowledgement: (frames: number) => void = () => {};
  let taken = 0;
  port.on('message', (message: CrossingFrame | number) => {
    if (typeof message === 'number') takeAcknowledgement(message);
    else takeFrame(message);
  });
  return {
    postMessage: (frame, transfer) => port.postMessage(frame, transfer),
    onFrame: (take) => {
      takeFrame = take;
      for (const frame of early.splice(0)) take(frame);
    },
    onAcknowledged: (take) => {
      takeAcknowledgement = take;
    },
    acknowledge: () => {
      taken++;
      if (taken > 1) return;
      setImmediate(() => {
        port.postMessage(taken);
        taken = 0;
      });
    },
  };
}
