import test from 'ava';
import type { Value } from '../../protocols/transaction/values.ts';
import { Chain, receiptsOf, signed } from './fixture.ts';

/** What `scratch` answers when it has these commands run. */
function callAll(chain: Chain, calls: readonly Value[], seq = 0) {
  const call = { module: 'scratch', command: 'callAll', args: calls };
  return receiptsOf(chain.run(signed(seq, [call])))[0]!;
}

const rows = (chain: Chain, module: string) =>
  chain.executor.state.tablesOf(module)['rows']!.page({ limit: 1000 }).rows;

test('I118: a module calls a command of another one, as itself', (t) => {
  const chain = new Chain();
  const { result, events } = callAll(chain, [
    ['second', 'put', { key: 'a', value: 1 }],
    ['second', 'look', null],
    ['second', 'look', null, 'round-7'],
  ]);
  type Looked = { readonly sender: string; readonly via: string };
  const [put, look, lookAs] = result as unknown as [null, Looked, Looked];
  t.is(put, null);
  t.deepEqual([look.sender, look.via], ['module:scratch', '']);
  t.is(lookAs.sender, 'module:scratch/round-7');
  t.deepEqual(rows(chain, 'second'), [['a', 1]]);
  t.deepEqual(
    events.map(({ module, name }) => [module, name]),
    [
      ['second', 'looked'],
      ['second', 'looked'],
    ],
  );
});

test('I118: what is refused or throws is undone alone, with its events', (t) => {
  const chain = new Chain();
  const { result, events, status } = callAll(chain, [
    ['second', 'put', { key: 'before', value: 1 }],
    ['second', 'putThenRefuse', { key: 'before', value: 2 }],
    ['second', 'putThenThrow', { key: 'before', value: 3 }],
    ['second', 'put', { key: 'after', value: 4 }],
  ]);
  t.is(status, 'ok');
  t.deepEqual(result as unknown, [null, 'changed_my_mind', 'module_fault', null]);
  t.deepEqual(rows(chain, 'second'), [
    ['after', 4],
    ['before', 1],
  ]);
  t.is(events.length, 0);
});

test('I47: what was called is undone with the transaction that called it', (t) => {
  const chain = new Chain();
  const { error } = callAll(chain, [['second', 'put', { key: 'a', value: 1 }], null]);
  t.is(error?.code, 'module_fault');
  t.deepEqual(rows(chain, 'second'), []);
});

test('I118: the sender of the caller is its own again after the call', (t) => {
  const chain = new Chain();
  const { result } = callAll(chain, [
    ['second', 'callAll', [['scratch', 'look', null]]],
    ['second', 'look', null],
  ]);
  const [[inner], outer] = result as [[{ sender: string }], { sender: string }];
  t.is(inner.sender, 'module:second');
  t.is(outer.sender, 'module:scratch');
});

test('calls that name nothing, do not fit or go too deep are refused', (t) => {
  const chain = new Chain();
  let deep: Value = [];
  for (let i = 0; i < 9; i++) deep = [['scratch', 'callAll', deep]];
  const { result } = callAll(chain, [
    ['nobody', 'put', null],
    ['second', 'nothing', null],
    ['second', 'put', 'no key'],
    ['second', 'callAll', deep],
  ]);
  const answers = result as readonly Value[];
  t.deepEqual(answers.slice(0, 3), ['unknown_module', 'unknown_command', 'invalid_args']);
  t.true(JSON.stringify(answers[3]).includes('calls_too_deep'));
});
