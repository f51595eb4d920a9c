/** Calls that are answered by the stream of what became final (src/stream), each in a form of its own. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Edge } from '../edge/edge.ts';
import { Problem } from '../edge/problem.ts';
import { streamRefusal, type Start, type Wish } from '../edge/stream-wish.ts';
import type { Encoder, Item } from '../stream/item.ts';
import { CallOutlet, fail, type WatchCall } from './call-outlet.ts';
import type { Calls } from './calls.ts';
import { headOf } from './unary.ts';

/** As proto-loader decodes where to begin. */
export interface StartMessage {
  readonly start?: 'from' | 'after';
  readonly from?: number;
  readonly after?: string;
}

export function startOf({ start, from, after }: StartMessage): Start {
  if (start === 'from') return { from };
  return start === 'after' ? { after } : {};
}

export async function subscribe(
  edge: Edge,
  calls: Calls,
  call: WatchCall,
  readWish: () => Promise<Wish | Problem>,
  encoder: Encoder<Uint8Array>,
): Promise<void> {
  call.sendMetadata(headOf(edge));
  const wish = await calls.run(call.getPath(), readWish);
  if (call.cancelled) return;
  if (wish instanceof Problem) return fail(call, wish);
  const address = addressOf(call.getPeer());
  const refused = streamRefusal(edge, address);
  if (refused !== null) return fail(call, refused);
  const { streams } = edge.port;
  const outlet = new CallOutlet(call, encoder, streams.limits.outletBytesMax);
  outlet.feeds(streams.subscribe(address, { ...wish, outlet }));
}

/** Writes items as answers of `method`: once, for however many subscribers. */
export function encoderOf(
  definition: ServiceDefinition,
  method: string,
  message: (item: Item) => object,
): Encoder<Uint8Array> {
  const serialize = definition[method]!.responseSerialize as (answer: object) => Uint8Array;
  return (item) => serialize(message(item));
}

/** The same service, but the answers of `method` come encoded. */
export function encodedAnswers(definition: ServiceDefinition, method: string): ServiceDefinition {
  const responseSerialize = (bytes: Buffer): Buffer => bytes;
  return { ...definition, [method]: { ...definition[method]!, responseSerialize } };
}

/** Of `address:port`. */
function addressOf(peer: string): string {
  const end = peer.lastIndexOf(':');
  return end < 0 ? peer : peer.slice(0, end);
}
