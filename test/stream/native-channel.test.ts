/** How much of a body uWebSockets.js still holds, where it does not say. */
import test from 'ava';
import type { HttpResponse } from 'uWebSockets.js';
import { BodyChannel } from '../../src/http/native-channels.ts';

/** Takes what is short for sent even behind what it keeps, as the real one does. */
class FakeResponse {
  isFull = false;
  #writable: () => boolean = () => true;

  onWritable(handler: () => boolean): void {
    this.#writable = handler;
  }

  cork(work: () => void): void {
    work();
  }

  writeStatus(): void {}
  writeHeader(): void {}

  write(piece: string): boolean {
    return !this.isFull || (piece.length < 10 && piece !== '\n');
  }

  writable(): void {
    this.#writable();
  }
}

test('what keeps the line open is no progress of a client that takes nothing', (t) => {
  const response = new FakeResponse();
  const head = { status: 200, headers: [] };
  const channel = new BodyChannel(response as unknown as HttpResponse, '200 OK', head);
  let drained = 0;
  channel.on({ drained: () => drained++, message() {}, closed() {} });
  channel.send(['first piece']);
  t.is(channel.waitingBytes(), 0);
  response.isFull = true;
  channel.send(['second piece']);
  const taken = channel.takenBytes();
  channel.send([':\n\n']);
  t.is(channel.takenBytes(), taken);
  t.is(channel.waitingBytes(), 'second piece'.length + 3);
  // It takes something, and not all.
  response.writable();
  t.true(channel.takenBytes() > taken);
  t.true(channel.waitingBytes() > 0);
  t.is(drained, 0);
  response.isFull = false;
  response.writable();
  t.is(channel.waitingBytes(), 0);
  t.is(drained, 1);
});
