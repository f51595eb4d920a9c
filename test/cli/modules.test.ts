/** The commands of the modules, from their declarations. */
import test from 'ava';
import { Command } from 'commander';
import { moduleCommands } from '../../src/cli/modules.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { serve } from './serving.ts';

const silent = { print: () => undefined, line: () => Promise.resolve() };
const commands = moduleCommands(silent);
const json = (text: string): unknown => JSON.parse(text);

test('every command and query of every module has its command, and every argument its option', (t) => {
  for (const module of builtInModules) {
    const command = commands.get(module.name)!;
    t.is(command.description(), module.description);
    const names = command.commands.map((each) => each.name());
    const all = [
      ...Object.values(module.commandDefinitions),
      ...Object.values(module.queryDefinitions),
    ];
    t.is(names.length, all.length);
    t.is(new Set(names).size, names.length, names.join(' '));
    for (const [at, { description, schema }] of all.entries()) {
      const each = command.commands[at]!;
      t.is(each.description(), description);
      const options = each.options.map((option) => option.attributeName());
      t.is(
        new Set(options).size,
        options.length,
        `${module.name} ${each.name()}: ${options.join()}`,
      );
      const properties = Object.keys((schema['properties'] ?? {}) as object);
      t.deepEqual(options.slice(0, properties.length), properties);
      for (const common of ['url', 'timeout', 'genesis']) {
        t.true(options.includes(common) || options.some((name) => name.startsWith('client')));
      }
    }
  }
});

test('the help of a module command shows what its declaration says', (t) => {
  let help = '';
  const transfer = commands.get('ledger')!.commands.find((each) => each.name() === 'transfer')!;
  new Command().copyInheritedSettings(transfer);
  transfer.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  t.regex(help, /--amount <integer>/);
  t.regex(help, /What ledger refuses:\n/);
  t.regex(help, /--client-id <id>/);
  t.regex(help, /--id <text>/);
  const set = commands.get('kv')!.commands.find((each) => each.name() === 'set')!;
  for (const { long, description } of set.options) t.not(description, '', long);
  t.true(set.options.some(({ long }) => long === '--value-json'));
  const open = commands.get('voting')!.commands.find((each) => each.name() === 'open')!;
  const voters = open.options.find(({ long }) => long === '--voters')!;
  t.regex(
    voters.description,
    /1 to 128 voters: a JSON list such as \[\{"voter":"key:…","weight":1\}\]/,
  );
});

test('commands are sent and queries are asked', async (t) => {
  const { run, key, genesis } = await serve(t);
  const moved = await run([
    'ledger',
    'transfer',
    '--from',
    'alice',
    '--to',
    'bob',
    '--amount',
    '5',
  ]);
  t.is(moved.code, 0, moved.stderr);
  t.regex(moved.stdout, /^ok /);
  const account = ['ledger', 'account', '--account', 'bob'];
  t.regex((await run(account)).stdout, /^balance +5$/m);
  t.like(json((await run([...account, '--json'])).stdout), { result: { balance: '5' } });
  const verified = await run([...account, '--genesis', genesis, '--json']);
  t.like(json(verified.stdout), { verified: true, result: { balance: '5' } });

  const set = ['kv', 'set', '--namespace', 'n', '--key', 'k', '--value', 'v', '--prev-kv'];
  const written = await run([...set, '--client-key', key], { ALTHING_KEY: undefined });
  t.is(written.code, 0, written.stderr);
  t.like(json((await run(['kv', 'get', '--namespace', 'n', '--key', 'k', '--json'])).stdout), {
    result: { value: 'v' },
  });
  const json7 = ['kv', 'set', '--namespace', 'n', '--key', 'j', '--value-json', '{"a":[7,null]}'];
  const asJson = await run([...json7, '--client-key', key], { ALTHING_KEY: undefined });
  t.is(asJson.code, 0, asJson.stderr);
  t.like(json((await run(['kv', 'get', '--namespace', 'n', '--key', 'j', '--json'])).stdout), {
    result: { value: { a: [7, null] } },
  });
  const batch = JSON.stringify([{ delete: { key: 'k' } }]);
  const gone = await run(['kv', 'batch', '--namespace', 'n', '--ops', batch]);
  t.is(gone.code, 0, gone.stderr);
  const failed = await run(['ledger', 'transfer', '--from', 'alice', '--to', 'x', '--amount', '5']);
  t.is(failed.code, 1);
  t.regex(failed.stdout, /^failed .*credit_account_not_found/);
});

test('a query that has the name of a command is get-<name>', async (t) => {
  const { run } = await serve(t);
  const send = [
    'ledger',
    'transfer',
    '--from',
    'alice',
    '--to',
    'bob',
    '--amount',
    '5',
    '--id',
    'a1',
  ];
  const sent = await run(send);
  t.is(sent.code, 0, sent.stderr);
  const found = await run(['ledger', 'get-transfer', '--transfer', 'a1', '--json']);
  t.is(found.code, 0, found.stderr);
  t.like(json(found.stdout), { result: { amount: '5' } });
});

test('what does not fit is refused before a node is asked', async (t) => {
  const { run, port } = await serve(t);
  const transfer = ['ledger', 'transfer', '--from', 'alice', '--to', 'bob'];
  const set = ['kv', 'set', '--namespace', 'n', '--key', 'k'];
  const round = ['--round', 'r', '--required', '1', '--subject', 's', '--deadline', '1'];
  const open = ['voting', 'open', ...round, '--voters'];
  const nobody = { ALTHING_URL: 'http://127.0.0.1:1' };
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['ledger'], /Usage: althing ledger/],
    [['ledger', 'transfr'], /Did you mean transfer/],
    [['ledgr', 'transfer'], /Did you mean ledger/],
    [transfer, /--amount/],
    [[...transfer, '--amount', 'much'], /ledger transfer, argument amount: expected an integer/],
    [[...transfer, '--amount', '9223372036854775808'], /argument amount: expected/],
    [[...transfer, '--amount', '5', '--amuont', '5'], /--amuont/],
    [['kv', 'batch', '--namespace', 'n', '--ops', '{'], /argument ops: expected a JSON list/],
    [['kv', 'set', '--namespace', 'n', '--key', 'k'], /kv set, argument value: missing/],
    [[...set, '--value-json', '{'], /--value-json is not JSON/],
    [[...set, '--value-json', '1.5'], /--value-json .*integer of 53 bits/],
    [[...set, '--value', 'x', '--value-json', '1'], /cannot be used with option/],
    [['kv', 'import', 'nofile'], /^althing: cannot read nofile \(ENOENT\)\n$/],
    [
      [...open, '["key:a"]'],
      /argument voters\.0: .*; voters takes a JSON list such as \[\{"voter":"key:…","weight":1\}\]/,
    ],
    [['voting', 'rounds', '--status', 'closed'], /Allowed choices are open, /],
  ];
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await run(args, nobody);
    t.is(code, 2, `${args.join(' ')}: ${stderr}`);
    t.regex(stderr, said);
    t.is(stdout, '');
  }
  t.is(port.submitted, 0);
});
