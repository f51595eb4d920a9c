/** A chain that is being written, and a read model that follows it while the node runs. */
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { MemoryCache } from '../../src/cache/memory-cache.ts';
import type { ListPage } from '../../src/read-model/pages.ts';
import type { List, Parameters } from '../../src/read-model/queries.ts';
import type { ProjectionTask } from '../../src/read-model/worker.ts';
import { ReadModel } from '../../src/read-model/read-model.ts';
import { openTestActor, openTestLog } from '../log/harness.ts';
import { quiet, startTestServer } from '../postgres/server.ts';
import { task, WrittenChain } from './chain.ts';

export interface Following {
  readonly chain: WrittenChain;
  readonly cache: MemoryCache;
  /** Not started yet. */
  readonly model: ReadModel;
  readonly task: ProjectionTask;
  /** Of the same database. */
  readonly client: pg.Client;
  reached(height: number): Promise<void>;
  /** What the model lists, asked again where the database was too slow for it. */
  listed(what: List, parameters: Parameters): Promise<ListPage>;
  /** How often it has asked how much the node has to do. */
  asked(): number;
}

export async function following(t: ExecutionContext): Promise<Following> {
  const server = await startTestServer();
  t.teardown(() => server.end());
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  const chain = new WrittenChain(log);
  const cache = new MemoryCache(1_000_000, 60_000);
  let asked = 0;
  const model = new ReadModel({
    task: task(url),
    logger: quiet,
    cache,
    load: () => {
      asked++;
      return 0;
    },
    executedHeight: () => 6,
  });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.teardown(async () => {
    await model.close();
    await client.end();
    await log.close();
    await node.close();
  });
  const reached = async (height: number): Promise<void> => {
    while (model.status().height < height) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const listed: Following['listed'] = async (what, parameters) => {
    for (;;) {
      try {
        return await model.list(what, parameters);
      } catch (error) {
        if (!/timeout/.test((error as Error).message)) throw error;
      }
    }
  };
  return { chain, cache, model, task: task(url), client, reached, listed, asked: () => asked };
}
