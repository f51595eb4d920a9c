/** A node that serves, its document, and what is needed to hold one against the other. */
import type { ExecutionContext } from 'ava';
import { start, type BindingName, type Started } from '../http/start.ts';
import { evidenceBy } from '../http/evidence.ts';
import { API_TOKEN, signers } from '../http/test-node.ts';
import { Checker } from './checker.ts';
import { RawClient } from './client.ts';
import type { Document } from './document.ts';
import { Requests } from './requests.ts';

/** What the voting machine finds. */
const VOTED = ['doubleVote', 'doubleFirst', 'hiddenCommit'] as const;
export const credential = { authorization: `Bearer ${API_TOKEN}` };

export interface Served extends Started {
  readonly document: Document;
  readonly checker: Checker;
  readonly requests: Requests;
  readonly client: RawClient;
}

export async function serve(t: ExecutionContext, binding: BindingName): Promise<Served> {
  const started = await start(t, binding);
  const { cluster, found } = started.port;
  const accused = { cluster, signer: signers[3]!, index: 3 };
  found.shelves[0]!.push(...VOTED.map((kind) => evidenceBy(accused, kind)));
  found.shelves[4]!.push(evidenceBy(accused, 'doubleBatch'));
  const client = new RawClient(started.url);
  t.teardown(() => client.close());
  const { body } = await client.send({ method: 'GET', path: '/openapi.json', headers: {} });
  const document = JSON.parse(new TextDecoder().decode(body)) as Document;
  const checker = new Checker(document);
  const requests = new Requests(document, checker, credential);
  return { ...started, document, checker, requests, client };
}
