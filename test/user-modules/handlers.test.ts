/** What handlers of users' modules may do, and what it costs. */
import test from 'ava';
import type { Value } from '../../protocols/transaction/values.ts';
import { loadUserModule } from '../../src/modules/user/load.ts';
import { worldOf } from './files.ts';

const one = (body: string, asked = 'return 1;') => `
  tables: {
    rows: table('By key.', Type.Object({ n: Type.Integer({ minimum: 0 }), text: Type.Optional(Type.String()) }, strict), { byN: ({ n }) => String(n) }),
    texts: table('By key.', Type.String(), { byText: (row) => bad(row) }),
  },
  events: { said: event('Said.', Type.Object({ what: Type.String({ maxLength: 8 }) }, strict)) },
  timers: ({ timer }) => ({
    later: timer({ description: 'Later.', args: Type.Object({ n: Type.Integer() }, strict) }, ({ tables }, { n }) => { tables.rows.set('later', { n }); }),
  }),
  commands: ({ command }) => ({
    run: command({ description: 'Runs.', args: Any, result: AnyValue }, (context, { value }) => { const { tables, emit, schedule, call } = context; ${body} }),
  }),
  queries: ({ query }) => ({
    ask: query({ description: 'Asks.', args: Any, result: AnyValue }, (context, { value }) => { const { tables } = context; ${asked} }),
  })`;
/** Says something else than text of `bad`, `n` texts of `many n`, and one of `n` characters of `long n`. */
const top = `const texts = (row, n) => (row.startsWith("many") ? Array.from({ length: n }, (_, i) => "t" + i) : row.startsWith("long") ? "x".repeat(n) : row);
  const bad = (row) => (row === "bad" ? 5 : texts(row, Number(row.slice(5))));`;

function run(body: string, value: unknown = null) {
  const { result, error, events, fault } = worldOf(one(body), top).run('ann', 'run', { value });
  return error?.code === undefined
    ? { result, events }
    : { code: error.code, message: error.message, fault };
}

function code(body: string, value: unknown = null) {
  return (run(body, value) as { code?: string }).code;
}

test('U11: what is written, emitted, scheduled and returned fits its schema, or all is undone', (t) => {
  t.like(run("tables.rows.set('a', { n: -1 }); return 1;"), {
    code: 'invalid_row',
    message: 'a row of made.rows does not fit its schema',
  });
  t.is(code("tables.rows.set('a', { n: 1, more: 1 }); return 1;"), 'invalid_row');
  t.is(code("tables.rows.set('a', undefined); return 1;"), 'invalid_row');
  t.is(code("emit('said', { what: 'far too long' }); return 1;"), 'invalid_event');
  t.is(code("emit('unsaid', { what: 'x' }); return 1;"), 'module_fault');
  t.is(code("schedule(1, 'later', { n: 'x' }); return 1;"), 'invalid_timer');
  t.is(code("schedule(1, 'never', { n: 1 }); return 1;"), 'module_fault');
  t.is(code('return undefined;'), 'invalid_result');
  t.is(code('return 1.5;'), 'module_fault');
  t.is(code('return Any;'), 'invalid_result');
  t.is(code('return [refuse("a", "b")];'), 'invalid_result');
  t.is(code('return () => 1;'), 'module_fault');
  t.deepEqual(run("emit('said', { what: 'ok' }); return [1, 'x'];"), {
    result: [1, 'x'],
    events: [{ module: 'made', name: 'said', data: { what: 'ok' } }],
  } as never);
});

test('U11: a row that an index cannot place is not there', (t) => {
  t.is(code("tables.texts.set('a', 'bad'); return 1;"), 'module_fault');
  t.like(
    run(
      "tables.texts.set('a', 'good'); return tables.texts.pageBy('byText', { equals: 'good', limit: 1 }).rows;",
    ),
    { result: [['a', 'good']] },
  );
});

test('U16: an index says so many texts of a row and no more, and each costs what a row does', (t) => {
  const set = (row: string): string => `tables.texts.set('a', '${row}'); return 1;`;
  t.like(run(set('many 64')), { result: 1 });
  t.like(run(set('long 1024')), { result: 1 });
  const message =
    'the index made.texts.byText says at most 64 texts of at most 1024 characters of a row';
  t.like(run(set('many 65')), { code: 'invalid_row', message });
  t.like(run(set('long 1025')), { code: 'invalid_row', message });
  const often = (row: string): string =>
    `for (let i = 0; i < 200; i++) tables.texts.set('k' + i, '${row}'); return 1;`;
  t.like(run(often('many 1')), { result: 1 });
  t.is(code(often('many 64')), 'too_expensive');
  t.is(code(`${often('long 1024')}`.replace('200', '300')), 'too_expensive');
});

test('U15: what a check takes is told before it, and no constant bounds it', (t) => {
  const text = `import { defineModule, Type } from 'althing/module';
    const List = Type.Object({ list: Type.Array(Type.Integer()) });
    export default defineModule({ name: 'm', version: 1, description: 'M.', commands: ({ command }) => ({ c: command({ description: 'C.', args: List }, () => {}) }) });`;
  const { check, checkSteps } = loadUserModule({ file: 'm.js', text }).commands.get('c')!;
  const list = Array.from({ length: 100_000 }, (_, i) => i);
  t.true(checkSteps!({ list }) > 1_000_000);
  t.true(check({ list }));
  t.false(check({ list: [...list, 'x'] }));
  let deep: Value = 1;
  for (let i = 0; i < 40; i++) deep = [deep];
  t.is(checkSteps!(deep), 0);
  t.false(check(deep));
});

test('a page goes down when it is asked to', (t) => {
  const rows = "for (const n of [1, 2, 3]) tables.rows.set('k' + n, { n });";
  const keys = '.rows.map(([key]) => key)';
  for (const page of ['page({', "pageBy('byN', {"]) {
    const down = `${rows} return tables.rows.${page} limit: 2, reversed: true })${keys};`;
    t.like(run(down), { result: ['k3', 'k2'] });
    const up = `${rows} return tables.rows.${page} limit: 2, reversed: false })${keys};`;
    t.like(run(up), { result: ['k1', 'k2'] });
  }
});

test('rows cross by value', (t) => {
  const body = `const row = { n: 1 }; tables.rows.set('a', row); row.n = 2;
    const read = tables.rows.get('a'); read.n = 3; return [tables.rows.get('a').n, read.n];`;
  t.like(run(body), { result: [1, 3] });
});

test('what a handler gives the tables is looked at', (t) => {
  for (const body of [
    'tables.rows.get(5);',
    'tables.rows.get({});',
    "tables.rows.get('x'.repeat(2000));",
    'tables.rows.set(5, { n: 1 });',
    'tables.rows.delete(null);',
    'tables.rows.page();',
    'tables.rows.page({});',
    'tables.rows.page({ limit: 0 });',
    'tables.rows.page({ limit: 1.5 });',
    'tables.rows.page({ limit: 1, prefix: 5 });',
    'tables.rows.page({ limit: 1, reversed: 1 });',
    'tables.rows.page({ limit: 1, revresed: true });',
    "tables.rows.page({ limit: 1, equals: 'x' });",
    "tables.rows.pageBy('byN', { limit: 1, prefx: 'x' });",
    "tables.rows.pageBy('none', { limit: 1 });",
    "tables.rows.pageBy('byN', { limit: 1, equals: 5 });",
    "schedule('now', 'later', { n: 1 });",
    'call(5, 6, 7);',
    "call('kv', 'set', {}, 5);",
    "call('kv', 'set');",
  ]) {
    const ran = run(`${body} return 1;`) as { code?: string };
    t.is(ran.code, 'module_fault', `${body} ${JSON.stringify(ran)}`);
  }
});

test('a range with a member that there is not is refused by its name', (t) => {
  const { fault } = run('tables.rows.page({ limit: 1, revresed: true }); return 1;') as {
    fault: string;
  };
  t.regex(fault, /a range has no revresed here, but prefix, after, limit, reversed/);
});

test('a query changes nothing, and has no way to', (t) => {
  const world = worldOf(one('return 1;', "tables.rows.set('a', { n: 1 }); return 1;"), top);
  t.throws(() => world.ask('ask', {}), { message: /read_only/ });
  const calls = worldOf(one('return 1;', "context.emit('said', { what: 'x' }); return 1;"), top);
  t.throws(() => calls.ask('ask', {}), { message: /module_fault/ });
});

test('U11: whoever runs on, or takes too much, is stopped', (t) => {
  const bodies = [
    'for (;;);',
    'const f = () => f(); return f();',
    'let s = "x"; for (;;) s += s;',
    "for (let i = 0; ; i++) tables.rows.set('k' + i, { n: i });",
    "const text = 'x'.repeat(100000); for (let i = 0; ; i++) tables.rows.set('k', { n: i, text });",
    "for (;;) tables.rows.get('a');",
    "for (let i = 0; i < 100; i++) tables.rows.set('k' + i, { n: 1, text: 'x'.repeat(500) }); for (;;) tables.rows.page({ limit: 1000 });",
    "for (;;) emit('said', { what: 'x' });",
    'for (;;) context.random();',
    "for (;;) context.hash('x'.repeat(10000));",
    "for (;;) call('kv', 'unknown', {});",
    "try { for (;;) call('made', 'run', { value: 1 }); } catch {} return 1;",
    "return 'x'.repeat(100000);",
  ];
  for (const body of bodies) {
    const ran = run(body) as { code?: string };
    t.is(ran.code, 'too_expensive', `${body} ${JSON.stringify(ran).slice(0, 300)}`);
  }
});

test('a query that takes too much is answered so', (t) => {
  t.throws(() => worldOf(one('return 1;', 'for (;;);'), top).ask('ask'), {
    message: /too_expensive/,
  });
});

test('U15: what the check of a query takes is taken of its steps', (t) => {
  const world = worldOf(one('return 1;', 'return value.length;'), top);
  t.is(world.ask('ask', { value: Array<number>(20_000).fill(1) }), 20_000);
  // Less than a transaction may take to look at, and to copy; and more for both.
  t.throws(() => world.ask('ask', { value: Array<number>(60_000).fill(1) }), {
    message: /too_expensive/,
  });
});

test('a module that called itself goes on as itself', (t) => {
  const body = `if (value === 1) { emit('said', { what: 'inner' }); return 1; }
    call('made', 'run', { value: 1 });
    emit('said', { what: 'outer' });
    schedule(context.time + 1, 'later', { n: 1 });
    return context.random();`;
  const { events, result } = run(body) as { events: { data: unknown }[]; result: unknown };
  t.deepEqual(
    events.map(({ data }) => data),
    [{ what: 'inner' }, { what: 'outer' }],
  );
  t.not(result, undefined);
});

test('a module calls others, and itself, with the steps that it has', (t) => {
  const outer = `if (value === null) {
      const done = call('made', 'run', { value: 5 });
      const refused = call('made', 'run', { value: 'refuse' });
      const failed = call('made', 'run', { value: 'fail' });
      return [done, refusalOf(done), refusalOf(refused).code, refusalOf(failed).code, tables.rows.get('fail') === undefined];
    }
    if (value === 'refuse') return refuse('no_way', 'of no use');
    if (value === 'fail') { tables.rows.set('fail', { n: 1 }); tables.rows.set('fail', { n: -1 }); }
    return value;`;
  t.like(run(outer), { result: [5, null, 'no_way', 'invalid_row', true] });
  const passedOn =
    "return value === 1 ? refuse('no_way', 'x') : call('made', 'run', { value: 1 });";
  t.is(code(passedOn), 'no_way');
  t.is(
    code("if (value === 1) { for (;;); } call('made', 'run', { value: 1 }); return 1;"),
    'too_expensive',
  );
});

test('what a module calls of this software is as for others', (t) => {
  const body = `const done = call('kv', 'createNamespace', { namespace: 'made' }); return refusalOf(done)?.code ?? 'done';`;
  const ran = run(body) as { result: unknown };
  t.is(typeof ran.result, 'string');
});

test('timers run with what they were given', (t) => {
  const world = worldOf(
    one(
      "if (value === 1) return tables.rows.get('later').n; schedule(context.time + 10, 'later', { n: 7 }); return 1;",
    ),
    top,
  );
  world.run('ann', 'run', { value: 2 });
  t.is(world.advance(10).length, 1);
  t.is(world.run('ann', 'run', { value: 1 }).result, 7);
});

test('I130: what a module calls takes of its own steps and of its own stack', (t) => {
  const spinning = `if (value === 1) { let n = 0; for (let i = 0; i < 100000; i++) n += i * 3; return n; }
    for (let i = 0; i < value; i++) call('made', 'run', { value: 1 });
    return 'done';`;
  t.like(run(spinning, 2), { result: 'done' });
  t.is(code(spinning, 16), 'too_expensive');
  const deep = `const down = (n) => (n === 0 ? call('made', 'run', { value: value - 1 }) : down(n - 1));
    if (value === 0) return 'bottom';
    return down(60);`;
  t.like(run(deep, 1), { result: 'bottom' });
  t.is(code(deep, 6), 'too_expensive');
});
