/** What nodes tell of modules that are no part of this software, and how far one of them is believed. */
import test from 'ava';
import { Declarations } from '../../src/cli/declarations.ts';
import { UsageError } from '../../src/cli/command.ts';
import type { Connection } from '../../src/cli/connection.ts';
import { Nodes } from '../../src/client/nodes.ts';

const vote = { sort: 'command', module: 'poll', name: 'vote' } as const;
const schemas = (each: object): string => JSON.stringify({ components: { schemas: each } });
const taking = (choice: object): string =>
  schemas({
    'poll.vote.arguments': { type: 'object', required: ['choice'], properties: { choice } },
  });

const sound = taking({ type: 'integer' });
const refusing = taking({ type: 'string', maxLength: 0 });
const without = schemas({ 'poll.close.arguments': { type: 'object' } });

/** Nodes with these documents, of which one may be faulty, and how often they were asked. */
function clusterOf(documents: readonly string[]) {
  const asked = documents.map(() => 0);
  const fetch = (url: string): Promise<Response> => {
    const node = Number(new URL(url).hostname.slice(1));
    asked[node]!++;
    return Promise.resolve(new Response(documents[node]));
  };
  const nodes = new Nodes({
    urls: documents.map((_, node) => `http://n${node}`),
    fetch: fetch as unknown as typeof globalThis.fetch,
  });
  const connection = {
    client: { nodes, cluster: { faultyMax: 1 } },
    signal: new AbortController().signal,
  };
  return { declarations: new Declarations(connection as unknown as Connection), asked };
}

for (const [name, document] of [
  ['refuses the arguments', refusing],
  ['lacks the command', without],
  ['lacks the module', '{}'],
  ['has no modules', '{"paths":7,"components":{"schemas":[]}}'],
  ['is null', 'null'],
] as const) {
  test(`X2: a document that ${name} is one node's word, and of f + 1 it is believed`, async (t) => {
    const outvoted = clusterOf([document, sound, sound]);
    t.deepEqual(await outvoted.declarations.canonical(vote, { choice: '7' }), { choice: 7 });
    for (const documents of [[document, without, sound], [document]]) {
      const { declarations } = clusterOf(documents);
      await t.throwsAsync(declarations.canonical(vote, { choice: '7' }), {
        instanceOf: UsageError,
      });
    }
  });
}

test('X2: what arguments of a command mean is no word of one node', async (t) => {
  const text = taking({ type: 'string' });
  const { declarations } = clusterOf([text, sound, sound]);
  t.deepEqual(await declarations.canonical(vote, { choice: '7' }), { choice: 7 });
  for (const documents of [
    [text, sound],
    [text, sound, taking({ type: 'boolean' })],
    [refusing, sound],
  ]) {
    const divided = clusterOf(documents);
    await t.throwsAsync(divided.declarations.canonical(vote, { choice: '7' }), {
      code: 'nodes_disagree',
      message: /^too few nodes tell what poll vote takes, or not the same/,
    });
  }
});

test('the arguments of a query are taken when one node takes them', async (t) => {
  const get = {
    operationId: 'query.poll.tally',
    parameters: [{ name: 'choice', required: true, schema: { type: 'integer' } }],
  };
  const document = JSON.stringify({ paths: { '/poll/tally': { get } } });
  const { declarations } = clusterOf(['hello', '{}', document]);
  const tally = { sort: 'query', module: 'poll', name: 'tally' } as const;
  t.deepEqual(await declarations.canonical(tally, { choice: '7' }), { choice: 7 });
});

const DEPTH = 100_000;
const deep = `${'{"type":"object","properties":{"choice":'.repeat(DEPTH)}{}${'}}'.repeat(DEPTH)}`;

for (const [name, document] of [
  ['is nested without end', schemas({ 'poll.vote.arguments': 0 }).replace('0', deep)],
  ['is no JSON', 'hello'],
  ['has a pattern that is none', taking({ type: 'string', pattern: '(' })],
  ['has words that are none', taking({ type: 'null', description: { toString: 1, valueOf: 1 } })],
] as const) {
  test(`a document that ${name} says nothing, and others are asked`, async (t) => {
    const { declarations } = clusterOf([document, sound, sound]);
    t.deepEqual(await declarations.canonical(vote, { choice: '7' }), { choice: 7 });
  });
}

test('documents are asked for once', async (t) => {
  const { declarations, asked } = clusterOf([refusing, sound, sound]);
  for (const choice of ['7', '8']) await declarations.canonical(vote, { choice });
  t.deepEqual(asked, [1, 1, 1]);
});

test('what a node tells is a usage error of one printable line', async (t) => {
  const { declarations } = clusterOf([
    taking({ type: 'string', maxLength: 0, description: '\u001b[2J\nalthing: done' }),
  ]);
  const error = await t.throwsAsync(declarations.canonical(vote, { choice: 'a' }));
  t.is(error?.message, 'poll vote, argument choice: expected ?[2J?althing: done');
});

test('built-in modules are known without a node', async (t) => {
  const { declarations, asked } = clusterOf([refusing]);
  const set = { sort: 'command', module: 'kv', name: 'set' } as const;
  const args = { namespace: 'n', key: 'k', value: 1 };
  t.deepEqual(await declarations.canonical(set, args, 'json'), args);
  const none = declarations.canonical({ ...set, name: 'toString' }, args);
  await t.throwsAsync(none, { instanceOf: UsageError, message: /^kv has no command toString/ });
  t.deepEqual(asked, [0]);
});
