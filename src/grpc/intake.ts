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
 *
 * So an intake holds (readingMax + streamsMax) messages and, in windows that nobody reads, 64 KiB for
 * each that waits or streams: with GRPC_LIMITS and messages of 2 MiB half a GiB, whoever calls. What
 * services hold of requests under way is bounded by the node (`overloaded`).
 */
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
} from '@grpc/grpc-js';
import { Problem, unavailable } from '../edge/problem.ts';
import { problemStatus } from './problem-status.ts';

export interface GrpcLimits {
  /** Connections at once: more are closed as they come. */
  readonly connectionsMax: number;
  /** Calls at once on one connection: its client holds back more. */
  readonly callsPerConnectionMax: number;
  readonly readingMax: number;
  readonly waitingMax: number;
  /** Milliseconds from a call's turn to the end of its request. */
  readonly requestMsMax: number;
  readonly streamsMax: number;
  readonly unansweredMax: number;
}

export const GRPC_LIMITS: GrpcLimits = {
  connectionsMax: 256,
  callsPerConnectionMax: 128,
  readingMax: 64,
  waitingMax: 2_048,
  requestMsMax: 15_000,
  streamsMax: 128,
  unansweredMax: 256,
};

const RETRY_MS = 1_000;

/** A call whose one request has not arrived as a whole. */
interface Arrival {
  readonly call: ServerInterceptingCallInterface;
  /** Lets it be read. */
  readonly begin: () => void;
  deadline: NodeJS.Timeout | null;
}

export class Intake {
  readonly #limits: GrpcLimits;
  readonly #waiting = new Set<Arrival>();
  #reading = 0;
  #streams = 0;

  constructor(limits: GrpcLimits) {
    this.#limits = limits;
  }

  readonly interceptor: ServerInterceptor = ({ requestStream }, call) =>
    requestStream ? this.#stream(call) : this.#single(call);

  #single(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    let arrival: Arrival | null = null;
    const leave = (): void => {
      if (arrival !== null) this.#leave(arrival);
      arrival = null;
    };
    return listening(call, {
      onReceiveMetadata: (metadata, next) => {
        arrival = { call, begin: () => next(metadata), deadline: null };
        this.#enter(arrival);
      },
      onReceiveHalfClose: (next) => {
        leave();
        next();
      },
      // Also at the end of a call that was answered.
      onCancel: leave,
    });
  }

  #enter(arrival: Arrival): void {
    if (this.#reading < this.#limits.readingMax) this.#read(arrival);
    else if (this.#waiting.size < this.#limits.waitingMax) this.#waiting.add(arrival);
    else refuse(arrival.call, unavailable('busy', 'too many requests arrive at once', RETRY_MS));
  }

  #read(arrival: Arrival): void {
    const { requestMsMax } = this.#limits;
    this.#reading++;
    arrival.deadline = setTimeout(() => {
      const detail = `the request did not arrive in ${requestMsMax} ms`;
      refuse(arrival.call, new Problem(408, 'body_too_slow', detail));
    }, requestMsMax);
    arrival.begin();
  }

  #leave(arrival: Arrival): void {
    this.#waiting.delete(arrival);
    if (arrival.deadline === null) return;
    clearTimeout(arrival.deadline);
    this.#reading--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#read(next);
  }

  #stream(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const pace = new Pace(this.#limits.unansweredMax);
    let isOpen = false;
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, next) => {
        if (this.#streams >= this.#limits.streamsMax) {
          return refuse(call, unavailable('busy', 'too many streams are open', RETRY_MS));
        }
        isOpen = true;
        this.#streams++;
        next(metadata);
      },
      onReceiveMessage: (message, next) => pace.take(() => next(message)),
      onCancel: () => {
        if (isOpen) this.#streams--;
      },
    };
    return new PacedCall(call, listener, pace);
  }
}

/** Counts the requests of one call against its answers. */
class Pace {
  readonly #unansweredMax: number;
  #unanswered = 0;
  #held: (() => void) | null = null;

  constructor(unansweredMax: number) {
    this.#unansweredMax = unansweredMax;
  }

  /** One at a time: the next is not read before this one is delivered. */
  take(deliver: () => void): void {
    if (this.#unanswered >= this.#unansweredMax) {
      this.#held = deliver;
      return;
    }
    this.#unanswered++;
    deliver();
  }

  /** An answer has left. */
  answered(): void {
    this.#unanswered--;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.take(held);
  }
}

class PacedCall extends ServerInterceptingCall {
  readonly #pace: Pace;

  constructor(call: ServerInterceptingCallInterface, listener: ServerListener, pace: Pace) {
    super(call, { start: (next) => next(listener) });
    this.#pace = pace;
  }

  override sendMessage(message: unknown, sent: () => void): void {
    super.sendMessage(message, () => {
      this.#pace.answered();
      sent();
    });
  }
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
