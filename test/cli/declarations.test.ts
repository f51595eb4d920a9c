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

/** Nodes with these documents, of which one may be faulty, and in which order they were asked. */
function clusterOf(documents: readonly string[]) {
  const asked: number[] = [];
  const fetch = (url: string): Promise<Response> => {
    const node = Number(new URL(url).hostname.slice(1));
    asked.push(node);
    return Promise.resolve(new Response(documents[node]));
  };
  const nodes = new Nodes({
    urls: documents.map((_, node) => `http://n${node}`),
    fetch: fetch as unknown as typeof globalThis.fetch,
  });
  const connection = {
    client: { nodes, cluster: { faultyMax: 1 } },
    interrupted: new AbortController().signal,
    timeoutMs: 60_000,
  };
  return { declarations: new Declarations(connection as unknown as Connection), asked, nodes };
}

for (const [name, document] of [
  ['refuses the arguments', refusing],
  ['lacks the command', without],
  ['lacks the module', '{}'],
  ['has no modules', '{"paths":7,"components":{"schemas":[]}}'],
  ['is null', 'null'],
] as const) {
  test(`X2: a document that ${name} is one node's word, and of f + 1 it is believed`, async (t) => {
    const outvoted = clusterOf([document, sound, document, document]);
    const args = await outvoted.declarations.canonical(vote, { choice: '7' });
    t.deepEqual(args, { choice: 7 });
    t.deepEqual(outvoted.asked, [0, 1]);
    t.is(outvoted.nodes.order()[0], 1);
    for (const documents of [[document, without, sound], [document]]) {
      const { declarations, asked } = clusterOf(documents);
      await t.throwsAsync(declarations.canonical(vote, { choice: '7' }), {
        instanceOf: UsageError,
      });
      t.is(asked.length, Math.min(documents.length, 2));
    }
  });
}

const DEPTH = 100_000;
const deep = `${'{"type":"object","properties":{"choice":'.repeat(DEPTH)}{}${'}}'.repeat(DEPTH)}`;

for (const [name, document] of [
  ['is nested without end', schemas({ 'poll.vote.arguments': 0 }).replace('0', deep)],
  ['is no JSON', 'hello'],
  ['has a pattern that is none', taking({ type: 'string', pattern: '(' })],
  ['has words that are none', taking({ type: 'null', description: { toString: 1, valueOf: 1 } })],
] as const) {
  test(`a document that ${name} says nothing, and another node is asked`, async (t) => {
    const { declarations, nodes } = clusterOf([document, sound]);
    t.deepEqual(await declarations.canonical(vote, { choice: '7' }), { choice: 7 });
    t.deepEqual(nodes.order(), [1, 0]);
  });
}

test('a document that took arguments is asked for once, and others only where it refuses', async (t) => {
  const { declarations, asked } = clusterOf([taking({ type: 'boolean' }), sound]);
  for (const choice of ['true', 'false']) await declarations.canonical(vote, { choice });
  t.deepEqual(asked, [0]);
  for (const choice of ['7', '8']) await declarations.canonical(vote, { choice });
  t.deepEqual(asked, [0, 0, 1]);
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
  t.deepEqual(asked, []);
});
