/**
 * Everything that clients asked and were told, held to the one order in which the chain has it
 * (docs/simulator.md): what was asked is executed beside the cluster by models of the modules, in that
 * order, and every outcome, every read and every timer must be theirs.
 */
import { Writer } from '../../../protocols/bytes.ts';
import type { SubmissionReceipts } from '../../../protocols/submission-receipts.ts';
import { decodeCalls } from '../../../protocols/transaction/calls.ts';
import { decodeReceipts, type Receipt } from '../../../protocols/transaction/receipts.ts';
import type { Digest } from '../../../protocols/types.ts';
import type { Report } from '../observer.ts';
import type { Wish } from '../submissions.ts';
import type { World } from '../world.ts';
import { Invariants } from './invariants.ts';
import { difference, textOf, type Args, type Outcome } from './model.ts';
import { outOfOrder } from '../../../bench/histories/order.ts';
import { Reference } from './reference.ts';
import { Witness, type WitnessedBlock } from './witness.ts';

/** A read that was answered from the state of `height`. */
export interface Read {
  /** Who answered, in which of its lives. */
  readonly reader: string;
  readonly module: string;
  readonly query: string;
  readonly args: Args;
  readonly height: number;
  readonly outcome: Outcome;
}

/** Reads whose answers name what only the cluster can name are held to the invariants alone. */
const UNMODELLED: ReadonlySet<string> = new Set(['ledger.accounts', 'ledger.supply']);
/** What a node says that will not answer now. */
const NOT_NOW: ReadonlySet<string> = new Set(['overloaded', 'catching_up']);

export class History {
  readonly witness: Witness;
  readonly coverage = { replayed: 0, refused: 0, timersRun: 0, readsChecked: 0, upgrades: 0 };
  readonly #world: World;
  readonly #report: Report;
  readonly #reads: Read[] = [];
  /** By reader: the newest height that it has answered from. */
  readonly #heights = new Map<string, number>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
    this.witness = new Witness(report);
  }

  /** What a node answered, in the order of the answers: it never goes back. */
  read(read: Read): void {
    const { outcome, height, reader, module, query } = read;
    if (!outcome.ok && NOT_NOW.has(outcome.code)) return;
    const before = this.#heights.get(reader) ?? 0;
    if (height < before) {
      this.#complain(`${reader} answers ${module}.${query} from ${height} after ${before}`);
    }
    this.#heights.set(reader, Math.max(height, before));
    this.#reads.push(read);
  }

  /** Everything at once, when all is over. */
  check(wishes: readonly Wish[]): void {
    const { cluster } = this.#world;
    const replay = new Replay(this.#world, wishes, this.coverage, (detail) =>
      this.#complain(detail),
    );
    const reads = new Map<number, Read[]>();
    for (const read of this.#reads) {
      const others = reads.get(read.height);
      if (others === undefined) reads.set(read.height, [read]);
      else others.push(read);
    }
    const reference = new Reference(cluster.genesis);
    for (const read of reads.get(0) ?? []) replay.read(reference, read);
    for (const block of this.witness.blocks()) {
      replay.block(reference, block);
      for (const read of reads.get(block.height) ?? []) replay.read(reference, read);
    }
    replay.finish();
    this.#expectRealTime(wishes);
  }

  /** What was answered before another was asked stands before it. */
  #expectRealTime(wishes: readonly Wish[]): void {
    const operations = wishes.flatMap(({ label, told, askedUs, answeredUs }) =>
      told === null ? [] : [{ label, askedAt: askedUs, answeredAt: answeredUs, ...told }],
    );
    const complaint = outOfOrder(operations);
    if (complaint !== null) this.#complain(complaint);
  }

  #complain(detail: string): void {
    this.#report('history', detail);
  }
}

const placeOf = ({ height, index }: SubmissionReceipts): string => `${height}/${index}`;

class Replay {
  readonly #world: World;
  readonly #wishes = new Map<Digest, Wish>();
  readonly #places = new Map<Wish, SubmissionReceipts>();
  readonly #invariants: Invariants;
  readonly #coverage: History['coverage'];
  readonly #complain: (detail: string) => void;
  #height = 0;

  constructor(
    world: World,
    wishes: readonly Wish[],
    coverage: History['coverage'],
    complain: (detail: string) => void,
  ) {
    this.#world = world;
    this.#coverage = coverage;
    this.#complain = complain;
    this.#invariants = new Invariants(complain);
    for (const wish of wishes) {
      const forms = wish.signed ? 1 : world.cluster.n;
      for (let form = 0; form < forms; form++) this.#wishes.set(wish.idFor(form), wish);
    }
  }

  block(reference: Reference, block: WitnessedBlock): void {
    const { height, receipts } = block;
    this.#height = height;
    const due = reference.startBlock(block);
    const [first] = receipts;
    const ran = first?.sender === '' ? first : null;
    this.#expectTimers(block, ran, due);
    for (const each of ran === null ? receipts : receipts.slice(1))
      this.#submission(reference, each);
  }

  read(reference: Reference, { reader, module, query, args, height, outcome }: Read): void {
    this.#coverage.readsChecked++;
    const where = `${reader} answers ${module}.${query} ${JSON.stringify(args)} at ${height}`;
    this.#invariants.read(`${reader} at ${height}`, module, query, outcome);
    if (!UNMODELLED.has(`${module}.${query}`)) {
      this.#expectSame(where, outcome, reference.answer(module, query, args), true);
    }
  }

  /** What clients were told is what the chain says. */
  finish(): void {
    for (const wish of new Set(this.#wishes.values())) {
      const { told, label } = wish;
      if (told === null || told.height > this.#height) continue;
      const place = this.#places.get(wish);
      const isThere = place?.height === told.height && place.index === told.index;
      if (isThere && Buffer.compare(place.encoded, told.encoded) === 0) continue;
      const found = place === undefined ? 'has none' : `has it at ${placeOf(place)}`;
      this.#complain(`${label} was told a receipt at ${placeOf(told)}, the chain ${found}`);
    }
  }

  #submission(reference: Reference, receipts: SubmissionReceipts): void {
    const wish = this.#wishes.get(receipts.id);
    const at = placeOf(receipts);
    if (wish === undefined) return this.#complain(`nobody asked for what is at ${at}`);
    const earlier = this.#places.get(wish);
    if (earlier !== undefined) {
      this.#complain(`${wish.label} is executed at ${placeOf(earlier)} and at ${at}`);
    }
    this.#places.set(wish, receipts);
    const decoded = decodeReceipts(receipts);
    if (decoded?.length !== wish.calls.length) {
      return this.#complain(`${wish.label} has other receipts than transactions`);
    }
    for (const [index, call] of wish.calls.entries()) {
      const receipt = decoded[index]!;
      const said = saidBy(receipt);
      const expected = reference.run(call, wish.sender, receipt.result);
      const where = `${wish.label} ${call.module}.${call.command} ${textOf(call.args)} at ${at}+${index}`;
      this.#expectSame(where, said, expected, false);
      this.#invariants.executed(receipt);
      this.#coverage.replayed++;
      if (!expected.ok) this.#coverage.refused++;
      if (call.module === 'clockwork' && said.ok && (said.result as Args)['version'] === 2) {
        this.#coverage.upgrades++;
      }
    }
  }

  #expectTimers(
    { height, digest }: WitnessedBlock,
    ran: SubmissionReceipts | null,
    due: ReadonlyMap<string, readonly string[]>,
  ): void {
    const found = new Map<string, string[]>([...due.keys()].map((module) => [module, []]));
    if (ran !== null) this.#readTimers(ran, digest, found);
    for (const [module, expected] of due) {
      const said = found.get(module)!;
      if (said.join() === expected.join()) continue;
      const list = (names: readonly string[]): string => `[${names.join(', ')}]`;
      this.#complain(
        `timers of ${module} at height ${height}: ${list(said)}, expected ${list(expected)}`,
      );
    }
  }

  #readTimers(ran: SubmissionReceipts, digest: Digest, found: Map<string, string[]>): void {
    const id = this.#world.crypto.hash(new Writer(64).text('althing/v1/timers').hex(digest).take());
    const receipts = decodeReceipts(ran);
    const calls = decodeCalls(ran.calls, ran.txCount);
    if (ran.id !== id || receipts === null || calls === null) {
      return this.#complain(`what ran by itself at ${placeOf(ran)} is not named as it must be`);
    }
    let at = 0;
    for (const { count, module, command } of calls) {
      for (let run = 0; run < count; run++) {
        const receipt = receipts[at++]!;
        this.#coverage.timersRun++;
        this.#invariants.executed(receipt);
        const rang = receipt.events.find(({ name }) => name === 'rang');
        const name = rang === undefined ? '' : ` ${(rang.data as Args)['name'] as string}`;
        found.get(module)?.push(`${command}${name}`);
        if (receipt.status !== 'ok') {
          this.#complain(`${module}.${command} failed at ${placeOf(ran)}: ${receipt.error?.code}`);
        }
      }
    }
  }

  #expectSame(where: string, said: Outcome, expected: Outcome, isPart: boolean): void {
    const complaint = difference(said, expected, isPart);
    if (complaint !== null) this.#complain(`${where}: ${complaint}`);
  }
}

function saidBy({ status, result, error }: Receipt): Outcome {
  return status === 'ok' ? { ok: true, result } : { ok: false, code: error?.code ?? '' };
}
