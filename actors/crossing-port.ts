/**
 * A worker_threads port as a crossing: frames are objects, an acknowledgement is null. What arrives
 * before somebody takes frames waits, so that a thread may open its logs first.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { CrossingPort } from './actor-thread.ts';
import type { CrossingFrame } from './frame.ts';

export function crossingPort(port: MessagePort | Worker): CrossingPort {
  const early: CrossingFrame[] = [];
  let takeFrame: (frame: CrossingFrame) => void = (frame) => void early.push(frame);
  let takeAcknowledgement: () => void = () => {};
  port.on('message', (message: CrossingFrame | null) => {
    if (message === null) takeAcknowledgement();
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
    acknowledge: () => port.postMessage(null),
  };
}
