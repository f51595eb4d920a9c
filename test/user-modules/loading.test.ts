import test from 'ava';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { loadUserModule, ModuleFileError } from '../../src/modules/user/load.ts';
import { testWorld } from '../../src/module-testing.ts';
import { madeText, RAFFLE, raffleText, worldOf } from './files.ts';

const loading = (text: string) => () => loadUserModule({ file: 'made.ts', text });

test('U12: the digest of a module is that of its text', (t) => {
  const text = raffleText();
  const module = loadUserModule({ file: RAFFLE, text });
  t.is(module.digest, nodeCrypto.hash(new TextEncoder().encode(text)));
  t.is(loadUserModule({ file: 'elsewhere.ts', text }).digest, module.digest);
  t.not(loadUserModule({ file: RAFFLE, text: `${text}\n` }).digest, module.digest);
});

test('the example of a new module does what it says', (t) => {
  const world = testWorld(RAFFLE);
  t.is(world.run('olga', 'open', { raffle: 'spring', forMs: 500 }).status, 'ok');
  t.is(world.run('ann', 'enter', { raffle: 'spring' }).status, 'ok');
  t.is(world.run('ann', 'enter', { raffle: 'none' }).error?.code, 'unknown_raffle');
  t.is(world.run('ann', 'enter', { raffle: 7 }).error?.code, 'invalid_args');
  const [drawn] = world.advance(500);
  t.like(drawn, {
    status: 'ok',
    events: [{ name: 'drawn', data: { raffle: 'spring', winner: 'principal:ann' } }],
  });
  t.like(world.ask('raffle', { raffle: 'spring' }), { winner: 'principal:ann' });
  t.throws(() => world.ask('raffle', { raffle: 'none' }), { message: /unknown_raffle/ });
});

const unusable: Readonly<Record<string, readonly [string, RegExp]>> = {
  'no default export': ['export const a = 1;', /export default defineModule/],
  'another default export': ['export default 5;', /export default defineModule/],
  'a syntax error': ['export default {', /^made\.ts:1:17: /],
  'what modules are not written with': ['const a = Date.now();', /^made\.ts:1:\d+: .*Date/],
  'an unknown import': [
    "import { defineModules } from 'althing/module';",
    /^made\.ts:1:\d+: althing\/module has no `defineModules`/,
  ],
  'a node module': ["import { readFileSync } from 'node:fs';", /^made\.ts:1:1: .*nothing else/],
  'a bad name of a module': [madeText('').replace("'made'", "'Made'"), /made\.ts: module "Made"/],
  'a schema that is none': [madeText("tables: { t: table('x', { type: 'string' }) }"), /a schema/],
  'a builder that is not there': [
    madeText("tables: { t: table('x', Type.Recursive((self) => self)) }"),
    /Type\.Recursive is not for modules; there are Array/,
  ],
  'an unknown option': [
    madeText("tables: { t: table('x', Type.Array(AnyValue, { uniqueItems: true })) }"),
    /no option uniqueItems/,
  ],
  'an option of another type': [
    madeText("tables: { t: table('x', Type.Integer({ minimum: '0);process.exit(1);(' })) }"),
    /option minimum does not fit/,
  ],
  'a property that is no name': [
    madeText(`tables: { t: table('x', Type.Object({ "a' in b": AnyValue })) }`),
    /a property/,
  ],
  'a pattern that cannot be matched in linear time': [
    madeText("tables: { t: table('x', Type.String({ pattern: '^(?=a)b' })) }"),
    /the pattern .* cannot be used/,
  ],
  'a pattern that repeats too much': [
    madeText("tables: { t: table('x', Type.String({ pattern: '((a{100}){10}){10}' })) }"),
    /the pattern .* cannot be used/,
  ],
  'a pattern whose program is long': [
    madeText("tables: { t: table('x', Type.String({ pattern: 'a{900}b{900}' })) }"),
    /the pattern .* cannot be used/,
  ],
  'a schema that doubles': [
    madeText(
      "tables: { t: table('x', S6) }",
      [1, 2, 3, 4, 5, 6]
        .map(
          (n) =>
            `const S${n} = Type.Union([${n > 1 ? `S${n - 1}, S${n - 1}` : 'AnyValue, AnyValue'}]);`,
        )
        .join('\n'),
    ),
    /alternatives/,
  ],
  'code at the top': [
    madeText('', 'const f = () => { for (;;); }; const x = f();'),
    /the top of a module/,
  ],
};

for (const [what, [text, message]] of Object.entries(unusable)) {
  test(`a file with ${what} says where it cannot be a module`, (t) => {
    t.throws(loading(text), { instanceOf: ModuleFileError, message });
  });
}

test('a module has its part of the genesis, by its own schema', (t) => {
  const top = 'const Config = Type.Object({ first: Type.Integer() }, strict);';
  const body = `tables: { rows: table('x', Type.Integer()) },
    genesis: ({ tables }, json) => {
      const config = configOf('made', Config, json);
      tables.rows.set('first', config.first);
    },
    queries: ({ query }) => ({
      first: query({ description: 'x', args: Type.Object({}), result: Type.Integer() },
        ({ tables }) => tables.rows.get('first')),
    })`;
  t.is(worldOf(body, top, { first: 5 }).ask('first'), 5);
  t.throws(() => worldOf(body, top, { first: 'five' }), { message: /modules\.made first/ });
});

test('what a pattern does not match is told with the pattern, and how long it may be', (t) => {
  const text = madeText(`commands: ({ command }) => ({
    take: command({ description: 'Takes.', args: Type.Object({ word: Type.String({ pattern: '^[a-z]+$', maxLength: 9 }) }) }, () => undefined),
  })`);
  const catalog = new ModuleCatalog([loadUserModule({ file: 'made.ts', text })]);
  t.like(catalog.commandArgs('made', 'take', { word: 'Lunch' }), {
    field: 'word',
    message: 'expected text that matches ^[a-z]+$, of at most 9 characters',
  });
});
