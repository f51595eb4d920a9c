/**
 * One end of the MessageChannel between two threads of a node. Parcels of a tick leave together in
 * one frame: msgpack in a transferred ArrayBuffer, large bodies in transferred buffers beside it.
 *
 * I18. Parcels of one flow arrive once each and in the order in which they were sent.
 * I19. Credit goes back when the receiving actor has taken an input, not when it arrived.
 */
import type { MessagePort } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import { attachBodies, bytesOf, detachBodies } from './bodies.ts';
import { InFlow, OutFlow } from './credit.ts';
import type { Receipt } from './mailbox.ts';
import { CONTROL_FLOW, flowOf, type Flow, type Parcel } from './parcel.ts';
import type { LinkCounters } from './reports.ts';

/** A frame is closed once it weighs this much; what remains goes into the next one. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** [when it was packed, credit: flow, messages, bytes …, parcels: flow, parcel …] */
type Frame = readonly [number, readonly number[], readonly unknown[]];

export interface LinkOptions {
  readonly port: MessagePort;
  /** `receipt` must be told once the parcel's actor has taken it. */
  readonly onParcel: (parcel: Parcel, receipt: Receipt) => void;
  /** A flow that had no credit, or more than that waiting, has room again. */
  readonly onRoom: (flow: Flow) => void;
  readonly onError: (error: unknown) => void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #out: OutFlow[] = [];
  readonly #outByFlow = new Map<Flow, OutFlow>();
  readonly #in = new Map<Flow, InFlow>();
  readonly #full = new Set<Flow>();
  readonly #packr = newPackr();
  readonly #unpackr = newPackr();
  #flushing = false;
  #closed = false;
  #frames = 0;
  #messages = 0;
  #crossingMs = 0;
  #crossingMsMax = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    options.port.on('message', (buffers: ArrayBuffer[]) => this.#guard(() => this.#arrived(buffers)));
  }

  send(parcel: Parcel, flow: Flow = flowOf(parcel)): void {
    if (this.#closed) return;
    const out = this.#outFlow(flow);
    out.push(parcel);
    if (!out.open) this.#full.add(flow);
    this.#flushSoon();
  }

  /** Whether a parcel sent on this flow now would leave without waiting for credit. */
  hasRoom(flow: Flow): boolean {
    const out = this.#outFlow(flow);
    if (out.open && out.outstanding.messages + out.waiting.messages < out.window.messages) {
      if (out.outstanding.bytes + out.waiting.bytes < out.window.bytes) return true;
    }
    this.#full.add(flow);
    return false;
  }

  /** What waits for credit on all flows. */
  get waiting(): { readonly messages: number; readonly bytes: number } {
    let messages = 0;
    let bytes = 0;
    for (const { waiting } of this.#out) {
      messages += waiting.messages;
      bytes += waiting.bytes;
    }
    return { messages, bytes };
  }

  /** Messages and bytes that the other thread has been sent and has not taken. */
  outstanding(flow: Flow): { readonly messages: number; readonly bytes: number } {
    return this.#outFlow(flow).outstanding;
  }

  /** Of the frames that arrived here. Resets the maximum. */
  counters(): LinkCounters {
    const crossingMsMax = this.#crossingMsMax;
    this.#crossingMsMax = 0;
    return {
      frames: this.#frames,
      messages: this.#messages,
      crossingMs: this.#crossingMs,
      crossingMsMax,
    };
  }

  /** Sends what may go, then nothing more. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#options.port.close();
  }

  #outFlow(flow: Flow): OutFlow {
    const known = this.#outByFlow.get(flow);
    if (known !== undefined) return known;
    const out = new OutFlow(flow);
    this.#outByFlow.set(flow, out);
    this.#out.push(out);
    this.#out.sort((a, b) => a.flow - b.flow);
    return out;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (!this.#closed) this.#guard(() => this.#flush());
    });
  }

  #flush(): void {
    const parcels: unknown[] = [];
    const bodies: ArrayBuffer[] = [];
    const complete = this.#collect(parcels, bodies);
    const credit = this.#credit(parcels.length > 0);
    if (parcels.length === 0 && credit.length === 0) return;
    const frame: Frame = [now(), credit, parcels];
    // The packer's own buffer is pooled: the frame gets one that can be transferred.
    const packed = new Uint8Array(this.#packr.pack(frame)).buffer;
    const buffers = [packed, ...bodies];
    this.#options.port.postMessage(buffers, buffers);
    if (!complete) this.#flushSoon();
  }

  /** Takes what credit allows, in the order of the flows; false when more could go. */
  #collect(parcels: unknown[], bodies: ArrayBuffer[]): boolean {
    let bytes = 0;
    for (const out of this.#out) {
      for (let parcel = out.next(); parcel !== null; parcel = out.next()) {
        parcels.push(out.flow, detachBodies(parcel, bodies));
        bytes += bytesOf(parcel);
        if (bytes >= FRAME_BYTES_MAX) return false;
      }
    }
    return true;
  }

  #credit(withParcels: boolean): number[] {
    const credit: number[] = [];
    for (const [flow, incoming] of this.#in) {
      if (incoming.pressing || (withParcels && incoming.owed)) credit.push(flow, ...incoming.take());
    }
    return credit;
  }

  #arrived(buffers: readonly ArrayBuffer[]): void {
    const [packed, ...bodies] = buffers as [ArrayBuffer, ...ArrayBuffer[]];
    const [sentAt, credit, parcels] = this.#unpackr.unpack(new Uint8Array(packed)) as Frame;
    this.#measure(now() - sentAt, parcels.length / 2);
    for (let at = 0; at < credit.length; at += 3) {
      this.#returned(credit[at] as Flow, credit[at + 1] as number, credit[at + 2] as number);
    }
    for (let at = 0; at < parcels.length; at += 2) {
      const parcel = attachBodies(parcels[at + 1], bodies);
      this.#options.onParcel(parcel, this.#receiptFor(parcels[at] as Flow, parcel));
    }
  }

  #measure(crossingMs: number, messages: number): void {
    this.#frames++;
    this.#messages += messages;
    this.#crossingMs += Math.max(0, crossingMs);
    this.#crossingMsMax = Math.max(this.#crossingMsMax, crossingMs);
  }

  #returned(flow: Flow, messages: number, bytes: number): void {
    const out = this.#outFlow(flow);
    out.returned(messages, bytes);
    if (out.waiting.messages > 0) this.#flushSoon();
    else if (this.#full.has(flow) && out.outstanding.messages * 2 <= out.window.messages) {
      this.#full.delete(flow);
      this.#options.onRoom(flow);
    }
  }

  #receiptFor(flow: Flow, parcel: Parcel): Receipt {
    if (flow === CONTROL_FLOW) return NO_RECEIPT;
    const bytes = bytesOf(parcel);
    return { taken: () => this.#took(flow, bytes) };
  }

  #took(flow: Flow, bytes: number): void {
    let incoming = this.#in.get(flow);
    if (incoming === undefined) this.#in.set(flow, (incoming = new InFlow(flow)));
    incoming.took(1, bytes);
    if (incoming.pressing) this.#flushSoon();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

const NO_RECEIPT: Receipt = { taken: () => {} };

/** Structures are sent once and remembered: frames of one link are read in the order of writing. */
function newPackr(): Packr {
  return new Packr({ sequential: true, copyBuffers: true, useBigIntExtension: true });
}

/** Milliseconds on the clock that all threads of a process share; `performance.now()` is not. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
