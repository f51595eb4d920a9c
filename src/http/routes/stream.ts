/**
 * The stream over HTTP: Server-Sent Events, or a WebSocket where the client asks for one.
 *
 * H10. A WebSocket is not opened for a page of another origin: browsers keep such pages from reading
 *      answers of this node, but not from reading WebSockets.
 */
import type { Edge } from '../../edge/edge.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { streamRefusal, type Wish } from '../../edge/stream-wish.ts';
import type { Outlet } from '../../stream/subscription.ts';
import type { Channel } from '../channel.ts';
import { asksForSocket, type Exchange, type Header } from '../exchange.ts';
import { accepts } from '../negotiation.ts';
import { Takeover, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';
import { EventOutlet, Pings, SocketOutlet, SUBPROTOCOLS } from '../stream-outlets.ts';
import { readWish } from '../stream-wish.ts';
import { EVENTS_TYPE, STREAM } from './stream-operation.ts';

const EVENT_HEADERS: readonly Header[] = [
  ['content-type', EVENTS_TYPE],
  ['cache-control', 'no-store'],
  // Proxies that hold answers back until they are whole would hold this one for ever.
  ['x-accel-buffering', 'no'],
];

export function streamRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/stream',
      operation: STREAM,
      handle: (request) => openStream(edge, request),
    },
  ];
}

async function openStream(edge: Edge, request: Request): Promise<Reply | Problem | Takeover> {
  const isSocket = asksForSocket(request.headers);
  const refused = isSocket ? socketProblem(request) : eventProblem(request);
  if (refused !== null) return refused;
  const wish = await readWish(edge, request);
  if (wish instanceof Problem) return wish;
  if (request.method === 'HEAD') {
    return { status: 200, body: '', contentType: '', headers: EVENT_HEADERS };
  }
  return isSocket ? overSocket(edge, request, wish) : asEvents(edge, wish);
}

function asEvents(edge: Edge, wish: Wish): Takeover {
  return new Takeover(200, (exchange, common) => {
    const refused = streamRefusal(edge, exchange.address);
    if (refused !== null) return refused;
    const channel = exchange.replyOpen({ status: 200, headers: [...EVENT_HEADERS, ...common] });
    if (channel !== null) subscribe(edge, exchange, wish, channel, new EventOutlet(channel), null);
    return null;
  });
}

function overSocket(edge: Edge, request: Request, wish: Wish): Takeover {
  const offered = request.headers.get('sec-websocket-protocol');
  const names = offered?.split(',').map((name) => name.trim());
  const protocol = names?.find((name) => SUBPROTOCOLS.has(name)) ?? null;
  const encoder = SUBPROTOCOLS.get(protocol ?? 'althing.v1.json')!;
  return new Takeover(101, (exchange, headers) => {
    const refused = streamRefusal(edge, exchange.address);
    if (refused !== null) return refused;
    if (!exchange.isHandshake) return notAHandshake();
    const channel = exchange.upgrade({ headers, protocol });
    if (channel === null) return null;
    const outlet = new SocketOutlet(channel, encoder);
    subscribe(edge, exchange, wish, channel, outlet, new Pings(channel, encoder));
    return null;
  });
}

function subscribe(
  edge: Edge,
  { address }: Exchange,
  wish: Wish,
  channel: Channel,
  outlet: Outlet,
  pings: Pings | null,
): void {
  const subscribed = edge.port.streams.subscribe(address, { ...wish, outlet });
  channel.on({
    drained: () => subscribed.resume(),
    closed: () => subscribed.end(),
    message: (data, isText) => pings?.take(data, isText),
  });
}

function eventProblem({ headers }: Request): Problem | null {
  if (accepts(headers.get('accept'), EVENTS_TYPE)) return null;
  const detail = `offered are ${EVENTS_TYPE}, and a WebSocket`;
  return new Problem(406, 'not_acceptable', detail, { field: 'Accept' });
}

function socketProblem({ headers }: Request): Problem | null {
  if (headers.get('sec-websocket-version') !== '13') {
    return new Problem(426, 'upgrade_required', 'version 13 of WebSockets is spoken here', {
      field: 'Sec-WebSocket-Version',
      headers: [
        ['upgrade', 'websocket'],
        ['sec-websocket-version', '13'],
      ],
    });
  }
  const offered = headers.get('sec-websocket-protocol');
  if (offered !== undefined && !offered.split(',').some((name) => SUBPROTOCOLS.has(name.trim()))) {
    const known = [...SUBPROTOCOLS.keys()].join(', ');
    return malformed(`offer one of ${known}, or none`, 'Sec-WebSocket-Protocol');
  }
  return originProblem(headers);
}

/** Programs other than browsers send no `Origin`. */
function originProblem(headers: ReadonlyMap<string, string>): Problem | null {
  const origin = headers.get('origin');
  const host = headers.get('host')?.toLowerCase();
  if (origin === undefined) return null;
  if (URL.canParse(origin) && new URL(origin).host === host) return null;
  const detail = 'pages of other origins may not open a WebSocket here';
  return new Problem(403, 'foreign_origin', detail, { field: 'Origin' });
}

function notAHandshake(): Problem {
  return malformed('not the handshake of a WebSocket: 16 bytes in base64', 'Sec-WebSocket-Key');
}
