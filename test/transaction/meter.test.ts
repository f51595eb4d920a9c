import test from 'ava';
import type { BlockResult } from '../../protocols/transaction/execution.ts';
import {
  ModuleRefusal,
  refuse,
  type Command,
  type Module,
} from '../../protocols/transaction/module.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import { RECEIPT_STEPS } from '../../protocols/transaction/meter.ts';
import { decodeReceipts } from '../../protocols/transaction/receipts.ts';
import { encodeValue } from '../../protocols/transaction/values.ts';
import { Chain, clusterOf, finalBlock, receiptsOf, signed, START_MS } from './fixture.ts';
import { scratch } from './modules.ts';

const STEPS = 1600;
const SHARE = 16;

/** Takes as many steps as it is told, and leaves a row. */
const run: Command['run'] = ({ meter, tables }, steps) => {
  tables['rows']!.set('spent', steps);
  meter.spend(steps as number);
  return meter.left;
};
const spend: Command = { name: 'spend', check: () => true, run };
const module: Module = {
  ...scratch,
  name: 'metered',
  commands: new Map([
    ['spend', spend],
    [
      'callSpend',
      {
        name: 'callSpend',
        check: () => true,
        run(context, steps) {
          context.call('metered', 'spend', steps);
          context.tables['rows']!.set('after', 1);
          return context.meter.left;
        },
      },
    ],
    // Takes twice what it is told before it sees that nothing fits.
    [
      'misfit',
      { ...spend, name: 'misfit', check: () => false, checkSteps: (steps) => 2 * Number(steps) },
    ],
    [
      'callMisfit',
      {
        ...spend,
        name: 'callMisfit',
        run(context, steps) {
          const outcome = context.call('metered', 'misfit', steps);
          return [outcome instanceof ModuleRefusal ? outcome.code : 'ran', context.meter.left];
        },
      },
    ],
    [
      'later',
      {
        name: 'later',
        check: () => true,
        run({ schedule }, count) {
          const [timers, steps] = count as [number, number];
          for (let i = 0; i < timers; i++) schedule(START_MS, 'spend', steps);
          return undefined;
        },
      },
    ],
  ]),
  timers: new Map([['spend', spend]]),
  queries: new Map([
    [
      'spend',
      {
        name: 'spend',
        check: () => true,
        run({ meter }, steps) {
          meter.spend(steps as number);
          return meter.left;
        },
      },
    ],
  ]),
};

const bytesOf = (result: BlockResult): number =>
  result.receipts.reduce((sum, { encoded }) => sum + encoded.length, 0);

/** Says so many characters: in its result, an event, or why it does nothing. */
const talks = (['result', 'event', 'refusal'] as const).map((how): Command => {
  const say: Command['run'] = ({ emit, tables }, count) => {
    tables['rows']!.set(how, count);
    const text = 'x'.repeat(count as number);
    if (how === 'refusal') return refuse('long', text);
    if (how === 'result') return text;
    emit('said', text);
    return undefined;
  };
  return { name: how, check: () => true, run: say };
});
/** Bytes of the receipt that cost nothing. */
const freeOf = (how: string): number =>
  128 + 4 * (1 + 'talking'.length + 1 + how.length + 4 + encodeValue(300).length);
/** Characters of the longest text that one transaction's steps pay for. */
function mostOf(how: string): number {
  const around = how === 'result' ? 1 : 1 + 2 + 1 + 'talking.said'.length;
  const text = 4 + encodeValue('x'.repeat(300)).length - 300;
  return freeOf(how) + STEPS / RECEIPT_STEPS - around - text;
}
const talking: Module = {
  ...scratch,
  name: 'talking',
  commands: new Map(talks.map((command) => [command.name, command])),
};
const MOST = mostOf('result');
const talk = (command: string, args: number) => ({ module: 'talking', command, args });

const chainOf = () => new Chain(clusterOf({ stepsMax: STEPS }), [module, talking]);
const calls = (command: string, args: number, count = 1) =>
  Array.from({ length: count }, () => ({ module: 'metered', command, args }));
const codes = (receipts: ReturnType<typeof receiptsOf>) =>
  receipts.map(({ error, result }) => error?.code ?? result);

test('I130: a transaction takes at most its steps, and what would take more leaves nothing', (t) => {
  const chain = chainOf();
  const submission = signed(0, [...calls('spend', STEPS), ...calls('spend', STEPS + 1)]);
  t.deepEqual(codes(receiptsOf(chain.run(submission))), [0, 'too_expensive']);
  t.is(chain.executor.state.tablesOf('metered')['rows']!.get('spent'), STEPS);
});

test('U15: I130: to see that arguments do not fit is paid for, and costs no more than there is', (t) => {
  const chain = chainOf();
  const each = [
    ...calls('misfit', STEPS / 2),
    ...calls('misfit', STEPS),
    ...calls('callMisfit', 9),
  ];
  t.deepEqual(codes(receiptsOf(chain.run(signed(0, each)))), [
    'invalid_args',
    'too_expensive',
    ['invalid_args', STEPS - 18],
  ]);
  const many = receiptsOf(chain.run(signed(1, calls('misfit', STEPS / 2, SHARE + 1))));
  t.deepEqual(codes(many), [
    ...Array.from({ length: SHARE }, () => 'invalid_args'),
    'too_expensive',
  ]);
});

test('I130: what a transaction calls counts with it, and ends it whole', (t) => {
  const chain = chainOf();
  const receipts = receiptsOf(
    chain.run(signed(0, [...calls('callSpend', STEPS - 1), ...calls('callSpend', STEPS + 1)])),
  );
  t.deepEqual(codes(receipts), [1, 'too_expensive']);
});

test('I130: the transactions of a submission share what SHARE of them may take', (t) => {
  const chain = chainOf();
  const receipts = receiptsOf(chain.run(signed(0, calls('spend', STEPS, SHARE + 2))));
  t.deepEqual(codes(receipts), [...Array(SHARE).fill(0), 'too_expensive', 'too_expensive']);
  const next = receiptsOf(chain.run(signed(1, calls('spend', STEPS))));
  t.deepEqual(codes(next), [0]);
});

test('I130: a timer never finds less than a transaction may take: it is left to the next block', (t) => {
  const chain = chainOf();
  const later = (seq: number, count: number, steps: number) =>
    chain.run(signed(seq, [{ module: 'metered', command: 'later', args: [count, steps] }]));
  later(0, SHARE + 3, STEPS);
  t.is(receiptsOf(chain.run()).length, SHARE);
  t.deepEqual(codes(receiptsOf(chain.run())), [0, 0, 0]);
  t.is(receiptsOf(chain.run()).length, 0);
  later(1, SHARE + 3, STEPS - 1);
  t.deepEqual(codes(receiptsOf(chain.run())), Array(SHARE).fill(1));
  t.deepEqual(codes(receiptsOf(chain.run())), [1, 1, 1]);
});

test('a step ends between two transactions of a submission, once they took enough', (t) => {
  const chain = chainOf();
  const budget = { left: 10 };
  const submission = signed(0, calls('spend', STEPS, 8));
  chain.executor.begin(finalBlock(1, [[0, [submission]]]), budget);
  let steps = 0;
  for (;;) {
    const result = chain.executor.advance(budget);
    steps++;
    if (result !== null) {
      t.deepEqual(codes(receiptsOf(result)), Array(8).fill(0));
      break;
    }
    budget.left = 10;
  }
  t.true(steps >= 3);
  t.deepEqual(chain.heard.length, 1);
});

test('I99: a query takes no more steps than a transaction may', (t) => {
  const queries = new Queries(chainOf().executor);
  const ask = (args: number) => queries.run({ module: 'metered', query: 'spend', args });
  t.deepEqual(ask(STEPS), { ok: true, value: 0 });
  t.like(ask(STEPS + 1), { ok: false, code: 'too_expensive' });
  t.deepEqual(ask(1), { ok: true, value: STEPS - 1 });
});

for (const how of ['result', 'event']) {
  test(`I131: a transaction pays for each byte that its ${how} puts into the receipt`, (t) => {
    const chain = chainOf();
    const run = (seq: number, count: number) =>
      chain.run(signed(seq, [talk(how, count)])).receipts[0]!;
    const most = mostOf(how);
    const fits = run(0, most);
    t.is(decodeReceipts(fits)![0]!.status, 'ok');
    t.is(fits.encoded.length, freeOf(how) + STEPS / RECEIPT_STEPS);
    const [tooLong] = decodeReceipts(run(1, most + 1))!;
    t.is(tooLong!.error?.code, 'too_expensive');
    t.deepEqual(tooLong!.events, []);
    t.is(chain.executor.state.tablesOf('talking')['rows']!.get(how), most);
  });
}

test('I131: a refusal in many words is paid, too, and cut short where it is not', (t) => {
  const chain = chainOf();
  const result = chain.run(signed(0, [talk('refusal', 200), talk('refusal', 900)]));
  t.deepEqual(codes(receiptsOf(result)), ['long', 'too_expensive']);
});

test('I131: the receipts of a submission hold what its steps pay for, and little more', (t) => {
  const chain = chainOf();
  const count = 500;
  const submission = signed(
    0,
    Array.from({ length: count }, () => talk('result', MOST)),
  );
  const result = chain.run(submission);
  t.is(codes(receiptsOf(result)).indexOf('too_expensive'), SHARE);
  t.true(bytesOf(result) < count * 128 + 4 * submission.length + (SHARE * STEPS) / RECEIPT_STEPS);
});

test('I131: what is paid in all receipts of a block is bounded, and the next block begins anew', (t) => {
  const chain = chainOf();
  const submissions = Array.from({ length: 40 }, (_, seq) =>
    signed(
      seq,
      Array.from({ length: SHARE }, () => talk('result', MOST)),
    ),
  );
  const result = chain.run(...submissions);
  const said = codes(receiptsOf(result));
  t.is(said.indexOf('too_expensive'), 512);
  t.is(said.lastIndexOf('x'.repeat(MOST)), 511);
  const next = receiptsOf(chain.run(signed(99, [talk('result', MOST)])));
  t.is(next[0]!.status, 'ok');
  // Each takes more than half of it, and leaves a part.
  for (const block of [1, 2]) {
    const some = Array.from({ length: 20 }, (_, at) =>
      signed(
        block * 100 + at,
        Array.from({ length: SHARE }, () => talk('result', MOST)),
      ),
    );
    t.is(codes(receiptsOf(chain.run(...some))).indexOf('too_expensive'), -1);
  }
});

test('I131: receipts count in a step of the executor, also those that were not paid', (t) => {
  const chain = chainOf();
  const calls = Array.from({ length: 100 }, () => talk('result', MOST));
  const budget = { left: 10 };
  chain.executor.begin(finalBlock(1, [[0, [signed(0, calls)]]]), budget);
  let turns = 1;
  while (chain.executor.advance(budget) === null) {
    budget.left = 10;
    turns++;
  }
  t.true(turns > 30);
});

test('arguments count in a step of the executor by their length', (t) => {
  const chain = chainOf();
  const long = { module: 'metered', command: 'spend', args: 'x'.repeat(5_000) };
  const budget = { left: 10 };
  chain.executor.begin(
    finalBlock(1, [[0, [signed(0, Array<typeof long>(100).fill(long))]]]),
    budget,
  );
  let turns = 1;
  while (chain.executor.advance(budget) === null) {
    budget.left = 10;
    turns++;
  }
  t.true(turns > 40, String(turns));
});

test('I132: timers are weighed by what they cost, not by how many they are', (t) => {
  const light: Module = { ...module, name: 'light' };
  const chain = new Chain(clusterOf({ stepsMax: 100 * 256 }), [module, light]);
  const later = (name: string, count: number, steps: number) => ({
    module: name,
    command: 'later',
    args: [count, steps],
  });
  chain.run(signed(0, [later('metered', 40, 100 * 256), later('light', 60, 0)]));
  const ran = receiptsOf(chain.run());
  const dear = (receipts: typeof ran) => receipts.filter(({ result }) => result === 0).length;
  t.is(dear(ran), 16);
  t.is(ran.length, 16 + 60);
  t.is(dear(ran.slice(0, 61)), 1);
});

test('I130: no code gives steps back, to its submission or to the turn of the executor', (t) => {
  const gift =
    (left: number): Command['run'] =>
    ({ meter }) => {
      meter.left = left;
      return undefined;
    };
  const giving: Module = {
    ...module,
    commands: new Map<string, Command>([
      ...module.commands,
      ['more', { name: 'more', check: () => true, run: gift(100 * STEPS) }],
      ['none', { name: 'none', check: () => true, run: gift(Number.NaN) }],
    ]),
  };
  const outcomes = (command: string, args: number, count: number) => {
    const chain = new Chain(clusterOf({ stepsMax: STEPS }), [giving]);
    const budget = { left: 1000 };
    const all = [...calls(command, args, count), ...calls('spend', STEPS, SHARE + 1)];
    chain.executor.begin(finalBlock(1, [[0, [signed(0, all)]]]), budget);
    const result = chain.executor.advance(budget);
    t.true(budget.left < 1000 - SHARE);
    return codes(receiptsOf(result!)).slice(count);
  };
  t.deepEqual(outcomes('more', 0, 4), [...Array(SHARE).fill(0), 'too_expensive']);
  for (const [command, args] of [
    ['none', 0],
    ['spend', -STEPS],
  ] as const) {
    const left = SHARE - 4;
    t.deepEqual(outcomes(command, args, 4), [
      ...Array(left).fill(0),
      ...Array(SHARE + 1 - left).fill('too_expensive'),
    ]);
  }
});
