/**
 * Transactions on their way: signed in submissions as large as the cluster takes them, one after the
 * other, each written down first where --save says so. Nothing is signed once there is no time to send it:
 * what was never sent has no outcome to ask for.
 */
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { callBytes, type Call } from '../../protocols/transaction/submission.ts';
import { Submission, SubmissionReader } from '../../protocols/transaction/submission-reader.ts';
import { OutcomeUnknown } from '../client/errors.ts';
import type { Submitted } from '../client/submitter.ts';
import { UsageError } from './command.ts';
import { withNotice, type Connection } from './connection.ts';
import { handOver, type Accepted } from './handing-over.ts';
import { Journal, lineOf, type Saved } from './journal.ts';

/** Beside the calls. */
const SUBMISSION_BYTES = 256;

export class Sending {
  readonly #connection: Connection;
  readonly #journal: Journal | null;

  constructor(connection: Connection, journal: Journal | null) {
    this.#connection = connection;
    this.#journal = journal;
  }

  /** Their submissions, as they become final; what was sent before executes no second time. */
  async *send(calls: AsyncIterable<Call>): AsyncGenerator<Submitted, void> {
    const before = this.#saved();
    const chunks = chunked(calls, this.#connection.client.cluster.limits, sizesOf(before));
    let from = 0;
    for await (const chunk of chunks) {
      yield await this.#sendChunk(from, chunk, before.get(from));
      from += chunk.length;
    }
    this.#checkSavedUntil(from, before);
  }

  /** Throws UsageError where more was saved than these. */
  #checkSavedUntil(end: number, saved: ReadonlyMap<number, Saved>): void {
    const last = [...saved.values()].at(-1);
    if (last !== undefined && last.from + last.transactions > end) throw this.#otherJournal();
  }

  #saved(): ReadonlyMap<number, Saved> {
    const journal = this.#journal;
    if (journal === null || !journal.exists()) return new Map();
    return new Map(journal.read().map((each) => [each.from, each]));
  }

  async #sendChunk(from: number, calls: readonly Call[], before?: Saved): Promise<Submitted> {
    if (before !== undefined) {
      const submitted = await this.#sendAgain(before, calls);
      if (submitted !== null) return submitted;
    }
    const place = { from, transactions: calls.length };
    const signed = (bytes: Uint8Array): void => this.#journal?.add({ ...place, bytes });
    const { client, interrupted: signal } = this.#connection;
    signal.throwIfAborted();
    const sent = client.submit(calls, { signal, signed });
    return finish(this.#connection, sent, place, this.#journal);
  }

  /** Null when it was never executed, nor will be. */
  async #sendAgain(before: Saved, calls: readonly Call[]): Promise<Submitted | null> {
    const { client } = this.#connection;
    const limits = { ...DEFAULT_LIMITS, ...client.cluster.limits };
    const reader = new SubmissionReader(client.cluster.clusterId, limits);
    const [old, same] = [before.bytes, client.sign(calls)].map((bytes) => reader.parse(bytes));
    const isSame =
      old instanceof Submission &&
      same instanceof Submission &&
      Buffer.compare(old.content(), same.content()) === 0;
    if (!isSame) throw this.#otherJournal();
    try {
      const sent = client.resend(before.bytes, { signal: this.#connection.interrupted });
      return await finish(this.#connection, sent, before, this.#journal);
    } catch (error) {
      if (client.neverExecutes(error)) return null;
      throw error;
    }
  }

  #otherJournal(): UsageError {
    return new UsageError(
      `${this.#journal?.path} was saved of other transactions, or for another cluster: name another file`,
    );
  }

  /**
   * Signs and hands over to a node, without waiting. What was sent before is waited for, and handed over
   * anew only where it never executes.
   */
  async accept(calls: readonly Call[]): Promise<Submitted | Accepted> {
    const saved = this.#saved();
    this.#checkSavedUntil(calls.length, saved);
    const before = saved.get(0);
    const submitted = before === undefined ? null : await this.#sendAgain(before, calls);
    return submitted ?? this.#handOver(calls);
  }

  async #handOver(calls: readonly Call[]): Promise<Accepted> {
    const { client, signal } = this.#connection;
    signal.throwIfAborted();
    const bytes = client.sign(calls);
    const place = { from: 0, transactions: calls.length };
    this.#journal?.add({ ...place, bytes });
    const handed = handOver(client, bytes, signal);
    const taken = withNotice('waiting for a node to take the submission', handed);
    return leavingUnknown(this.#connection, taken, place, this.#journal);
  }
}

/** Waits until it is final. */
export function finish(
  connection: Connection,
  sent: Promise<Submitted>,
  place: Omit<Saved, 'bytes'>,
  journal: Journal | null,
): Promise<Submitted> {
  const final = withNotice('waiting for the submission to become final', sent);
  return leavingUnknown(connection, final, place, journal);
}

/** A submission of which nobody knows what became of it is left in a file that can be sent again. */
async function leavingUnknown<T>(
  { interrupted }: Connection,
  sent: Promise<T>,
  { from, transactions }: Omit<Saved, 'bytes'>,
  journal: Journal | null,
): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    process.stderr.write(`What became of submission ${error.id} is not known. `);
    leave({ from, transactions, bytes: error.bytes }, journal, error.id);
    throw interrupted.aborted ? interrupted.reason : error;
  }
}

/** So that it can be sent again: in a file, or where none can be written, as what would be in it. */
function leave(saved: Saved, journal: Journal | null, id: string): void {
  const file = journal ?? new Journal(`althing-${id.slice(0, 16)}.resend`);
  const how = `  althing submit --resend ${file.path}\n`;
  const why = 'To find out, and have it executed once at most';
  try {
    if (journal === null) file.add(saved);
    process.stderr.write(`${why}:\n${how}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `${why}, put this line into a file and send that (none was written: ${reason}):\n` +
        `${how}${lineOf(saved)}\n`,
    );
  }
}

type Limits = Connection['client']['cluster']['limits'];

function sizesOf(saved: ReadonlyMap<number, Saved>): ReadonlyMap<number, number> {
  return new Map([...saved.values()].map(({ from, transactions }) => [from, transactions]));
}

/** As many calls as a submission takes; as many as before where they were sent before. */
async function* chunked(
  calls: AsyncIterable<Call>,
  { transactionsPerSubmissionMax, submissionBytesMax }: Limits,
  sizes: ReadonlyMap<number, number>,
): AsyncGenerator<readonly Call[], void> {
  let chunk: Call[] = [];
  let bytes = SUBMISSION_BYTES;
  let from = 0;
  for await (const call of calls) {
    const size = callBytes(call);
    const max = sizes.get(from) ?? transactionsPerSubmissionMax;
    if (chunk.length > 0 && (chunk.length >= max || bytes + size > submissionBytesMax)) {
      yield chunk;
      from += chunk.length;
      chunk = [];
      bytes = SUBMISSION_BYTES;
    }
    chunk.push(call);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
