/** Random sequences of events against the model: the same codes, the same balances, and conservation. */
import test from 'ava';
import fc from 'fast-check';
import type { Value } from '../../../protocols/transaction/values.ts';
import { alice, bob, START_MS } from '../../transaction/fixture.ts';
import { World } from '../run.ts';
import { Model, type ModelEvent } from './model.ts';

const MAX = 2n ** 63n - 1n;
const names = { alice: `key:${alice.publicKey}`, bob: `key:${bob.publicKey}` };
const LIMITED = 'debitsMustNotExceedCredits';
const OWED = 'creditsMustNotExceedDebits';

/** Accounts by name: owner, flags, asset. */
const accounts: readonly (readonly [string, 'alice' | 'bob', readonly string[], string])[] = [
  ['bank', 'alice', ['history'], 'unit'],
  ['a', 'alice', [LIMITED], 'unit'],
  ['b', 'bob', [LIMITED, 'history'], 'unit'],
  ['owed', 'alice', [OWED], 'unit'],
  ['mint', 'alice', [], 'EUR'],
  ['e', 'alice', [LIMITED], 'EUR'],
];

const BLOCK_MS = 10;

function event(): fc.Arbitrary<ModelEvent> {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('bank', 'a', 'b') },
    { weight: 3, arbitrary: fc.constantFrom('owed', 'mint', 'e') },
    { weight: 1, arbitrary: fc.constantFrom('bank', 'a', 'b', 'nobody') },
  );
  const id = fc.nat(99).map(String);
  const amount = fc.oneof(
    { weight: 6, arbitrary: fc.bigInt({ min: 0n, max: 60n }) },
    { weight: 1, arbitrary: fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, MAX - 30n, MAX) },
  );
  const flag = (...flags: string[]) => fc.subarray(flags, { maxLength: 1 });
  const flags = fc
    .tuple(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant([]) },
        { weight: 6, arbitrary: fc.constant(['pending']) },
        { weight: 1, arbitrary: fc.constant(['pending', 'closingDebit']) },
        { weight: 1, arbitrary: fc.constant(['pending', 'closingCredit']) },
        { weight: 3, arbitrary: fc.constant(['postPendingTransfer']) },
        { weight: 2, arbitrary: fc.constant(['voidPendingTransfer']) },
        { weight: 1, arbitrary: fc.constant(['pending', 'postPendingTransfer']) },
      ),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        {
          weight: 1,
          arbitrary: flag('balancingDebit', 'balancingCredit', 'closingDebit', 'closingCredit'),
        },
      ),
      fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: flag('linked') }),
    )
    .map((parts) => parts.flat());
  const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  return fc
    .record({
      id: fc.option(id, { nil: undefined, freq: 6 }),
      from: fc.option(name, { nil: undefined, freq: 30 }),
      to: fc.option(name, { nil: undefined, freq: 30 }),
      amount: fc.option(amount, { nil: undefined, freq: 20 }),
      pendingId: fc.option(id, { nil: undefined, freq: 20 }),
      timeoutMs: fc.option(fc.constantFrom(1, 10, 15, 25), { nil: undefined, freq: 2 }),
      poster: fc.option(fc.constantFrom(...Object.values(names)), { nil: undefined, freq: 2 }),
      asset: rarely(fc.constantFrom('unit', 'EUR')),
      code: rarely(fc.integer({ min: 0, max: 2 })),
      userData: rarely(fc.constantFrom('x', 'y')),
      flags,
    })
    .map(sensible);
}

/** Mostly what makes sense, or the first checks are all that is ever seen. */
function sensible(event: Record<string, unknown> & { flags: string[] }): ModelEvent {
  const isResolving = event.flags.some((flag) => flag.endsWith('PendingTransfer'));
  const isPending = event.flags.includes('pending');
  const drop = new Set<string>();
  const keepsOdd = event['code'] === 1;
  if (isPending && event['id'] === undefined && !keepsOdd) event['id'] = event['pendingId'];
  if (!keepsOdd && isResolving)
    for (const each of ['from', 'to', 'timeoutMs', 'poster']) drop.add(each);
  if (!keepsOdd && !isResolving) drop.add('pendingId');
  if (!keepsOdd && !isPending) for (const each of ['timeoutMs', 'poster']) drop.add(each);
  const entries = Object.entries(event).filter(
    ([name, value]) => value !== undefined && !drop.has(name),
  );
  return Object.fromEntries(entries) as ModelEvent;
}

/**
 * The events with ids for the numbers in them: mostly one that is new, else an old one, now and then with
 * all that was said under it; and of a transfer that was pending as what is posted or voided.
 */
class Ids {
  readonly #events = new Map<string, ModelEvent>();
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  in(events: readonly ModelEvent[]): ModelEvent[] {
    return events.map((event) => this.#one(event));
  }

  #one(event: ModelEvent): ModelEvent {
    const { id, pendingId, ...rest } = event;
    const said: ModelEvent = rest;
    if (pendingId !== undefined) said.pendingId = this.#pick(this.#pending(), Number(pendingId));
    if (id === undefined) return said;
    const number = Number(id);
    if (number < 20 && this.#events.size > 0) {
      said.id = this.#pick([...this.#events.keys()], number);
      return number % 2 === 0 ? this.#events.get(said.id)! : said;
    }
    said.id = `t${this.#events.size}`;
    this.#events.set(said.id, said);
    return said;
  }

  #pending(): string[] {
    const transfers = [...this.#model.state.transfers];
    return transfers.filter(([, { flags }]) => flags.has('pending')).map(([id]) => id);
  }

  #pick(among: readonly string[], number: number): string {
    return among.at(-1 - (number % Math.min(6, among.length))) ?? 'none';
  }
}

/** As a client writes it. */
function argsOf(event: ModelEvent): Value {
  const { amount, ...rest } = event;
  if (amount === undefined) return rest as Value;
  return { ...rest, amount: amount < 2n ** 53n ? Number(amount) : amount } as Value;
}

interface Books {
  readonly world: World;
  readonly model: Model;
}

function open(): Books {
  const issuers = [names.alice];
  const world = new World({ ledger: { issuers, assets: [{ asset: 'EUR', issuers }] } });
  const model = new Model();
  const opened = accounts.map(([account, owner, flags, asset]) => {
    model.open(account, names[owner], flags, asset);
    return { account, owner: names[owner], flags, asset };
  });
  const args = { accounts: opened };
  world.run([{ module: 'ledger', command: 'createAccounts', args }]);
  return { world, model };
}

const sums = ['debitsPosted', 'creditsPosted', 'debitsPending', 'creditsPending'] as const;
type Shown = Readonly<Record<(typeof sums)[number] | 'account' | 'asset', string>> & {
  readonly flags: readonly string[];
};

function shown(world: World): readonly Shown[] {
  return (world.ask('ledger', 'accounts', { limit: 100 }) as { accounts: Shown[] }).accounts;
}

/** What is wrong with the books, as against the model; null when nothing is. */
function difference({ world, model }: Books): string | null {
  for (const each of shown(world)) {
    const expected = model.state.accounts.get(each.account);
    if (expected === undefined) continue;
    for (const sum of sums) {
      if (each[sum] !== expected[sum].toString()) {
        return `${each.account} ${sum}: ${each[sum]}, expected ${expected[sum]}`;
      }
    }
    if (each.flags.includes('closed') !== expected.flags.has('closed'))
      return `${each.account} closed`;
  }
  for (const [id, { status, amount }] of model.state.transfers) {
    const found = world.ask('ledger', 'transfer', { transfer: id }) as Record<string, unknown>;
    if ((found['status'] ?? 'none') !== status || found['amount'] !== amount.toString()) {
      return `${id}: ${JSON.stringify(found)}, expected ${status} ${amount}`;
    }
  }
  return null;
}

/** What is wrong with the sums of an asset; null when nothing is. */
function imbalance(world: World, asset: string): string | null {
  const of = shown(world).filter((each) => each.asset === asset);
  const total = (sum: (typeof sums)[number], some = of): bigint =>
    some.reduce((all, each) => all + BigInt(each[sum]), 0n);
  if (total('debitsPosted') !== total('creditsPosted')) return `${asset}: posted`;
  if (total('debitsPending') !== total('creditsPending')) return `${asset}: pending`;
  const held = of.filter(({ flags }) => flags.includes(LIMITED));
  const supply = (total('creditsPosted', held) - total('debitsPosted', held)).toString();
  const found = world.ask('ledger', 'supply', { asset }) as { supply: string };
  return found.supply === supply ? null : `${asset}: supply ${found.supply}, held ${supply}`;
}

test('Q1, Q2, Q4–Q7: codes, balances and states are those of TigerBeetle, and every asset balances', (t) => {
  const seen = new Map<string, number>();
  const step = fc.record({
    events: fc.array(event(), { minLength: 1, maxLength: 6 }),
    asBob: fc.integer({ min: 0, max: 3 }).map((of) => of === 0),
    blocks: fc.constantFrom(0, 0, 0, 1, 2),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 30 }), (steps) => {
      const books = open();
      const { world, model } = books;
      const fund = { from: 'bank', amount: 100n };
      const funds = [
        { ...fund, to: 'a' },
        { ...fund, to: 'b' },
        { from: 'mint', to: 'e', amount: 100n },
        { from: 'owed', to: 'b', amount: 50n },
      ];
      const ids = new Ids(model);
      for (const { events: numbered, asBob, blocks } of [
        { events: funds, asBob: false, blocks: 0 },
        ...steps,
      ]) {
        const events = ids.in(numbered);
        for (let block = 0; block < blocks; block++) world.chain.next([]);
        const time = START_MS + (world.chain.executor.height + 1) * BLOCK_MS;
        model.pulse(time);
        const expected = model.create(asBob ? names.bob : names.alice, time, events);
        const call = {
          module: 'ledger',
          command: 'createTransfers',
          args: { transfers: events.map(argsOf) },
        };
        // Timers of the block have receipts too, and come first.
        const receipt = world.receipts([call], asBob ? bob : alice).at(-1);
        t.is(receipt?.status, 'ok', JSON.stringify(receipt?.error));
        const codes = events.map(() => 'ok');
        const { failures } = receipt!.result as { failures: { index: number; result: string }[] };
        for (const { index, result } of failures) codes[index] = result;
        t.deepEqual(codes, expected);
        for (const code of codes) seen.set(code, (seen.get(code) ?? 0) + 1);
        t.is(difference(books), null);
        t.is(imbalance(world, 'unit') ?? imbalance(world, 'EUR'), null);
      }
    }),
    { numRuns: 150, includeErrorInReport: true },
  );
  const rare = [
    'exists',
    'exceeds_credits',
    'exceeds_debits',
    'overflows_debits_posted',
    'debit_account_already_closed',
    'credit_account_already_closed',
    'pending_transfer_expired',
    'exceeds_pending_transfer_amount',
    'not_poster',
  ];
  t.deepEqual(
    rare.filter((code) => !seen.has(code)),
    [],
    'what was never seen',
  );
});
