import test from 'ava';
import { Allowance, Meter } from '../../protocols/transaction/meter.ts';
import {
  type Command,
  type Module,
  ModuleRefusal,
  OverBudget,
} from '../../protocols/transaction/module.ts';
import { Queries } from '../../protocols/transaction/queries.ts';
import { Chain, clusterOf, finalBlock, receiptsOf, signed, START_MS } from './fixture.ts';
import { scratch } from './modules.ts';

const STEPS = 1000;
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
          for (let i = 0; i < (count as number); i++) schedule(START_MS, 'spend', STEPS);
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

const chainOf = () => new Chain(clusterOf({ stepsMax: STEPS }), [module]);
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

test('I130: timers that took as much as a submission may leave the others to the next block', (t) => {
  const chain = chainOf();
  chain.run(signed(0, calls('later', SHARE + 3)));
  t.is(receiptsOf(chain.run()).length, SHARE);
  t.deepEqual(codes(receiptsOf(chain.run())), [0, 0, 0]);
  t.is(receiptsOf(chain.run()).length, 0);
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

test('I130: steps are never given back, and what is no count of them is all that is left', (t) => {
  for (const steps of [-1, -(2 ** 31), Number.NaN]) {
    const meter = new Meter();
    meter.left = STEPS;
    t.throws(() => meter.spend(steps), { instanceOf: OverBudget });
  }
  const allowance = new Allowance(clusterOf({ stepsMax: STEPS }).genesis.limits);
  for (const left of [STEPS + 1, Number.NaN, -1]) {
    allowance.startSubmission();
    allowance.startTransaction();
    allowance.meter.left = left;
    t.is(allowance.endTransaction(), STEPS / 256, String(left));
  }
});
