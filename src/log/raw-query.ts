/**
 * A query that speaks the protocol itself: it writes prepared bytes and receives COPY rows as bytes,
 * where pg's own queries would decode every field to text.
 */
import type pg from 'pg';

export class RawQuery {
  readonly #messages: readonly Uint8Array[];
  readonly #onRow: ((copyData: Buffer) => void) | null;
  readonly #done: (error: Error | null) => void;
  #rowError: Error | null = null;

  /**
   * @param messages sent in one go; the last one must make the server answer ReadyForQuery.
   * @param onRow gets the content of each CopyData message, valid during the call only.
   * @param done called once; an error's `code` is the SQLSTATE or that of the socket.
   */
  constructor(
    messages: readonly Uint8Array[],
    onRow: ((copyData: Buffer) => void) | null,
    done: (error: Error | null) => void,
  ) {
    this.#messages = messages;
    this.#onRow = onRow;
    this.#done = done;
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection;
    stream.cork();
    for (const bytes of this.#messages) stream.write(bytes);
    stream.uncork();
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    if (this.#rowError !== null || this.#onRow === null) return;
    try {
      this.#onRow(message.chunk);
    } catch (error) {
      // Thrown from here it would end in the socket's parser.
      this.#rowError = error instanceof Error ? error : new Error(String(error));
    }
  }

  handleReadyForQuery(): void {
    this.#done(this.#rowError);
  }

  handleError(error: Error): void {
    this.#done(error);
  }

  handleCommandComplete(): void {}
  handleCopyInResponse(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** The Query message: one statement in text. */
function queryMessage(sql: string): Buffer {
  const bytes = Buffer.alloc(6 + Buffer.byteLength(sql));
  bytes.write('Q', 'latin1');
  bytes.writeInt32BE(bytes.length - 1, 1);
  bytes.write(sql, 5);
  return bytes;
}

/** Runs `COPY (select) TO STDOUT` in binary and hands each CopyData message to `onRow`. */
export function copyOut(
  client: pg.Client,
  select: string,
  onRow: (copyData: Buffer) => void,
): Promise<void> {
  const sql = `COPY (${select}) TO STDOUT (FORMAT binary)`;
  return new Promise((resolve, reject) => {
    client.query(
      new RawQuery([queryMessage(sql)], onRow, (error) => (error ? reject(error) : resolve())),
    );
  });
}

/** Sends messages that return no rows. */
export function send(client: pg.Client, messages: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new RawQuery(messages, null, (error) => (error ? reject(error) : resolve())));
  });
}
