/** A worker_threads MessagePort as a crossing: frames are objects, an acknowledgement is null. */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { CrossingPort } from './actor-thread.ts';
import type { CrossingFrame } from './frame.ts';

export function crossingPort(port: MessagePort | Worker): CrossingPort {
  let takeFrame: (frame: CrossingFrame) => void = () => {};
  let takeAcknowledgement: () => void = () => {};
  port.on('message', (message: CrossingFrame | null) => {
    if (message === null) takeAcknowledgement();
    else takeFrame(message);
  });
  return {
    postMessage: (frame, transfer) => port.postMessage(frame, transfer),
    onFrame: (take) => {
      takeFrame = take;
    },
    onAcknowledged: (take) => {
      takeAcknowledgement = take;
    },
    acknowledge: () => port.postMessage(null),
  };
}
