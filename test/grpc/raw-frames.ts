/** Frames of HTTP/2 by hand, many in one packet, as no client library sends them. */

const HEADERS = 1;
const SETTINGS = 4;
const GOAWAY = 7;
const END_STREAM = 1;
const END_HEADERS = 4;

/** What a client says first. */
export function preface(): Buffer {
  return Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frameOf(SETTINGS, 0, 0)]);
}

/** Opens a gRPC call of `path`, and sends no message on it. */
export function emptyCall(stream: number, path: string): Buffer {
  const fields = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const block = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.of(0), // a literal that is not indexed
    shortText(name),
    shortText(value),
  ]);
  return frameOf(HEADERS, END_HEADERS | END_STREAM, stream, Buffer.concat(block));
}

/** Without an error: the sender goes. */
export function goaway(): Buffer {
  return frameOf(GOAWAY, 0, 0, Buffer.alloc(8));
}

function frameOf(type: number, flags: number, stream: number, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

function shortText(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
}
