/** althing.v1.Stream: the stream of src/stream in protobuf's clothes. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Edge } from '../edge/edge.ts';
import { Problem } from '../edge/problem.ts';
import { filterOf, placeOf, type Wish } from '../edge/stream-wish.ts';
import type { Item } from '../stream/item.ts';
import type { WatchCall } from './call-outlet.ts';
import type { Calls } from './calls.ts';
import type { Service } from './service.ts';
import { toProtoValue } from './struct-values.ts';
import { encodedAnswers, encoderOf, startOf, subscribe, type StartMessage } from './subscribe.ts';

interface SubscribeMessage extends StartMessage {
  readonly blocks: boolean;
  readonly transactions: boolean;
  readonly withoutEvents: boolean;
  readonly modules: readonly string[];
  readonly topics: readonly string[];
}

export function streamService(edge: Edge, calls: Calls, definition: ServiceDefinition): Service {
  const encoder = encoderOf(definition, 'Subscribe', messageOf);
  return {
    name: 'althing.v1.Stream',
    definition: encodedAnswers(definition, 'Subscribe'),
    implementation: {
      Subscribe: (call: WatchCall<SubscribeMessage>) =>
        void subscribe(edge, calls, call, () => wishOf(edge, call.request), encoder),
    },
  };
}

async function wishOf(edge: Edge, asked: SubscribeMessage): Promise<Wish | Problem> {
  const { blocks, transactions, withoutEvents, modules, topics } = asked;
  const wanted = { blocks, transactions, events: !withoutEvents, modules, topics };
  const filter = filterOf(edge.catalog, wanted);
  if (filter instanceof Problem) return filter;
  const from = await placeOf(edge, startOf(asked));
  return from instanceof Problem ? from : { from, filter };
}

/** Members of an item, as src/stream/parts.ts names them. */
interface Told {
  readonly id: string;
  readonly kind: string;
  readonly height: number;
  readonly time?: string;
  readonly status?: 'ok' | 'failed';
  readonly result?: unknown;
  readonly data?: unknown;
}

function messageOf({ value }: Item): object {
  const { id, kind, height, time, ...said } = value as Told;
  return { id, height, time, [kind]: saidAs(kind, said) };
}

/** The names of its other members are those of fields. */
function saidAs(kind: string, said: Pick<Told, 'status' | 'result' | 'data'>): object {
  if (kind === 'event') return { ...said, data: toProtoValue(said.data) };
  if (kind !== 'transaction') return said;
  return {
    ...said,
    status: said.status === 'ok' ? 'STATUS_OK' : 'STATUS_FAILED',
    ...(said.result === undefined ? {} : { result: toProtoValue(said.result) }),
  };
}
