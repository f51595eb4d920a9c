/** What transactions may take, one after the other. */
import test from 'ava';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { Allowance } from '../../protocols/transaction/meter.ts';

test('I131: steps that a transaction took pay for its receipt, and what one could not pay is its own', (t) => {
  const allowance = new Allowance({ ...DEFAULT_LIMITS, stepsMax: 1000 });
  const free = 128;
  allowance.startBlock();
  allowance.startSubmission();
  allowance.startTransaction(0);
  allowance.meter.spend(500);
  t.true(allowance.pays(free + 62), 'which costs 992, of which 500 are taken');
  t.is(allowance.endTransaction(), 992 / 256);
  allowance.startTransaction(0);
  allowance.meter.spend(1);
  t.false(allowance.pays(free + 63));
  t.is(allowance.endTransaction(), (1000 + 1008) / 256);
  allowance.startTransaction(0);
  allowance.meter.spend(1);
  t.is(allowance.endTransaction(), 1 / 256);
});

test('I130: each transaction begins at the bottom of the stack', (t) => {
  const allowance = new Allowance(DEFAULT_LIMITS);
  allowance.startSubmission();
  allowance.startTransaction(0);
  allowance.meter.depth = 200;
  allowance.endTransaction();
  allowance.startTransaction(0);
  t.is(allowance.meter.depth, 0);
});
