/**
 * althing.v1.Voting: what voters need of the module `voting`, wherever it runs: its commands and its
 * query with their messages, and its events out of the stream.
 */
import type { sendUnaryData, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import type { Edge } from '../edge/edge.ts';
import { malformed, Problem, unprocessable } from '../edge/problem.ts';
import { filterOf, namesProblem, placeOf, type Wish } from '../edge/stream-wish.ts';
import type { DefinedModule } from '../modules/define.ts';
import { EVERY_EVENT } from '../stream/filter.ts';
import type { Item } from '../stream/item.ts';
import type { WatchCall } from './call-outlet.ts';
import type { Calls } from './calls.ts';
import { eventMessage } from './modules/conversion.ts';
import { shapeOf } from './modules/shape.ts';
import { typedCommand, typedQuery, type Told, type TypedCommand } from './modules/typed.ts';
import type { Service } from './service.ts';
import { encodedAnswers, encoderOf, startOf, subscribe, type StartMessage } from './subscribe.ts';
import { answerUnary } from './unary.ts';

const MODULE = 'voting';
/** What the service shows; the last become RoundChange. */
const COMMANDS = ['open', 'cast'];
const QUERIES = ['round'];
const EVENTS = ['opened', 'voted', 'decided', 'released', 'doubleVote'];

/** The module that the service stands on; undefined where it does not run, or is another one. */
export function votingAmong(modules: readonly DefinedModule[]): DefinedModule | undefined {
  return modules.find(
    ({ name, commandDefinitions, queryDefinitions, eventDefinitions }) =>
      name === MODULE &&
      COMMANDS.every((each) => Object.hasOwn(commandDefinitions, each)) &&
      QUERIES.every((each) => Object.hasOwn(queryDefinitions, each)) &&
      EVENTS.every((each) => Object.hasOwn(eventDefinitions, each)),
  );
}

/** As proto-loader decodes it: the module's own message, or bytes that a client signed. */
interface SubmitMessage {
  readonly content?: 'round' | 'vote' | 'submission';
  readonly round?: object;
  readonly vote?: object;
  readonly submission?: Uint8Array;
}

interface WatchMessage extends StartMessage {
  readonly rounds?: readonly string[];
}

export function votingService(
  edge: Edge,
  calls: Calls,
  {
    module,
    definition,
  }: { readonly module: DefinedModule; readonly definition: ServiceDefinition },
): Service {
  const open = typedCommand(edge, module, 'open');
  const cast = typedCommand(edge, module, 'cast');
  const round = typedQuery(edge, module, 'round');
  const encoder = encoderOf(definition, 'WatchRounds', changesOf(module));
  type Call = ServerUnaryCall<SubmitMessage, object>;
  type Done = sendUnaryData<object>;
  return {
    name: 'althing.v1.Voting',
    definition: encodedAnswers(definition, 'WatchRounds'),
    implementation: {
      SubmitRound: (call: Call, done: Done) =>
        answerUnary(edge, call, done, calls, () => submit(open, 'round', call)),
      SubmitVote: (call: Call, done: Done) =>
        answerUnary(edge, call, done, calls, () => submit(cast, 'vote', call)),
      GetRound: (call: ServerUnaryCall<object, object>, done: Done) =>
        answerUnary(edge, call, done, calls, () => round(call.request, call.metadata)),
      WatchRounds: (call: WatchCall<WatchMessage>) =>
        void subscribe(edge, calls, call, () => wishOf(edge, call.request), encoder),
    },
  };
}

async function submit(
  command: TypedCommand,
  unsigned: 'round' | 'vote',
  { request, metadata }: ServerUnaryCall<SubmitMessage, object>,
): Told {
  const { content, submission } = request;
  if (content === 'submission') return command.signed(submission ?? new Uint8Array(0), metadata);
  if (content === unsigned) return command.vouched(request[unsigned], metadata);
  return malformed(`expected ${unsigned} or submission`, 'content');
}

async function wishOf(edge: Edge, asked: WatchMessage): Promise<Wish | Problem> {
  const topics = EVENTS.map((name) => `${MODULE}.${name}`);
  const { rounds = [] } = asked;
  const problem = namesProblem(rounds, 'rounds', (round) => roundProblem(edge, round));
  if (problem !== null) return problem;
  const only = rounds.length === 0 ? {} : { only: { member: 'round', values: rounds } };
  const filter = filterOf(edge.catalog, { ...EVERY_EVENT, topics, ...only });
  if (filter instanceof Problem) return filter;
  const from = await placeOf(edge, startOf(asked));
  return from instanceof Problem ? from : { from, filter };
}

/** There may be no such round yet; what can be the id of none is a mistake. */
function roundProblem({ catalog }: Edge, round: string): Problem | null {
  const asked = catalog.queryArgs(MODULE, 'round', { round }, false);
  return asked.ok ? null : unprocessable(asked.code, asked.message, 'rounds');
}

/** Members of an item, as src/stream/parts.ts names them. */
interface Event {
  readonly id: string;
  readonly kind: 'event' | 'progress';
  readonly height: number;
  readonly time?: string;
  readonly name: string;
  readonly data: unknown;
  readonly transaction?: string;
}

function changesOf({ eventDefinitions }: DefinedModule): (item: Item) => object {
  const shapes = new Map(EVENTS.map((name) => [name, shapeOf(eventDefinitions[name]!.schema)]));
  return ({ value }) => {
    const { id, kind, height, time, name, data, transaction } = value as Event;
    if (kind === 'progress') return { id, height, progress: {} };
    return { id, height, time, transaction, [name]: eventMessage(shapes.get(name)!, data) };
  };
}
