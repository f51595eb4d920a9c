/** Modules that are no part of this software: what a node tells of them is enough to speak to them. */
import { Type } from '@sinclair/typebox';
import test from 'ava';
import { builtInModules } from '../../src/modules/built-in.ts';
import { defineModule, table } from '../../src/modules/define.ts';
import { Amount, Bytes } from '../../src/modules/schema.ts';
import { between, serve } from './serving.ts';

const json = (text: string): unknown => JSON.parse(text);
const closed = { additionalProperties: false };

const notes = defineModule({
  name: 'notes',
  version: 1,
  description: 'Notes with a price.',
  tables: { notes: table('By name.', Type.Unknown()) },
  commands: ({ command }) => ({
    write: command(
      {
        description: 'Writes a note.',
        args: Type.Object(
          {
            name: Type.String({ pattern: '^[a-z]{1,8}$' }),
            paper: Type.Optional(Type.Union([Type.Literal('plain'), Type.Literal('lined')])),
            price: Amount,
            seal: Type.Optional(Bytes(4)),
            tags: Type.Optional(Type.Array(Type.String())),
            isOpen: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
      },
      ({ tables }, note) => tables.notes.set(note.name, note),
    ),
  }),
  queries: ({ query }) => ({
    note: query(
      {
        description: 'A note.',
        args: Type.Object({ name: Type.String() }, closed),
        result: Type.Any(),
      },
      ({ tables }, { name }) => tables.notes.get(name) ?? null,
    ),
  }),
});

const write = ['submit', 'notes', 'write', 'name=a', 'price=9223372036854775807'];

test('commands and queries are known by the OpenAPI document of a node', async (t) => {
  const { run } = await serve(t, [...builtInModules, notes]);
  const sent = await run([...write, 'seal=00ff', 'tags=["x"]', 'isOpen=true', 'paper=lined']);
  t.is(sent.code, 0, sent.stdout + sent.stderr);
  const found = await run(['get', 'notes', 'note', 'name=a', '--json']);
  t.like(json(found.stdout), {
    result: { name: 'a', price: '9223372036854775807', seal: '00ff', tags: ['x'], isOpen: true },
  });
});

test('what does not fit it ends with 2, what a module refuses with 1', async (t) => {
  const { run, genesis } = await serve(t, [...builtInModules, notes]);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['submit', 'notes', 'wirte'], /notes has no command wirte; it has write/],
    [['submit', 'notes', 'write', 'name=a'], /notes write, argument price: missing/],
    [[...write, 'seal=xy'], /argument seal: expected bytes as lower-case hex/],
    [[...write, 'tags=x'], /argument tags: expected a JSON list/],
    [
      ['submit', 'notes', 'write', 'name=Lunch', 'price=1'],
      /^althing: notes write, argument name: expected text that matches \^\[a-z\]\{1,8\}\$\n/,
    ],
    [[...write, 'tags=["x",7]'], /notes write, argument tags\.1: Expected string/],
    [[...write, 'paper=squared'], /notes write, argument paper: Expected union/],
    [[...write, 'colour=red'], /argument colour: unknown; expected name, paper, price/],
    [['get', 'notes', 'notes'], /notes has no query notes; it has note/],
    [['get', 'nodes', 'note'], /there is no module nodes; there are .*notes/],
    [['get', 'notes', 'note', 'name=a', '--genesis', genesis], /to verify what notes answers/],
  ];
  for (const [words, said] of cases) {
    const { code, stderr } = await run(words);
    t.is(code, 2, stderr);
    t.regex(stderr, said);
  }
});

test('X2: a node that denies a module, or what it takes, does so for itself alone', async (t) => {
  const { run, url } = await serve(t, [...builtInModules, notes]);
  const seal = { type: 'string', maxLength: 0, description: '\u001b[2J' };
  const schema = { type: 'object', required: ['seal'], properties: { seal } };
  const liar = await between(t, url, (asked, answer, pass) => {
    if (asked.url !== '/openapi.json') return pass();
    answer.end(JSON.stringify({ components: { schemas: { 'notes.write.arguments': schema } } }));
  });
  const other = await between(t, url, (_asked, _answer, pass) => pass());
  const ALTHING_URL = [liar, url, other].join();
  const sent = await run(write, { ALTHING_URL });
  t.is(sent.code, 0, sent.stderr);
  const found = await run(['get', 'notes', 'note', 'name=a'], { ALTHING_URL });
  t.is(found.code, 0, found.stderr);
  const alone = await run(['submit', 'notes', 'write', 'seal=x'], { ALTHING_URL: liar });
  t.is(alone.code, 2);
  t.is(alone.stderr, 'althing: notes write, argument seal: expected ?[2J\n');
});
