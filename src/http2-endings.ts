/**
 * Node 20 corrupts its memory when a session of HTTP/2 ends while it reads: it sends the resets of its
 * streams at once, and so frees what it is still reading (nodejs/node#64113). One packet of any client makes
 * it do that, such as a GOAWAY and a request behind it. So in every session of the process — grpc-js shows
 * those of its clients to nobody —
 *
 * - `destroy()` waits for a turn of its own;
 * - `close()` says GOAWAY, after which nghttp2 ignores what is opened, and Node need not refuse it;
 * - a client's session closes when that is on its way, a server's when its client ends the connection, or
 *   the server that stops.
 */
import { connect, constants, type Http2Session } from 'node:http2';
import { Duplex } from 'node:stream';

let mended = false;

/** Before the process speaks HTTP/2; once is enough. To be dropped with Node 20. */
export function endSessionsInTurn(): void {
  if (mended) return;
  mended = true;
  const sessions = prototypeOfSessions();
  const { close, destroy } = sessions;
  sessions.destroy = function (...reason) {
    setImmediate(() => destroy.apply(this, reason));
  };
  sessions.close = function (closed) {
    if (this.destroyed || this.socket.destroyed) return close.call(this, closed);
    if (closed !== undefined) this.once('close', closed);
    this.goaway();
    if (this.type === constants.NGHTTP2_SESSION_SERVER) return;
    // What is said in one turn is on its way after the next.
    setImmediate(() => setImmediate(() => close.call(this)));
  };
}

type Endings = {
  [Name in 'close' | 'destroy']: (
    this: Http2Session,
    ...args: Parameters<Http2Session[Name]>
  ) => void;
};

/** Node has no name for it: it is the parent of the prototype of a client's sessions. */
function prototypeOfSessions(): Endings {
  const nowhere = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const session = connect('http://localhost', { createConnection: () => nowhere });
  session.destroy();
  return Object.getPrototypeOf(Object.getPrototypeOf(session)) as Endings;
}
