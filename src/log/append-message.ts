/**
 * Everything that one append sends, in one go: a binary COPY into each table that it touches, and one
 * Sync at the end, so that the server commits all of it together and answers once.
 *
 * Small events share one buffer; bodies are sliced, not copied.
 */
import type { LogEvent } from '../../protocols/machine.ts';
import { EVENT_COLUMNS, KEY_BYTES, PART_BYTES, writeEventRow } from './event-row.ts';
import { bindExecute, COPY_HEADER_BYTES, parseMessage, SYNC, WireWriter } from './wire.ts';

const EVENT = bindExecute('append_event');
const KEY = bindExecute('append_key');
const BODY = bindExecute('append_body');

/** Prepares the statements that appends use, once per connection. */
export const PREPARE: readonly Uint8Array[] = [
  parseMessage('append_event', `COPY althing.event (${EVENT_COLUMNS}) FROM STDIN (FORMAT binary)`),
  parseMessage(
    'append_key',
    'COPY althing.event_key (prefix, seq, stream) FROM STDIN (FORMAT binary)',
  ),
  parseMessage(
    'append_body',
    'COPY althing.event_body (stream, seq, part, data) FROM STDIN (FORMAT binary)',
  ),
  SYNC,
];

/** The end of a stream. */
export interface Head {
  readonly streamId: number;
  /** −1 when the stream is empty. */
  readonly seq: number;
  readonly hash: Buffer;
}

export interface AppendMessage {
  readonly bytes: readonly Uint8Array[];
  /** The heads that the append leaves behind, by stream. */
  readonly heads: ReadonlyMap<string, Head>;
}

/** @param headOf the present head of a stream; every event must follow on its own. */
export function buildAppend(
  events: readonly LogEvent[],
  headOf: (stream: string) => Head,
): AppendMessage {
  const writer = new WireWriter(sizeHint(events));
  const heads = writeEvents(writer, events, headOf);
  const idOf = (stream: string): number => heads.get(stream)!.streamId;
  if (events.some((event) => event.keys !== undefined && event.keys.length > 0)) {
    writeKeyRows(writer, events, idOf);
  }
  if (!events.some((event) => event.body !== undefined && event.body.length > 0)) {
    writer.raw(SYNC);
    return { bytes: [writer.view()], heads };
  }
  writer.raw(BODY);
  return { bytes: [writer.view(), ...bodyMessages(events, idOf)], heads };
}

function sizeHint(events: readonly LogEvent[]): number {
  let size = 256;
  for (const event of events) {
    size += 160 + event.header.length + (event.keys?.length ?? 0) * (KEY_BYTES + 40);
  }
  return size;
}

function writeEvents(
  writer: WireWriter,
  events: readonly LogEvent[],
  headOf: (stream: string) => Head,
): Map<string, Head> {
  const heads = new Map<string, Head>();
  writer.raw(EVENT);
  writer.beginCopyData(true);
  for (const event of events) {
    const { streamId, hash } = heads.get(event.stream) ?? headOf(event.stream);
    const next = writeEventRow(writer, event, streamId, hash);
    heads.set(event.stream, { streamId, seq: event.seq, hash: next });
  }
  writer.endMessage();
  writer.copyEnd();
  return heads;
}

const PREFIX_HEX = 16;

function writeKeyRows(
  writer: WireWriter,
  events: readonly LogEvent[],
  idOf: (stream: string) => number,
): void {
  writer.raw(KEY);
  writer.beginCopyData(true);
  for (const event of events) {
    for (const key of event.keys ?? []) {
      writer.i16(3);
      writer.i32(8);
      writer.hex(key.slice(0, PREFIX_HEX));
      writer.fieldU53(event.seq);
      writer.fieldI16(idOf(event.stream));
    }
  }
  writer.endMessage();
  writer.copyEnd();
}

/** CopyData header, and a row's fields up to the length of its data. */
const ROW_HEAD_BYTES = 5 + 2 + 6 + 12 + 8 + 4;

function bodyMessages(events: readonly LogEvent[], idOf: (stream: string) => number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let first = true;
  for (const event of events) {
    const { body, seq } = event;
    if (body === undefined) continue;
    const parts = Math.ceil(body.length / PART_BYTES);
    const heads = new WireWriter(parts * ROW_HEAD_BYTES + COPY_HEADER_BYTES);
    for (let part = 0; part < parts; part++) {
      const data = body.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      const start = heads.length;
      writeBodyHead(heads, first, idOf(event.stream), seq, part + 1, data.length);
      messages.push(heads.view(start), data);
      first = false;
    }
  }
  const end = new WireWriter(32);
  end.copyEnd();
  end.raw(SYNC);
  messages.push(end.view());
  return messages;
}

function writeBodyHead(
  writer: WireWriter,
  first: boolean,
  streamId: number,
  seq: number,
  part: number,
  bytes: number,
): void {
  writer.beginCopyData(first);
  writer.i16(4);
  writer.fieldI16(streamId);
  writer.fieldU53(seq);
  writer.fieldI32(part);
  writer.i32(bytes);
  writer.endMessage(bytes);
}
