/** docs/modules.md against what the modules declare, and what they declare against their source. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { builtInModules } from '../../src/modules/built-in.ts';
import { defineModule, event } from '../../src/modules/define.ts';
import { Type } from '../../src/module.ts';
import { ROOT } from '../repository/sources.ts';
import { documented, PAGE } from './documentation.ts';

const page = readFileSync(PAGE, 'utf8');

test('the page is what `npm run generate` writes', async (t) => {
  t.is(await documented(page, builtInModules), page);
});

const tickets = defineModule({
  name: 'tickets',
  version: 1,
  description: 'Tickets.',
  events: { sold: event('One was sold.', Type.Object({ to: Type.String() })) },
  commands: ({ command }) => ({
    sell: command(
      {
        description: 'Sells one.',
        args: Type.Object({ to: Type.String(), seat: Type.Optional(Type.Integer()) }),
        result: Type.Object({ rows: Type.Array(Type.Object({ seat: Type.Integer() })) }),
      },
      () => ({ rows: [] }),
    ),
  }),
  refusals: { sold_out: 'None is left.' },
});

test('a module that is new gets a section with its tables, and another run changes nothing', async (t) => {
  const once = await documented(page, [...builtInModules, tickets]);
  const section = once.split('\n## ').find((each) => each.startsWith('`tickets`')) ?? '';
  const squeezed = section.replaceAll(/ +/g, ' ');
  for (const row of [
    '| `sell` | `to`, `seat?` | `{rows: [{seat}]}` | Sells one. |',
    '| `sold` | `{to}` | One was sold. |',
    '| `sold_out` | None is left. |',
  ]) {
    t.true(squeezed.includes(row), row);
  }
  t.is(await documented(once, [...builtInModules, tickets]), once);
  const renamed = { ...tickets, refusals: { gone: 'None is left.' } };
  t.regex(await documented(once, [renamed]), /`gone`/);
});

test('the page has every code with which this software itself fails a transaction', (t) => {
  const files = ['runner.ts', '../../src/modules/user/load.ts', '../../src/modules/user/ports.ts'];
  const source = files.map((file) => readFileSync(`${ROOT}protocols/transaction/${file}`, 'utf8'));
  const codes = new Set(source.join('\n').match(/(?<=')[a-z]+(?:_[a-z]+)+(?=')/g));
  t.true(codes.has('too_expensive') && codes.has('invalid_row') && codes.has('read_only'));
  const section = page.slice(page.indexOf('\n## Refusals'));
  const missing = [...codes].filter((code) => !section.includes(`\`${code}\``));
  t.deepEqual(missing, []);
});

for (const { name, refusals } of builtInModules) {
  const folder = `${ROOT}src/modules/${name}`;
  const source = readdirSync(folder)
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
    .join('\n');

  test(`${name} declares every code with which it refuses, and no other`, (t) => {
    const refused = [...source.matchAll(/refuse\(\s*'(\w+)'/g)].map(([, code = '']) => code);
    const undeclared = refused.filter((code) => !Object.hasOwn(refusals, code));
    const unused = Object.keys(refusals).filter((code) => !source.includes(`'${code}'`));
    t.deepEqual({ undeclared, unused }, { undeclared: [], unused: [] });
  });
}
