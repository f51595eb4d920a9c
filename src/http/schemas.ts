/**
 * What answers hold, as the OpenAPI document describes it: each under its name in `components.schemas`.
 * Members may come with later versions, so no answer is closed; the contract tests hold today's to
 * exactly these.
 */
import { Type, type TSchema } from '@sinclair/typebox';

/** A schema that stands in the document once. */
export function named<N extends keyof typeof SCHEMAS>(name: N): TSchema {
  return Type.Unsafe({ $ref: `#/components/schemas/${name}` });
}

const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Hex32 = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: '32 bytes in lower-case hex',
});
const Hex64 = Type.String({
  pattern: '^[0-9a-f]{128}$',
  description: '64 bytes in lower-case hex',
});
const Anything = Type.Unsafe<unknown>({});
const ReceiptId = Type.String({
  pattern: '^[0-9a-f]{64}-(0|[1-9][0-9]*)$',
  description: 'the id of the submission, and the place of the transaction in it',
});
const ExactlyOnce = Type.Boolean({
  description: 'a retry of the same request gives the same receipts, at whatever node',
});
const VoteKind = Type.Union([Type.Literal('prepare'), Type.Literal('commit')]);

const receipt = {
  id: ReceiptId,
  height: Count,
  index: Type.Integer({ minimum: 0, description: 'place of the transaction in its block' }),
};
const events = Type.Array(Type.Unsafe({ $ref: '#/components/schemas/Event' }));
const ranked = { epoch: Count, term: Count, height: Count };

const most = (what: string): TSchema => Type.Integer({ minimum: 0, description: what });
/** One connection has a quarter of the places, one address three quarters (src/grpc/places.ts). */
const intake = {
  readingMax: most('requests that are read at once'),
  waitingMax: most('requests that wait to be read'),
  requestMsMax: most("from a call's turn to the end of its request"),
  streamsMax: most('calls with a stream of requests'),
  unansweredMax: most('requests of one such call whose answers were not taken'),
  idleMsMax: most('without a request or an answer on such a call'),
  watchersMax: most('calls with one request and a stream of answers'),
  unreadMsMax: most('without an answer being taken: then the connection is closed'),
};

const Health = Type.Object({
  status: Type.Union([Type.Literal('UP'), Type.Literal('DOWN')]),
  checks: Type.Array(
    Type.Object({
      name: Type.String(),
      status: Type.Union([Type.Literal('UP'), Type.Literal('DEGRADED'), Type.Literal('DOWN')]),
      data: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    }),
  ),
});

export const SCHEMAS = {
  Problem: Type.Object(
    {
      type: Type.String({ description: '`urn:althing:problem:` and the code' }),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.String({ description: 'stable: what a program looks at' }),
      detail: Type.String({ description: 'what to do about it, for people' }),
      field: Type.Optional(Type.String({ description: 'where in the request the fault is' })),
      retryAfterMs: Type.Optional(Count),
      id: Type.Optional(
        Type.String({ description: 'of the submission or transaction that this is about' }),
      ),
      statusUrl: Type.Optional(Type.String({ description: 'where to ask what became of it' })),
      height: Type.Optional(Count),
      proof: Type.Optional(
        Type.String({ description: 'that what was asked for is not there, as of `height`' }),
      ),
    },
    { description: 'Problem details (RFC 9457).' },
  ),
  Event: Type.Object({
    module: Type.String({ description: 'the module that emitted it' }),
    name: Type.String(),
    data: Anything,
  }),
  Receipt: Type.Object({
    ...receipt,
    status: Type.Union([Type.Literal('ok'), Type.Literal('failed')]),
    result: Type.Optional(Anything),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
    events,
  }),
  Receipts: Type.Object({
    id: Hex32,
    height: Count,
    exactlyOnce: Type.Optional(ExactlyOnce),
    receipts: Type.Array(Type.Unsafe({ $ref: '#/components/schemas/Receipt' })),
  }),
  Accepted: Type.Object({
    id: Hex32,
    ids: Type.Array(ReceiptId),
    statusUrl: Type.String(),
    exactlyOnce: ExactlyOnce,
  }),
  Pending: Type.Object({ id: Type.String(), status: Type.Literal('pending') }),
  Certificate: Type.Object({
    kind: VoteKind,
    ...ranked,
    block: Hex32,
    first: Type.Boolean({ description: 'the block is the first one of its term' }),
    votes: Type.Array(Type.Object({ voter: Count, signature: Hex64 })),
  }),
  Block: Type.Object({
    height: Count,
    digest: Hex32,
    parent: Hex32,
    epoch: Count,
    term: Count,
    timestamp: Count,
    time: Type.String(),
    txCount: Count,
    cut: Type.Array(Type.Object({ seq: Type.Integer({ minimum: -1 }), digest: Hex32 })),
    executed: Type.Object({
      height: Count,
      stateRoot: Hex32,
      receiptsRoot: Hex32,
      pendingSet: Hex32,
    }),
    endsEpoch: nullable(Hex32),
    justify: Type.Unsafe<unknown>({
      type: 'object',
      description: 'why the block may stand here: a certificate, timeouts, or the epoch',
      required: ['kind'],
      properties: { kind: { enum: ['certificate', 'timeouts', 'epoch'] }, certificate: {} },
    }),
    signature: Hex64,
    certificate: nullable(Type.Unsafe({ $ref: '#/components/schemas/Certificate' })),
  }),
  Evidence: Type.Object(
    {
      kind: Type.Union([
        Type.Literal('doubleVote', {
          description: 'two votes of one kind for one height and term',
        }),
        Type.Literal('doubleFirst', { description: 'two votes for first blocks of one term' }),
        Type.Literal('hiddenCommit', { description: 'a timeout that claims less than its vote' }),
        Type.Literal('doubleBatch', { description: 'two batches for one place in its lane' }),
      ]),
      clusterId: Hex32,
      accused: Type.Object({ index: Count, id: Type.String(), publicKey: Hex32 }),
      epoch: Count,
      term: nullable(Count),
      height: nullable(Count),
      seq: nullable(Count),
      statements: Type.Array(
        Type.Unsafe<unknown>({
          type: 'object',
          description: 'the fields of a vote, a timeout or a batch',
          required: ['statement', 'signature', 'signed'],
          additionalProperties: true,
          properties: {
            statement: { enum: ['vote', 'timeout', 'batch'] },
            signature: { type: 'string', pattern: '^[0-9a-f]{128}$' },
            signed: {
              type: 'string',
              pattern: '^([0-9a-f]{2})+$',
              description: 'the bytes that the signature covers, in lower-case hex',
            },
          },
        }),
        { minItems: 2, maxItems: 2 },
      ),
    },
    { description: 'Two statements signed by one validator that no honest one signs both of.' },
  ),
  EvidencePage: Type.Object({
    evidence: Type.Array(Type.Unsafe({ $ref: '#/components/schemas/Evidence' })),
    next: nullable(Type.String({ description: 'the `cursor` of the next page' })),
  }),
  ConsensusStatus: Type.Object({
    nodeId: Type.String(),
    nodeIndex: Type.Integer({ minimum: -1 }),
    clusterId: Hex32,
    clusterName: Type.String(),
    version: Type.String(),
    currentLeader: Type.String(),
    term: Count,
    epoch: Count,
    state: Type.Union(['LEADER', 'FOLLOWER', 'CANDIDATE'].map((each) => Type.Literal(each))),
    lastLogIndex: Type.Integer({
      minimum: 0,
      description: 'height of the highest block known with a prepare certificate',
    }),
    commitIndex: Type.Integer({ minimum: 0, description: 'height up to which blocks are final' }),
    knownCommitIndex: Count,
    executedHeight: Count,
    certifiedHeight: Type.Integer({
      minimum: 0,
      description: 'executed height that the newest final block certifies',
    }),
    executedTransactions: Count,
    waitingSubmissions: Count,
    votingEnabled: Type.Boolean(),
    voting_enabled: Type.Boolean(),
    quorum: Count,
    faultyMax: Count,
    validators: Type.Array(Type.String()),
    peers: Type.Array(Type.Object({ id: Type.String(), connected: Type.Boolean() })),
    elections: Count,
    electionTimeoutMs: Type.Number(),
    tps: Type.Number(),
    finality: Type.Object({
      samples: Count,
      p50Ms: nullable(Type.Number()),
      p99Ms: nullable(Type.Number()),
    }),
    memoryBytes: Count,
    threads: Count,
    uptimeMs: Type.Integer(),
    draining: Type.Boolean(),
    devMode: Type.Boolean(),
    availablePrograms: Type.Array(
      Type.Object({
        name: Type.String(),
        version: Count,
        digest: Type.String({ description: 'empty for a module of the software itself' }),
      }),
      { description: 'what this node can run, whether or not the cluster runs it' },
    ),
  }),
  Limits: Type.Object(
    {
      consensus: Type.Object({
        checkpointInterval: Count,
        laneBytesMax: Count,
        batchBytesMax: Count,
        submissionBytesMax: Count,
        transactionBytesMax: Count,
        transactionsPerSubmissionMax: Count,
        clockDriftMsMax: Count,
        validityMsMax: Count,
      }),
      http: Type.Object({
        bodyBytesMax: Count,
        nestingMax: Count,
        valuesMax: Count,
        waitMsDefault: Count,
        waitMsMax: Count,
      }),
      stream: Type.Object({
        streamsMax: Count,
        streamsPerAddressMax: Count,
        outletBytesMax: Count,
        stallMsMax: Count,
        progressMs: Count,
        keepAliveMs: Count,
      }),
      grpc: Type.Object({
        messageBytesMax: most('bytes of a message that a client sends'),
        connectionsMax: most('connections at once'),
        prefaceMsMax: most("from a connection's start to its first frame"),
        callsPerConnectionMax: most('calls at once on one connection'),
        ...intake,
        standard: Type.Object(intake, { description: 'of health and reflection' }),
      }),
    },
    { description: 'Sizes in bytes, times in milliseconds.' },
  ),
  HistoryStatus: Type.Object({
    height: Type.Integer({ minimum: 0, description: 'up to which the read model is complete' }),
    executedHeight: Count,
    behind: Count,
    failure: nullable(Type.String()),
  }),
  Health,
  Role: Type.Object({
    state: Type.Union(['LEADER', 'FOLLOWER', 'CANDIDATE'].map((each) => Type.Literal(each))),
    currentLeader: Type.String(),
    term: Count,
    lag: Type.Integer({ minimum: 0, description: 'final heights that are not executed here yet' }),
  }),
  Root: Type.Object({
    name: Type.Literal('Althing'),
    version: Type.String(),
    nodeId: Type.String(),
    clusterName: Type.String(),
    clusterId: Hex32,
    devMode: Type.Boolean(),
    documentation: Type.String(),
    routes: Type.Array(Type.String()),
    modules: Type.Record(
      Type.String(),
      Type.Object({
        description: Type.String(),
        commands: Type.Array(Type.String()),
        queries: Type.Array(Type.String()),
      }),
    ),
  }),
} as const satisfies Readonly<Record<string, TSchema>>;

/** What one command alone is answered, once it is final. */
export function oneReceipt(result: TSchema | null): TSchema {
  return Type.Object({
    ...receipt,
    status: Type.Literal('ok'),
    ...(result === null ? {} : { result }),
    events,
    exactlyOnce: ExactlyOnce,
  });
}
