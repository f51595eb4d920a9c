/**
 * Every list of the read model at a million rows, by each of its filters: what is common, what is rare,
 * and what stands at the far end. The database is one of its own beside those of four idle nodes.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { list, prepareSession } from '../../src/read-model/pages.ts';
import { LISTS, type Parameters } from '../../src/read-model/queries.ts';
import type { Bed } from '../bed.ts';
import { BLOCK_MS, fillReadModel, PER_BLOCK, RARE_ONE, START_MS, WHALE } from '../lists-rows.ts';
import { progress, round, type Report } from '../report.ts';

const ROWS = 1_000_000;
const DATABASE = 'bench_lists';
const MS_MAX = 10;
/** What is slow by itself is slow so often in a row; what had to wait for the machine is not. */
const SLOW_TIMES = 3;
const ASKED = 200;
/** Before it counts: a session plans and reads from disk once. */
const WARM_UP = 5;

/** `at` is where in the chain, from 0 to 1, and another for each question. */
type Question = readonly [list: string, what: string, ask: (at: number) => Parameters];

export async function lists(bed: Bed): Promise<Report> {
  const { rows = ROWS } = bed.options;
  const postgres = bed.cluster.serverOf(0);
  await postgres.createDatabase(DATABASE);
  const url = postgres.url(DATABASE);
  await fillReadModel(url, rows, progress);
  const pool = new pg.Pool({ connectionString: url, max: 1, onConnect: prepareSession });
  try {
    const measured = [];
    for (const question of questionsOf(rows)) measured.push(await measure(pool, question));
    return reportOf(rows, measured);
  } finally {
    await pool.end();
  }
}

function questionsOf(rows: number): readonly Question[] {
  const heights = Math.ceil(rows / PER_BLOCK);
  const height = (at: number, most = heights): number => 1 + Math.floor(at * (most - 1));
  const time = (at: number, aheadMs = 0): string =>
    new Date(START_MS + height(at) * BLOCK_MS + aheadMs).toISOString();
  const id = (at: number): string =>
    createHash('sha256')
      .update(String(height(at)))
      .digest('hex');
  const transfer = (at: number): string => `out-${String(height(at, rows)).padStart(12, '0')}`;
  const hour = (at: number): Parameters => ({ since: time(at), until: time(at, 3_600_000) });
  const transactions: readonly (readonly [string, (at: number) => Parameters])[] = [
    ['newest', () => ({})],
    ['500 rows', (at) => ({ limit: 500, cursor: `${height(at)}.3` })],
    ['cursor', (at) => ({ cursor: `${height(at)}.3` })],
    ['id', (at) => ({ id: id(at) })],
    ['id of one', (at) => ({ id: `${id(at)}-7` })],
    ['module', (at) => ({ module: 'ledger', cursor: `${height(at)}.3` })],
    ['module, rare', () => ({ module: 'raffle' })],
    ['module of long ago', () => ({ module: 'auction' })],
    ['module that is none', () => ({ module: 'nothing' })],
    ['command', (at) => ({ command: 'kv.set', cursor: `${height(at)}.3` })],
    ['command, rare', () => ({ command: 'raffle.open' })],
    ['sender', (at) => ({ sender: `key:${Math.floor(at * 10_007)}` })],
    ['sender of a third', (at) => ({ sender: WHALE, cursor: `${height(at)}.3` })],
    ['sender, rare', () => ({ sender: RARE_ONE })],
    ['status', (at) => ({ status: 'failed', cursor: `${height(at)}.3` })],
    ['hour', hour],
    ['heights', (at) => ({ fromHeight: height(at), toHeight: height(at) + 100 })],
    ['module in an hour', (at) => ({ module: 'kv', ...hour(at) })],
    ['rare module in an hour', (at) => ({ module: 'raffle', ...hour(at) })],
    ['sender in an hour', (at) => ({ sender: WHALE, ...hour(at) })],
  ];
  const others: readonly Question[] = [
    ['blocks', 'newest', () => ({})],
    ['blocks', 'cursor', (at) => ({ cursor: String(height(at, rows)) })],
    ['blocks', 'hour', hour],
    ['consensus-votes', 'cursor', (at) => ({ cursor: `${height(at)}.validator-2` })],
    ['consensus-votes', 'validator', (at) => ({ validator: 'validator-1', ...hour(at) })],
    ['consensus-votes', 'validator, rare', () => ({ validator: 'validator-9' })],
    ['approvals', 'cursor', (at) => ({ cursor: `${height(at)}.3.0` })],
    ['approvals', 'round', (at) => ({ round: `round-${Math.floor(at * (rows / 4))}` })],
    ['approvals', 'voter', (at) => ({ voter: 'key:7', cursor: `${height(at)}.3.0` })],
    ['approvals', 'voter, rare', () => ({ voter: RARE_ONE })],
    ['approvals', 'status, rare', () => ({ status: 'expired' })],
    ['approvals', 'hour', hour],
    ['bridge-transfers', 'id', (at) => ({ id: transfer(at) })],
    ['bridge-transfers', 'cursor', (at) => ({ cursor: `${height(at)}.${transfer(at)}` })],
    ['bridge-transfers', 'status, rare', () => ({ status: 'open' })],
    ['bridge-transfers', 'direction', (at) => ({ direction: 'out', ...hour(at) })],
    ['bridge-transfers', 'direction, rare', () => ({ direction: 'in' })],
  ];
  return [...transactions.map(([what, ask]) => ['transactions', what, ask] as const), ...others];
}

interface Measured {
  readonly question: string;
  /** Of the last page. */
  readonly rows: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Of the questions asked, how many are slow by themselves. */
  readonly slow: number;
}

async function measure(pool: pg.Pool, [name, what, ask]: Question): Promise<Measured> {
  const asked = LISTS.find((each) => each.name === name)!;
  const took: number[] = [];
  let rows = 0;
  let slow = 0;
  const askOnce = async (parameters: Parameters): Promise<number> => {
    const startedAt = performance.now();
    rows = (await list(pool, asked, parameters)).page.rows.length;
    return performance.now() - startedAt;
  };
  for (let n = 0; n < WARM_UP + ASKED; n++) {
    // Places that have nothing to do with one another, the same in every run.
    const parameters = ask((n * 0.618_033_988_75) % 1);
    const ms = await askOnce(parameters);
    if (n < WARM_UP) continue;
    took.push(ms);
    let times = ms > MS_MAX ? 1 : 0;
    while (times > 0 && times < SLOW_TIMES && (await askOnce(parameters)) > MS_MAX) times++;
    if (times === SLOW_TIMES) slow++;
  }
  took.sort((a, b) => a - b);
  const share = (part: number): number => round(took[Math.ceil(took.length * part) - 1]!, 2);
  const question = `${name}: ${what}`;
  return { question, rows, p50: share(0.5), p99: share(0.99), max: share(1), slow };
}

function reportOf(rows: number, measured: readonly Measured[]): Report {
  const slowest = measured.toSorted((a, b) => b.p99 - a.p99)[0]!;
  const width = Math.max(...measured.map(({ question }) => question.length));
  return {
    scenario: 'lists',
    configuration: { rows, asked: ASKED },
    measured: { questions: measured },
    // With few rows there is nothing to show, and a busy machine is slow with any.
    violations: measured
      .filter(({ slow }) => slow > 0 && rows >= ROWS)
      .map(
        ({ question, slow }) => `${question}: ${slow} of ${ASKED} always take over ${MS_MAX} ms`,
      ),
    text: [
      `slowest       ${slowest.question}: p50 ${slowest.p50} ms, p99 ${slowest.p99} ms`,
      ...measured.map(
        ({ question, p50, p99, max, rows: shown }) =>
          `${question.padEnd(width)}  p50 ${p50}  p99 ${p99}  max ${max} ms, ${shown} rows`,
      ),
    ],
  };
}
