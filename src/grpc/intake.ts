/**
 * How calls come in: what clients may make this port hold before a service has seen it. grpc-js reads
 * a message as a whole and knows no bound but its length, so this interceptor lets calls read in turn.
 *
 * G3. Of calls with one request at most `readingMax` are read at once, each for `requestMsMax`; at most
 *     `waitingMax` more wait, unread, and whoever comes then is told to come back.
 * G4. Of calls with a stream of requests at most `streamsMax` are open, and of each at most
 *     `unansweredMax` requests are with its service whose answers the client has not taken: the next
 *     one waits here, and HTTP/2 flow control pushes back to the client. Such a service answers each
 *     request with one message.
 * G7. A stream on which no request comes and no answer leaves for `idleMsMax` is ended, and where the
 *     client does not even read that, its connection.
 * G8. Of calls with one request and a stream of answers at most `watchersMax` are open; one that has
 *     ended is until all was taken that came before its end. Whoever takes no answer to a call with one
 *     request for `unreadMsMax` loses the connection.
 *
 * All these places are shared out as places.ts says (G5). Health and reflection have an intake of their
 * own, so that who looks whether a node is well is not told that its users are many.
 *
 * So an intake holds (readingMax + streamsMax) messages and, in windows that nobody reads, 64 KiB for
 * each that waits or streams: both together, with messages of 2 MiB, some 600 MiB, whoever calls. What
 * services hold of requests under way is bounded by the node (`overloaded`).
 */
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
} from '@grpc/grpc-js';
import { Problem, unavailable } from '../edge/problem.ts';
import type { IntakeLimits } from './limits.ts';
import { Idle, Pace, PacedCall, ReadCall, Unread } from './pace.ts';
import { originOf, Places, type Origin } from './places.ts';
import { problemStatus } from './problem-status.ts';
import { Undecodable, undecodable } from './undecodable.ts';

const RETRY_MS = 1_000;

/** A call whose one request has not arrived as a whole. */
interface Arrival {
  readonly origin: Origin;
  readonly call: ServerInterceptingCallInterface;
  /** Lets it be read. */
  readonly begin: () => void;
  deadline: NodeJS.Timeout | null;
}

export class Intake {
  readonly #limits: IntakeLimits;
  readonly #waiting = new Set<Arrival>();
  readonly #waitingPlaces: Places;
  readonly #reading: Places;
  readonly #streams: Places;
  readonly #watchers: Places;
  readonly #cut: (connection: string) => void;

  /** @param cut ends the connection that `Origin` names so */
  constructor(limits: IntakeLimits, cut: (connection: string) => void) {
    this.#limits = limits;
    this.#cut = cut;
    this.#waitingPlaces = new Places(limits.waitingMax);
    this.#reading = new Places(limits.readingMax);
    this.#streams = new Places(limits.streamsMax);
    this.#watchers = new Places(limits.watchersMax);
  }

  readonly interceptor: ServerInterceptor = ({ requestStream, responseStream }, call) =>
    requestStream ? this.#stream(call) : this.#single(call, responseStream);

  #single(call: ServerInterceptingCallInterface, isWatch: boolean): ServerInterceptingCall {
    const origin = originOf(call);
    const unread = new Unread(this.#limits.unreadMsMax, () => this.#cut(origin.connection));
    let arrival: Arrival | null = null;
    let hasPlace = false;
    const leave = (): void => {
      if (arrival !== null) this.#leave(arrival);
      arrival = null;
    };
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, next) => {
        hasPlace = isWatch && this.#watchers.take(origin);
        if (isWatch && !hasPlace) return refuse(call, tooManyStreams());
        arrival = { call, origin, begin: () => next(metadata), deadline: null };
        this.#enter(arrival);
      },
      onReceiveMessage: (message, next) => {
        if (message instanceof Undecodable) refuse(call, undecodable());
        else next(message);
      },
      onReceiveHalfClose: (next) => {
        leave();
        next();
      },
      // Also at the end of a call that was answered, when the client has read it.
      onCancel: () => {
        leave();
        unread.over();
        if (hasPlace) this.#watchers.give(origin);
      },
    };
    return new ReadCall(call, listener, unread);
  }

  #enter(arrival: Arrival): void {
    if (this.#reading.take(arrival.origin)) this.#read(arrival);
    else if (this.#waitingPlaces.take(arrival.origin)) this.#waiting.add(arrival);
    else refuse(arrival.call, unavailable('busy', 'too many requests arrive at once', RETRY_MS));
  }

  #read(arrival: Arrival): void {
    const { requestMsMax } = this.#limits;
    arrival.deadline = setTimeout(() => {
      const detail = `the request did not arrive in ${requestMsMax} ms`;
      refuse(arrival.call, new Problem(408, 'body_too_slow', detail));
    }, requestMsMax);
    arrival.begin();
  }

  #leave(arrival: Arrival): void {
    if (this.#waiting.delete(arrival)) this.#waitingPlaces.give(arrival.origin);
    if (arrival.deadline === null) return;
    clearTimeout(arrival.deadline);
    this.#reading.give(arrival.origin);
    this.#readNext();
  }

  /** The first that waits and is not at the bound of its share. */
  #readNext(): void {
    for (const next of this.#waiting) {
      if (!this.#reading.take(next.origin)) continue;
      this.#waiting.delete(next);
      this.#waitingPlaces.give(next.origin);
      return this.#read(next);
    }
  }

  #stream(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const origin = originOf(call);
    const pace = new Pace(this.#limits.unansweredMax);
    let idle: Idle | null = null;
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, next) => {
        if (!this.#streams.take(origin)) {
          return refuse(call, tooManyStreams());
        }
        idle = this.#watch(call, origin);
        next(metadata);
      },
      onReceiveMessage: (message, next) => {
        if (message instanceof Undecodable) refuse(call, undecodable());
        else pace.take(() => next(message));
        idle?.moved();
      },
      onCancel: () => {
        if (idle === null) return;
        idle.end();
        this.#streams.give(origin);
      },
    };
    return new PacedCall(call, listener, () => {
      pace.answered();
      idle?.moved();
    });
  }

  #watch(call: ServerInterceptingCallInterface, { connection }: Origin): Idle {
    const { idleMsMax } = this.#limits;
    const detail = `nothing moved on the stream for ${idleMsMax} ms: open another when there is need`;
    return new Idle(
      idleMsMax,
      () => refuse(call, new Problem(408, 'stream_idle', detail)),
      () => this.#cut(connection),
    );
  }
}

function tooManyStreams(): Problem {
  return unavailable('busy', 'too many streams are open', RETRY_MS);
}

/** For calls to a name that is not this machine's: see dev-host.ts. */
export function hostsOnly(hostProblem: (host: string) => Problem | null): ServerInterceptor {
  return (_, call) => {
    const problem = hostProblem(call.getHost());
    if (problem === null) return listening(call, {});
    return listening(call, { onReceiveMetadata: () => refuse(call, problem) });
  };
}

function listening(
  call: ServerInterceptingCallInterface,
  listener: ServerListener,
): ServerInterceptingCall {
  return new ServerInterceptingCall(call, { start: (next) => next(listener) });
}

function refuse(call: ServerInterceptingCallInterface, problem: Problem): void {
  call.sendStatus(problemStatus(problem));
}
