/** Entry of the generator process: does what the bench asks over IPC, one request at a time. */
import type { Digest } from '../protocols/types.ts';
import { signerFromPem } from '../src/crypto/signer.ts';
import { Interruption } from '../src/interruption.ts';
import { audit, type Answered } from './audit.ts';
import { OpenLoop, sendAll } from './loops.ts';
import { decideAll, lotsOf, type Lot } from './rounds.ts';
import { Sender } from './sender.ts';
import { SigningAhead } from './signing-ahead.ts';
import type { RunResult } from './tally.ts';
import { fundings, newSeed, openings, transfers, workloadOf } from './workload.ts';
import type { Mix, Workload, WorkloadSeed } from './workload.ts';

export type GeneratorRequest =
  | {
      /** Makes new clients and accounts. */
      readonly kind: 'prepare';
      readonly clusterId: Digest;
      readonly urls: readonly string[];
      readonly issuerPem: string;
      readonly clients: number;
      readonly accounts: number;
      readonly patienceMs: number;
    }
  | {
      readonly kind: 'sign';
      readonly submissions: number;
      readonly txPerSubmission: number;
      readonly mix: Mix;
    }
  /** Lots of rounds (rounds.ts). */
  | { readonly kind: 'signRounds'; readonly lots: number; readonly rounds: number }
  /** The signed lots, as fast as they are decided. */
  | { readonly kind: 'decideRounds'; readonly outstanding: number; readonly secondsMax: number }
  /** The signed submissions, as fast as they are answered. */
  | { readonly kind: 'closedLoop'; readonly outstanding: number; readonly secondsMax: number }
  /** So many of the signed submissions that were not sent yet, at a fixed rate. */
  | { readonly kind: 'openLoop'; readonly perSecond: number; readonly submissions: number }
  /** Submissions signed meanwhile, at a fixed rate until `stop`; `result` is empty. */
  | { readonly kind: 'start'; readonly perSecond: number; readonly txPerSubmission: number }
  | { readonly kind: 'progress' }
  | { readonly kind: 'stop' }
  /** Of everything answered between `start` and `stop`: the violations. */
  | { readonly kind: 'audit' };

export type GeneratorAnswer =
  | {
      readonly kind: 'done';
      readonly cpuSeconds: number;
      readonly result: RunResult | null;
      readonly violations: readonly string[];
    }
  | { readonly kind: 'failed'; readonly message: string };

const SETUP_TX_PER_SUBMISSION = 500;
const SETUP_OUTSTANDING = 16;
const SETUP_SECONDS_MAX = 120;
const CONNECTIONS_PER_NODE = 64;
/** One node's time to answer, when there is time to ask another. */
const ATTEMPT_MS = 4_000;
const CHUNK_TRANSFERS = 8_000;

interface Prepared {
  readonly urls: readonly string[];
  readonly seed: WorkloadSeed;
  readonly workload: Workload;
  readonly sender: Sender;
}

/** Load between `start` and `stop`. */
interface Lasting {
  readonly loop: OpenLoop;
  readonly signing: SigningAhead;
  readonly answered: Answered[];
  readonly txPerSubmission: number;
}

let prepared: Prepared | null = null;
let signed: Uint8Array[] = [];
let txPerSubmission = 1;
let lots: Lot[] = [];
let roundsPerLot = 1;
let lasting: Lasting | null = null;

async function prepare(request: Extract<GeneratorRequest, { kind: 'prepare' }>): Promise<void> {
  await prepared?.sender.close();
  const { urls, clusterId, clients, accounts, patienceMs } = request;
  const seed = newSeed(clusterId, clients, accounts);
  const workload = workloadOf(seed);
  const attemptMs = Math.max(ATTEMPT_MS, patienceMs / 2);
  const sender = new Sender({
    urls,
    connectionsPerNode: CONNECTIONS_PER_NODE,
    patienceMs,
    attemptMs,
  });
  prepared = { urls, seed, workload, sender };
  signed = [];
  await send(sender, openings(workload, SETUP_TX_PER_SUBMISSION));
  const issuer = signerFromPem(request.issuerPem);
  await send(sender, fundings(workload, issuer, SETUP_TX_PER_SUBMISSION));
}

async function send(sender: Sender, submissions: readonly Uint8Array[]): Promise<void> {
  const bounds = { outstanding: SETUP_OUTSTANDING, secondsMax: SETUP_SECONDS_MAX };
  const { failed, firstError, answered } = await sendAll(sender, submissions, 1, bounds);
  if (failed > 0 || answered < submissions.length) {
    throw new Error(`the accounts could not be made: ${firstError ?? 'out of time'}`);
  }
}

async function start(
  { seed, sender }: Prepared,
  perSecond: number,
  perSubmission: number,
): Promise<void> {
  const perChunk = Math.max(1, Math.ceil(CHUNK_TRANSFERS / perSubmission));
  const signing = new SigningAhead({ seed, perSubmission, perChunk });
  await signing.begun();
  const answered: Answered[] = [];
  const loop = new OpenLoop(sender, {
    perSecond,
    txPerSubmission: perSubmission,
    take: () => signing.next(),
    onSent: (at, sent) => {
      if (!sent.ok) return;
      const { id, height, index } = sent.receipts;
      answered.push({ at, receipts: { id, height, index } });
    },
  });
  lasting = { loop, signing, answered, txPerSubmission: perSubmission };
}

function running(): Lasting {
  if (lasting === null) throw new Error('start comes first');
  return lasting;
}

async function stop(): Promise<RunResult> {
  const { loop, signing } = running();
  const result = await loop.stop();
  await signing.close();
  return result;
}

function auditAll({ urls, workload }: Prepared): Promise<string[]> {
  const { answered, loop, txPerSubmission: each } = running();
  const givenUp = loop.progress().failed;
  return audit({ urls, workload, answered, txPerSubmission: each, givenUp });
}

function openLoop({ sender }: Prepared, perSecond: number, count: number): Promise<RunResult> {
  const part = signed.splice(0, count);
  const take = (at: number): Uint8Array | null => part[at] ?? null;
  return new OpenLoop(sender, { perSecond, txPerSubmission, take }).finished();
}

interface Done {
  readonly result?: RunResult;
  readonly violations?: readonly string[];
}

async function handle(request: GeneratorRequest): Promise<Done> {
  if (request.kind === 'prepare') {
    await prepare(request);
    return {};
  }
  if (prepared === null) throw new Error('prepare comes first');
  const { sender, workload } = prepared;
  switch (request.kind) {
    case 'sign': {
      const { submissions: count, txPerSubmission: perSubmission, mix } = request;
      txPerSubmission = perSubmission;
      signed = transfers(workload, { first: 0, count, perSubmission, mix });
      return {};
    }
    case 'signRounds':
      roundsPerLot = request.rounds;
      lots = lotsOf(workload, request.lots, request.rounds);
      return {};
    case 'decideRounds':
      return {
        result: await decideAll(sender, lots.splice(0), { ...request, rounds: roundsPerLot }),
      };
    case 'closedLoop':
      return {
        result: await sendAll(sender, signed.splice(0), txPerSubmission, request),
      };
    case 'openLoop':
      return { result: await openLoop(prepared, request.perSecond, request.submissions) };
    case 'start':
      await start(prepared, request.perSecond, request.txPerSubmission);
      return {};
    case 'progress':
      return { result: running().loop.progress() };
    case 'stop':
      return { result: await stop() };
    case 'audit':
      return { violations: await auditAll(prepared) };
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

process.on('message', (request: GeneratorRequest) => {
  const before = cpuSeconds();
  handle(request).then(
    ({ result = null, violations = [] }) =>
      process.send?.({ kind: 'done', cpuSeconds: cpuSeconds() - before, result, violations }),
    (error: Error) => process.send?.({ kind: 'failed', message: error.stack ?? error.message }),
  );
});
// A signal to all processes of a terminal is the bench's to answer.
new Interruption(() => {});
process.on('disconnect', () => process.exit(0));
