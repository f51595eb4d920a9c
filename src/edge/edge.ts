/**
 * What both edges, HTTP and gRPC, do alike: turn what a client sends into a submission's canonical
 * bytes, and hand them to the node.
 *
 * N1. Bytes that a client signed go to the node as they came: not decoded here, not re-encoded.
 * N2. Only `#vouch` makes node submissions. Bytes from outside that claim to be one are refused:
 *     the lane's signature would vouch for a principal that nobody checked (E3).
 */
import { utf8 } from '../../protocols/bytes.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import type { StateRead } from '../../protocols/state-read.ts';
import type { AnswerResult, SubmissionReceipts } from '../../protocols/messages.ts';
import { encodeProof, PROOF_BYTES_MAX } from '../../protocols/proofs/format.ts';
import type { ProofWanted } from '../../protocols/proofs/request.ts';
import { isCallersKey, nonce } from '../../protocols/transaction/idempotency.ts';
import {
  attachSignature,
  encodeSubmission,
  IDEMPOTENCY_KEY_BYTES_MAX,
  type SubmissionContent,
} from '../../protocols/transaction/submission.ts';
import { NotAValue, type Value } from '../../protocols/transaction/values.ts';
import type { Digest, PublicKey } from '../../protocols/types.ts';
import type { ModuleCatalog } from '../modules/catalog.ts';
import { consensusView, type ConsensusView } from './consensus-status.ts';
import { Credentials, type Auth, type Principal } from './credentials.ts';
import { hostProblem } from './dev-host.ts';
import { Handover, type Parcel } from './handover.ts';
import { HealthChecks } from './health.ts';
import { Meter } from './meter.ts';
import type { Outcome, Wait } from './outcome.ts';
import type { EdgePort, FinalBlock } from './port.ts';
import { logUnavailable, malformed, Problem, unprocessable } from './problem.ts';
import { clientTxCount, isClientSubmission, signedPart } from './raw-submission.ts';
import { answerProblem, WriteGate } from './refusal-problems.ts';
import { readSubmissionRequest, type SubmissionRequest } from './submission-request.ts';

export interface EdgeOptions {
  readonly port: EdgePort;
  readonly cluster: Cluster;
  readonly catalog: ModuleCatalog;
  /** The node's key: it stands in the submissions that this node vouches for. */
  readonly nodeKey: PublicKey;
  readonly crypto: Crypto;
  readonly auth: Auth;
  /** Wall clock in milliseconds. */
  readonly now?: () => number;
}

/** Who asks, when the node is to vouch for the request. */
export interface Caller {
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface Found {
  /** Executed height at which this was known. */
  readonly height: number;
  readonly receipts: SubmissionReceipts;
}

/** How a read of executed state is to be answered. */
export interface ReadOptions {
  /** It reflects all that was final anywhere when it was asked; else what this node has executed. */
  readonly linearizable?: boolean;
  /** It reads what there was when this height had been executed. */
  readonly atHeight?: number;
}

export interface ProvedAnswer {
  /** The certified height as of which it is. */
  readonly height: number;
  /** What is proved: an answer, or that it was refused. */
  readonly result: AnswerResult;
  /** Canonical bytes (protocols/proofs/format.ts). */
  readonly proof: Uint8Array;
}

/** Between what is asked for here and what the chain allows, besides the drift of clocks. */
const CLOCK_MARGIN_MS = 60_000;
const VALIDITY_WITHOUT_KEY_MS = 5 * 60_000;
const NONCE_RANDOM_BYTES = 16;

export class Edge {
  readonly port: EdgePort;
  readonly cluster: Cluster;
  #catalog: ModuleCatalog;
  readonly #followers: (() => void)[] = [];
  readonly health: HealthChecks;
  readonly #nodeKey: PublicKey;
  readonly #credentials: Credentials;
  readonly #gate: WriteGate;
  readonly #meter: Meter;
  readonly #handover: Handover;
  readonly #now: () => number;

  constructor({ port, cluster, catalog, nodeKey, crypto, auth, now = Date.now }: EdgeOptions) {
    this.port = port;
    this.cluster = cluster;
    this.#catalog = catalog;
    this.#nodeKey = nodeKey;
    this.#now = now;
    this.health = new HealthChecks(port, now);
    this.#credentials = new Credentials(auth, port.info.devMode);
    this.#gate = new WriteGate(port, this.health);
    this.#meter = new Meter(() => port.live().actors.transaction.executedTransactions);
    this.#handover = new Handover(port, crypto, this.#meter);
  }

  /** Of the modules that are in force: another one after an upgrade. */
  get catalog(): ModuleCatalog {
    return this.#catalog;
  }

  set catalog(catalog: ModuleCatalog) {
    this.#catalog = catalog;
    for (const follow of this.#followers) follow();
  }

  /** Calls `follow` whenever there is another catalog, as long as the edge lives. */
  whenCatalogChanges(follow: () => void): void {
    this.#followers.push(follow);
  }

  /** Stops the meter: to be called when no server uses the edge any more. */
  close(): void {
    this.#meter.close();
  }

  /** Whether a request may come under this name, in `Host` or `:authority`. */
  hostProblem(host: string | undefined): Problem | null {
    return this.port.info.devMode ? hostProblem(host) : null;
  }

  /** Transactions executed here in a second, of late. */
  tps(): number {
    return this.#meter.tps;
  }

  /** How long ago the block of that height was made, by this node's clock; null where it is not at hand. */
  ageMs(height: number): number | null {
    const time = height === 0 ? this.cluster.genesis.createdAtMs : this.port.timeOf(height);
    return time === null ? null : Math.max(0, this.#now() - time);
  }

  executedHeight(): number {
    return this.port.live().actors.transaction.executedHeight;
  }

  status(): ConsensusView {
    return consensusView(this.port, { tps: this.#meter.tps, finality: this.#meter.finality() });
  }

  /** Null when the block is not final here yet. */
  async block(height: number | 'latest'): Promise<FinalBlock | null | Problem> {
    const isThere = this.port.live().log.writable;
    const found = isThere ? await this.port.block(height) : 'unavailable';
    return found === 'unavailable' ? logUnavailable() : found;
  }

  /** Up to where a stream has been when it begins now. */
  async newestHeight(): Promise<number | Problem> {
    const newest = await this.port.streams.newest();
    return newest === 'unavailable' ? logUnavailable() : newest;
  }

  /** The receipts of a submission that is final and executed here. */
  async find(id: Digest): Promise<Found | Problem> {
    const { height, result } = await this.port.findSubmission(id);
    if (result.ok) return { height, receipts: result.value as SubmissionReceipts };
    if (result.code !== 'not_found') return answerProblem(result);
    const detail = `nothing final is known of it at this node up to height ${height}`;
    return new Problem(404, 'unknown_transaction', detail, { field: 'id' });
  }

  /** A read of executed state, and the executed height that it reflects. */
  async query(
    module: string,
    query: string,
    args: Value,
    options: ReadOptions = {},
  ): Promise<{ readonly height: number; readonly value: unknown } | Problem> {
    const bound = await this.#bound(options);
    if (bound instanceof Problem) return bound;
    const { height, result } = await this.port.query({ module, query, args, ...bound });
    return result.ok ? { height, value: result.value } : answerProblem(result, { height });
  }

  /** The height to read; of a linearizable read the one that it must not be answered from below (I108). */
  async #bound({
    linearizable,
    atHeight,
  }: ReadOptions): Promise<Pick<StateRead, 'notBelow' | 'atHeight'> | Problem> {
    if (atHeight !== undefined) return { atHeight };
    if (linearizable !== true) return {};
    const refused = this.#gate.check();
    if (refused !== null) return refused;
    const { height, result } = await this.port.confirm();
    return result.ok ? { notBelow: height } : answerProblem(result);
  }

  /** What is asked for with a proof of it, as of the certified height `height`. */
  async prove(wanted: ProofWanted): Promise<ProvedAnswer | Problem> {
    const answer = await this.port.prove(wanted);
    if (!answer.ok) return answerProblem(answer.result);
    const { executed, result } = answer;
    const proof = encodeProof(answer.proof);
    if (proof.length > PROOF_BYTES_MAX) {
      const detail = `the proof would have over ${PROOF_BYTES_MAX} bytes: ask without one`;
      return unprocessable('proof_too_large', detail, 'proof');
    }
    return { height: executed.height, result, proof };
  }

  /** The hot path: canonical bytes, signed by their client. The edge takes them over. */
  submitBytes(bytes: Uint8Array, caller: Caller, wait: Wait): Promise<Outcome | Problem> {
    if (!isClientSubmission(bytes)) return Promise.resolve(notByAClient());
    const needless = keyBesideSignature(caller);
    if (needless !== null) return Promise.resolve(needless);
    return this.#hand(
      {
        bytes,
        signedLength: signedPart(bytes).length,
        txCount: clientTxCount(bytes),
        exactlyOnce: true,
      },
      wait,
    );
  }

  /** A request in parsed JSON, msgpack or protobuf. */
  async submitValue(value: unknown, caller: Caller, wait: Wait): Promise<Outcome | Problem> {
    const request = readSubmissionRequest(value, this.catalog, this.cluster.genesis.limits);
    if (request instanceof Problem) return request;
    return this.submitRequest(request, caller, wait);
  }

  async submitRequest(
    request: SubmissionRequest,
    caller: Caller,
    wait: Wait,
  ): Promise<Outcome | Problem> {
    const parcel =
      request.client === null
        ? this.#vouch(request, caller)
        : (keyBesideSignature(caller) ?? this.#encodeSigned(request));
    return parcel instanceof Problem ? parcel : this.#hand(parcel, wait);
  }

  #hand(parcel: Parcel, wait: Wait): Promise<Outcome | Problem> {
    const max = this.cluster.genesis.limits.submissionBytesMax;
    const refused = parcel.bytes.length > max ? tooLarge(max) : this.#gate.check();
    return refused === null ? this.#handover.hand(parcel, wait) : Promise.resolve(refused);
  }

  #encodeSigned({ client, validUntil, calls }: SubmissionRequest): Parcel | Problem {
    if (client === null || validUntil === null) return malformed('not signed', 'signature');
    const { key, seq, signature } = client;
    const common = { clusterId: this.cluster.id, validUntil, transactions: calls };
    const signed = encode({ kind: 'client', key, seq, ...common });
    if (signed instanceof Problem) return signed;
    const bytes = attachSignature(signed, signature);
    return { bytes, signedLength: signed.length, txCount: calls.length, exactlyOnce: true };
  }

  /** A node submission on behalf of a caller whose credential holds (N2). */
  #vouch(request: SubmissionRequest, caller: Caller): Parcel | Problem {
    const principal = this.authorize(caller);
    if (principal instanceof Problem) return principal;
    const given = idempotencyKey(caller.idempotencyKey);
    if (given instanceof Problem) return given;
    const bytes = encode({
      kind: 'node',
      clusterId: this.cluster.id,
      key: this.#nodeKey,
      principal: principal.name,
      idempotencyKey: given ?? nonce(crypto.getRandomValues(new Uint8Array(NONCE_RANDOM_BYTES))),
      validUntil: request.validUntil ?? this.#now() + this.#validityMs(given !== null),
      transactions: request.calls,
    });
    if (bytes instanceof Problem) return bytes;
    const txCount = request.calls.length;
    return { bytes, signedLength: bytes.length, txCount, exactlyOnce: given !== null };
  }

  /** Whether the caller may have this node vouch for it. */
  authorize(caller: Caller): Principal | Problem {
    return this.#credentials.principal(caller.authorization);
  }

  /** As long as allowed where the caller can retry without running twice (I46), else short. */
  #validityMs(hasKey: boolean): number {
    const { validityMsMax, clockDriftMsMax } = this.cluster.genesis.limits;
    const longest = Math.max(1, validityMsMax / 2 - clockDriftMsMax - CLOCK_MARGIN_MS);
    return Math.floor(hasKey ? longest : Math.min(longest, VALIDITY_WITHOUT_KEY_MS));
  }
}

/** Ignoring it would let a client believe that the key protects it, and choose a new seq. */
function keyBesideSignature({ idempotencyKey: given }: Caller): Problem | null {
  if (given === undefined) return null;
  return malformed(
    'leave the key out: what its client signed executes once under its seq, however often it is sent',
    'Idempotency-Key',
  );
}

function idempotencyKey(given: string | undefined): Uint8Array | null | Problem {
  if (given === undefined) return null;
  const key = utf8(given);
  if (key.length < 1 || key.length > IDEMPOTENCY_KEY_BYTES_MAX) {
    return malformed(`expected 1 to ${IDEMPOTENCY_KEY_BYTES_MAX} bytes`, 'Idempotency-Key');
  }
  if (isCallersKey(key)) return key;
  return malformed('it must not begin with a zero byte', 'Idempotency-Key');
}

/** The encoder refuses by throwing what the schemas of the modules let pass. */
function encode(content: SubmissionContent): Uint8Array | Problem {
  try {
    return encodeSubmission(content);
  } catch (error) {
    if (error instanceof NotAValue) return unprocessable('invalid_args', error.message, 'args');
    if (error instanceof RangeError) return malformed(error.message);
    throw error;
  }
}

function tooLarge(max: number): Problem {
  return new Problem(413, 'too_large', `a submission may have at most ${max} bytes`);
}

function notByAClient(): Problem {
  return malformed(
    'not a submission signed by a client: docs/http.md says how one is signed; what this node is to ' +
      'vouch for is sent as JSON or msgpack with a credential',
  );
}
