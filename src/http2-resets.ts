/**
 * Node 20 corrupts its memory when a stream of HTTP/2 is reset while its session reads: it sends at once,
 * and so frees what it is still reading (nodejs/node#64113). One packet of any client makes it do that,
 * such as a GOAWAY and a request. So resets wait here for a turn of their own. A stream that is gone by
 * then, because it was refused or its session ended, needs none.
 *
 * It happens below what Node shows, hence the detour to the prototype.
 */
import { connect } from 'node:http2';
import { Duplex } from 'node:stream';

interface StreamHandle {
  rstStream: (this: StreamHandle, code: number) => void;
  destroy: (this: StreamHandle) => void;
}

let deferred = false;

/** Before this thread speaks HTTP/2; once is enough. To be dropped with Node 20. */
export function deferResets(): void {
  if (deferred) return;
  deferred = true;
  const handles = prototypeOfHandles();
  const { rstStream, destroy } = handles;
  const waiting = new Set<StreamHandle>();
  handles.rstStream = function (this: StreamHandle, code: number): void {
    waiting.add(this);
    setImmediate(() => {
      if (waiting.delete(this)) rstStream.call(this, code);
    });
  };
  handles.destroy = function (this: StreamHandle): void {
    waiting.delete(this);
    destroy.call(this);
  };
}

function prototypeOfHandles(): StreamHandle {
  const nowhere = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const session = connect('http://localhost', { createConnection: () => nowhere });
  const stream = session.request();
  const key = Object.getOwnPropertySymbols(stream).find(
    ({ description }) => description === 'kHandle',
  );
  const handle = (stream as unknown as Record<symbol, object>)[key!];
  stream.on('error', () => undefined);
  session.destroy();
  return Object.getPrototypeOf(handle) as StreamHandle;
}
