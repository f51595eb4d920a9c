/** A node that serves, a key that may issue there, and the command that asks it. */
import { writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { generateKey } from '../../src/crypto/keys.ts';
import type { DefinedModule } from '../../src/modules/define.ts';
import { newFolder } from '../folder.ts';
import { BINDINGS, start, type Started } from '../http/start.ts';
import { testCluster } from '../http/test-node.ts';
import { run, type Ended } from './program.ts';

export interface Serving extends Started {
  /** An empty folder, in which commands run. */
  readonly folder: string;
  /** Files in it. */
  readonly key: string;
  readonly genesis: string;
  /** Of the command's environment: where, and whose key. */
  readonly env: NodeJS.ProcessEnv;
  /** Its end; on stderr without what it says because it takes long, which is the machine's affair. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
}

/** The key owns the account `alice`, with 1000 in it, and may issue. `modules`: all that the node runs. */
export async function serve(
  t: ExecutionContext,
  modules?: readonly DefinedModule[],
): Promise<Serving> {
  const { pem, publicKey } = generateKey();
  const sender = `key:${publicKey}`;
  const accounts = [
    { account: 'alice', owner: sender, balance: '1000' },
    { account: 'bob', owner: sender, balance: '0' },
  ];
  const cluster = testCluster({ ledger: { issuers: [sender], accounts } });
  const started = await start(t, BINDINGS[0]!, {
    cluster,
    ...(modules === undefined ? {} : { modules }),
  });
  const folder = newFolder('cli');
  const key = join(folder, 'client.pem');
  const genesis = join(folder, 'genesis.json');
  writeFileSync(key, pem, { mode: 0o600 });
  writeFileSync(genesis, JSON.stringify(cluster.genesis));
  const env = { PATH: process.env['PATH'], ALTHING_URL: started.url, ALTHING_KEY: key };
  return {
    ...started,
    folder,
    key,
    genesis,
    env,
    run: async (args, more = {}) => {
      const ended = await run(args, { cwd: folder, env: { ...env, ...more } });
      return { ...ended, stderr: ended.stderr.replaceAll(/^.*( …| are final)\n/gm, '') };
    },
  };
}

/** What it ends with once it was answered in the time that it was given, which a slow machine may miss. */
export async function answered(asked: () => Promise<Ended>): Promise<Ended> {
  for (;;) {
    const ended = await asked();
    if (!/^althing: no(?:_| )answer/m.test(ended.stderr)) return ended;
  }
}

/** Answers by itself, or lets the node answer. */
export type Behaviour = (asked: IncomingMessage, answer: ServerResponse, pass: () => void) => void;

/** An address between the command and the node. */
export async function between(
  t: ExecutionContext,
  url: string,
  behave: Behaviour,
): Promise<string> {
  const server = createServer((asked, answer) => {
    const pass = (): void => {
      const { method, headers } = asked;
      const passed = request(`${url}${asked.url}`, { method, headers, agent: false });
      passed.on('response', (response) => {
        answer.writeHead(response.statusCode!, response.headers);
        response.on('error', () => answer.destroy());
        response.pipe(answer);
      });
      passed.on('error', () => answer.destroy());
      answer.on('close', () => passed.destroy());
      asked.pipe(passed);
    };
    behave(asked, answer, pass);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
